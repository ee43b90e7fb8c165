// expect: these values are read-only
#include <tamis/mask/apply.hpp>

#include <vector>

#if defined(TAMIS_FIXED)
void f(std::vector<float>& v, tamis::mask_view m) { tamis::zero_inactive(v, m); }
#else
void f(const std::vector<float>& v, tamis::mask_view m) { tamis::zero_inactive(v, m); }
#endif
