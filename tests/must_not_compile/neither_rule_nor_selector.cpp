// expect: neither a rule
#include <tamis/rule/top_k.hpp>

#include <array>

#if defined(TAMIS_FIXED)
tamis::mask f(const std::array<float, 4>& v) { return tamis::select(tamis::top_k{2}, v); }
#else
tamis::mask f(const std::array<float, 4>& v) { return tamis::select(2, v); }
#endif
