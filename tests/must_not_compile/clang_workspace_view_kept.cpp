// expect: dangling
// only: Clang, with -Wdangling -Wdangling-gsl -Werror
#include <tamis/tamis.hpp>

// A workspace in memory that nobody has named.
void call() {
#if defined(TAMIS_FIXED)
    tamis::owned_workspace memory{64};
    tamis::workspace w = memory.view();
    (void)w.take<float>(3);
#else
    tamis::workspace w = tamis::owned_workspace{64}.view();
    (void)w.take<float>(3);
#endif
}
