// expect: the masks of at_neurons save nothing: no matrix is neuron_major
#include <tamis/tamis.hpp>

// Masks over neurons where no row is a neuron.
using by_inputs = tamis::matrix<tamis::f32, tamis::input_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;

void call(const tamis::glu_weights<by_inputs, by_inputs, by_outputs>& weights, const tamis::mask& made) {
#if defined(TAMIS_FIXED)
    const auto ffn = tamis::packed_ffn(weights, tamis::silu{}, tamis::at_neurons(tamis::given{made}));
#else
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_neurons(tamis::given{made})};
#endif
    (void)ffn;
}
