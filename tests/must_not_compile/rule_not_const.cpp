// expect: cut_of must be a const member function
#include <tamis/select.hpp>

#include <array>

#if defined(TAMIS_FIXED)
#define CONST const
#else
#define CONST
#endif

struct mine {
    tamis::cut<float> cut_of(tamis::scores<float>) CONST { return tamis::cut<float>::at(1.0f); }
};

tamis::mask f(const std::array<float, 4>& v) { return tamis::select(mine{}, v); }
