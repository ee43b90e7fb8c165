// expect: these values are kept, but this temporary is gone
#include <tamis/tamis.hpp>

// Norms that are gone before the first mask.
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;

std::vector<float> norms();

void call(const by_outputs& down) {
#if defined(TAMIS_FIXED)
    const std::vector<float> kept = norms();
    const tamis::cett_exact rule{down, kept, 0.5};
    (void)rule;
#else
    const tamis::cett_exact rule{down, norms(), 0.5};
    (void)rule;
#endif
}
