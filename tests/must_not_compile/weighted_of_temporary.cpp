// expect: these values are kept, but this temporary is gone
#include <tamis/tamis.hpp>

// Weights that are gone before the first score.
std::vector<float> norms();

void call() {
#if defined(TAMIS_FIXED)
    const std::vector<float> kept = norms();
    const tamis::weighted score{std::span{kept}.first(3)};
    (void)score;
#else
    const tamis::weighted score{norms()};
    (void)score;
#endif
}
