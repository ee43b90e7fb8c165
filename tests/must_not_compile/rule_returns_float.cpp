// expect: cut_of must return tamis::cut<Real>
#include <tamis/select.hpp>

#include <array>

struct mine {
#if defined(TAMIS_FIXED)
    tamis::cut<float> cut_of(tamis::scores<float>) const { return tamis::cut<float>::at(1.0f); }
#else
    float cut_of(tamis::scores<float>) const { return 1.0f; }
#endif
};

tamis::mask f(const std::array<float, 4>& v) { return tamis::select(mine{}, v); }
