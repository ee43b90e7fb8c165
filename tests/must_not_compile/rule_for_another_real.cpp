// expect: this rule has no cut_of for these scores
#include <tamis/select.hpp>

#include <array>

struct for_doubles {
    tamis::cut<double> cut_of(tamis::scores<double>) const { return tamis::cut<double>::at(1.0); }
};

#if defined(TAMIS_FIXED)
using number = double;
#else
using number = float;
#endif

tamis::mask f(const std::array<number, 4>& v) { return tamis::select(for_doubles{}, v); }
