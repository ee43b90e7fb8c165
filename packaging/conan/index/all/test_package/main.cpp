#include <tamis/tamis.hpp>

#include <cstdio>
#include <vector>

int main() {
    using namespace tamis;
    const std::vector<float> weights(4 * 4, 0.5f);
    const std::vector<float> x{3, -2, 0.1f, 0};
    std::vector<float> y(4);
    glu_weights layer{matrix<f32, neuron_major>{weights.data(), 4, 4},
                      matrix<f32, neuron_major>{weights.data(), 4, 4},
                      matrix<f32, output_major>{weights.data(), 4, 4}};
    auto ffn = packed_ffn(layer, silu{}, at_intermediate(top_p{0.9}));
    owned_workspace memory{ffn.workspace_bytes()};
    ffn(x, y, memory);
    std::printf("%zu of %zu active, y[0] = %g\n", top_p{0.9}(x).count(), x.size(), static_cast<double>(y[0]));
}
