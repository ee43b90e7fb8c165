// What each way of packaging has to bring: a mask, and an FFN that skips by it and equals the dense one where nothing is
// inactive. With WITH_EIGEN the Eigen half, too.
#ifdef SINGLE_HEADER
#include <tamis.hpp>
#else
#include <tamis/tamis.hpp>
#endif
#ifdef WITH_EIGEN
#include <Eigen/Core>
#include <tamis/eigen.hpp>
#endif

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

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
    using namespace tamis;
    const std::size_t h = 16;
    const std::size_t d = 40;
    const auto gate = some_numbers(d * h, 1);
    const auto up = some_numbers(d * h, 2);
    const auto down = some_numbers(h * d, 3);
    const auto x = some_numbers(h, 4);

    const mask some = top_p{0.9}(x);
    glu_weights weights{matrix<f32, neuron_major>{gate.data(), d, h},
                        matrix<f32, neuron_major>{up.data(), d, h},
                        matrix<f32, output_major>{down.data(), h, d}};
    auto ffn = packed_ffn(weights, silu{}, at_intermediate(top_k{8}));
    owned_workspace memory{ffn.workspace_bytes()};
    std::vector<float> y(h);
    const traffic read = ffn(x, y, memory);

    // The definition, loop by loop.
    std::vector<float> intermediate(d);
    for (std::size_t i = 0; i < d; ++i) {
        float g = 0;
        float u = 0;
        for (std::size_t j = 0; j < h; ++j) {
            g += gate[i * h + j] * x[j];
            u += up[i * h + j] * x[j];
        }
        intermediate[i] = g / (1 + std::exp(-g)) * u;
    }
    zero_inactive(std::span<float>(intermediate), top_k{8}(intermediate));
    float error = 0;
    for (std::size_t o = 0; o < h; ++o) {
        float sum = 0;
        for (std::size_t i = 0; i < d; ++i) sum += down[o * d + i] * intermediate[i];
        error = (std::fmax)(error, std::fabs(sum - y[o]));
    }
    bool right = some.count() > 0 && some.count() < h && read.bytes_skipped() > 0 && error < 1e-4f;

#ifdef WITH_EIGEN
    const Eigen::VectorXf vector = Eigen::Map<const Eigen::VectorXf>(x.data(), static_cast<Eigen::Index>(h));
    right = right && top_p{0.9}(vector).count() == some.count();
#endif
    std::printf("tamis %d.%d.%d: %zu of %zu active, %zu bytes skipped, error %.1e: %s\n", TAMIS_VERSION_MAJOR,
                TAMIS_VERSION_MINOR, TAMIS_VERSION_PATCH, some.count(), some.size(), read.bytes_skipped(),
                static_cast<double>(error), right ? "right" : "WRONG");
    return right ? 0 : 1;
}
