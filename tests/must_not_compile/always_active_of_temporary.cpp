// expect: the set is borrowed: give the mask a name
#include <tamis/tamis.hpp>

// A set that is gone before the first mask.
void call(const std::vector<float>& x) {
#if defined(TAMIS_FIXED)
    const tamis::mask set = tamis::top_p{0.9}(x);
    const tamis::always_active rule{set, tamis::top_k{3}};
    (void)rule;
#else
    const tamis::always_active rule{tamis::top_p{0.9}(x), tamis::top_k{3}};
    (void)rule;
#endif
}
