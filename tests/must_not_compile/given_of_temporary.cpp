// expect: the mask is borrowed: give it a name
#include <tamis/tamis.hpp>

// Masks that are gone before they are used.
void call(const std::vector<float>& values) {
    const tamis::mask made = tamis::top_p{0.9}(values);
#if defined(TAMIS_FIXED)
    const tamis::given kept{made};
#else
    const tamis::given kept{tamis::top_p{0.9}(values)};
#endif
    (void)kept;
}
