// expect: at_neurons takes masks that are known before the FFN begins
#include <tamis/tamis.hpp>

// A rule where there are no values yet.
void call(const tamis::mask& made) {
#if defined(TAMIS_FIXED)
    const auto policy = tamis::at_neurons(tamis::given{made});
#else
    const auto policy = tamis::at_neurons(tamis::top_p{0.9});
#endif
    (void)policy;
    (void)made;
}
