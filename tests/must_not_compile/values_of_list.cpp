// expect: these are not values
#include <tamis/rule/top_k.hpp>

#include <list>
#include <vector>

#if defined(TAMIS_FIXED)
using container = std::vector<float>;
#else
using container = std::list<float>; // not contiguous
#endif

tamis::mask f(const container& v) { return tamis::top_k{1}(v); }
