// expect: dangling
// only: Clang, with -Wdangling -Wdangling-gsl -Werror
#include <tamis/tamis.hpp>

// A row of a block of masks that nobody has named.
void call(tamis::block<const float> x) {
#if defined(TAMIS_FIXED)
    const tamis::mask_block masks = tamis::select_rows(tamis::top_p{0.9}, x);
    const tamis::mask_view row = masks.row(0);
    (void)row.size();
#else
    const tamis::mask_view row = tamis::select_rows(tamis::top_p{0.9}, x).row(0);
    (void)row.size();
#endif
}
