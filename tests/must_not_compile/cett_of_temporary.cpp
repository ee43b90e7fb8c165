// expect: these values are kept, but this temporary is gone
#include <tamis/tamis.hpp>

// Norms that are gone before the first mask.
std::vector<float> norms();

void call() {
#if defined(TAMIS_FIXED)
    const std::vector<float> kept = norms();
    const auto rule = tamis::cett(kept, 0.5);
    (void)rule;
#else
    const auto rule = tamis::cett(norms(), 0.5);
    (void)rule;
#endif
}
