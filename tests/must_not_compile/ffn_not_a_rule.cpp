// expect: a policy needs a rule or a selector
#include <tamis/tamis.hpp>

// A number where a rule is wanted.
#if defined(TAMIS_FIXED)
auto policy = tamis::at_input(tamis::top_p{0.9});
#else
auto policy = tamis::at_input(0.9);
#endif
