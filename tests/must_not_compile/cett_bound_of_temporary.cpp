// expect: these values are kept, but this temporary is gone
#include <tamis/tamis.hpp>

// Norms that are gone before the first mask.
std::array<float, 4> norms();

void call() {
#if defined(TAMIS_FIXED)
    const std::array<float, 4> kept = norms();
    const auto rule = tamis::cett_bound(kept, 0.5, 1.0);
    (void)rule;
#else
    const auto rule = tamis::cett_bound(norms(), 0.5, 1.0);
    (void)rule;
#endif
}
