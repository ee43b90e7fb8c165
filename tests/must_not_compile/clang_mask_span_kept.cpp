// expect: dangling
// only: Clang, with -Wdangling -Wdangling-gsl -Werror
#include <tamis/tamis.hpp>

// A span of a mask that nobody has named.
void call() {
#if defined(TAMIS_FIXED)
    tamis::mask mask{9};
    const tamis::mask_span span = mask.span();
    span.fill(true);
#else
    const tamis::mask_span span = tamis::mask{9}.span();
    span.fill(true);
#endif
}
