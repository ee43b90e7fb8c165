// The README's ten lines (between the marks), around them what a program needs: weights, and something to print.
#include <tamis/tamis.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

/// Numbers that look like weights: small, both signs, the same on every machine.
std::vector<float> some_numbers(std::size_t count, unsigned seed) {
    std::vector<float> numbers(count);
    for (float& number : numbers) {
        seed = seed * 1664525u + 1013904223u;
        number = static_cast<float>(static_cast<int>(seed >> 8) - (1 << 23)) / static_cast<float>(1 << 23);
    }
    return numbers;
}

} // namespace

int main() {
    const std::size_t h = 64;
    const std::size_t d = 172;
    const auto gate = some_numbers(d * h, 1);
    const auto up = some_numbers(d * h, 2);
    const auto down = some_numbers(h * d, 3);
    const auto x = some_numbers(h, 4);
    std::vector<float> y(h);

    // [README]
    tamis::mask mask = tamis::top_p{0.9}(x); // the fewest entries of x that hold 90 % of its mass
    std::printf("%zu of %zu inputs are active\n", mask.count(), mask.size());

    using namespace tamis;
    glu_weights weights{matrix<f32, neuron_major>{gate.data(), d, h},
                        matrix<f32, neuron_major>{up.data(), d, h},
                        matrix<f32, output_major>{down.data(), h, d}};   // where they lie, nothing is copied
    auto ffn = packed_ffn(weights, silu{}, at_intermediate(top_p{0.9})); // W_down transposed, to skip
    owned_workspace memory{ffn.workspace_bytes()};
    traffic read = ffn(x, y, memory); // y = FFN(x), reading the active neurons' rows of W_down alone
    // [README]

    std::printf("%.1f %% of the weights' bytes were not read\n",
                100.0 * static_cast<double>(read.bytes_skipped()) / static_cast<double>(read.bytes_dense));
    return mask.count() > 0 && read.bytes_skipped() > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
