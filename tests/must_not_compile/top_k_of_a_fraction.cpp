// expect: a count is a whole number; for a share of the entries write top_k::fraction
#include <tamis/rule/top_k.hpp>

#if defined(TAMIS_FIXED)
tamis::top_k f() { return tamis::top_k::fraction(0.5); }
#else
tamis::top_k f() { return tamis::top_k(0.5); } // a count; half of the entries is a fraction
#endif
