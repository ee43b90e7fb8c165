// expect: these are not values
#include <tamis/rule/nonzero.hpp>

#include <array>

#if defined(TAMIS_FIXED)
using number = signed char;
#else
using number = bool;
#endif

tamis::mask f(const std::array<number, 4>& v) { return tamis::nonzero{}(v); }
