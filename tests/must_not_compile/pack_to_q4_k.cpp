// expect: this format is read alone, and cannot be packed
#include <tamis/ffn/packed_ffn.hpp>
#include <tamis/format/q4_k.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/top_p.hpp>

#if defined(TAMIS_FIXED)
using packed = tamis::transposed_as<tamis::q8_0>;
#else
using packed = tamis::q4_k; // what W_down would stay in
#endif

void own(const std::byte* gate, const std::byte* up, const std::byte* down) {
    using namespace tamis;
    const glu_weights weights{matrix<q4_k, neuron_major>{gate, 512, 256},
                              matrix<q4_k, neuron_major>{up, 512, 256},
                              matrix<q4_k, output_major>{down, 256, 512}};
    const auto ffn = packed_ffn<packed>(weights, silu{}, at_intermediate(top_p{0.9}));
    (void)ffn;
}
