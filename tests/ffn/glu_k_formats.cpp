#include "ffn/support.hpp"
#include "format/unit_formats.hpp"

#include <tamis/ffn/packed_ffn.hpp>
#include <tamis/rule/top_k.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

// A checkpoint as GGUF files have it (gate and up in Q4_K, down in Q6_K) through a whole FFN, W_down transposed into Q8_0, against
// plain loops in double with the weights as `at` reads them: a token and a block, masks at the gate.

namespace {

template <class F, class L>
struct k_matrix {
    std::vector<std::byte> bytes;
    std::size_t rows, columns;

    k_matrix(std::size_t r, std::size_t c, engine& random) : rows{r}, columns{c} {
        for (std::size_t i = 0; i < rows; ++i) {
            const auto row = row_of_bits<F>(columns, random, true);
            bytes.insert(bytes.end(), row.begin(), row.end());
        }
    }
    tamis::matrix<F, L> view() const { return {bytes.data(), rows, columns}; }
};

/// y = W_down (relu(W_gate x) * W_up x) over the neurons that are listed by their gate's largest values.
template <class Weights>
std::vector<double> in_double(const Weights& w, std::span<const float> x, std::size_t kept) {
    const std::size_t d = w.neurons();
    std::vector<double> gate(d), up(d);
    for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < x.size(); ++j) {
            gate[i] += double{w.gate.at(i, j)} * double{x[j]};
            up[i] += double{w.up.at(i, j)} * double{x[j]};
        }
        gate[i] = std::fmax(gate[i], 0.0);
    }
    std::vector<double> ordered = gate;
    std::sort(ordered.begin(), ordered.end(), std::greater<>{});
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < x.size() && gate[i] >= ordered[kept - 1]; ++j) {
            y[j] += double{w.down.at(i, j)} * gate[i] * up[i];
        }
    }
    return y;
}

} // namespace

TEST_CASE("a Q4_K_M checkpoint: gate and up where they lie, W_down transposed into q8_0") {
    using namespace tamis;
    constexpr std::size_t h = 256, d = 512, tokens = 3, kept = 100;
    engine random{41};
    const k_matrix<q4_k, neuron_major> gate{d, h, random}, up{d, h, random};
    const k_matrix<q6_k, output_major> down{h, d, random};
    const glu_weights weights{gate.view(), up.view(), down.view()};
    const auto packed = pack<transposed_as<q8_0>>(weights, at_gate(top_k{kept}));
    const glu_ffn ffn{packed, relu{}, at_gate(top_k{kept})};
    std::vector<float> x(tokens * h), y(h), of_block(tokens * h);
    for (float& value : x) {
        value = coarse(random);
    }
    owned_workspace memory{ffn.workspace_bytes(serial{}, tokens)};
    ffn(block<const float>{x.data(), tokens, h}, block<float>{of_block.data(), tokens, h}, memory);
    for (std::size_t token = 0; token < tokens; ++token) {
        const auto of_token = std::span{x}.subspan(token * h, h);
        const traffic read = ffn(of_token, y, memory);
        CHECK(read.bytes_read < read.bytes_dense * 3 / 4);
        const auto expected = in_double(packed.view(), of_token, kept);
        double largest = 0;
        for (const double value : expected) {
            largest = std::fmax(largest, std::fabs(value));
        }
        for (std::size_t j = 0; j < h; ++j) {
            REQUIRE(std::fabs(double{y[j]} - expected[j]) <= largest * 1e-5);
            REQUIRE(std::fabs(double{of_block[token * h + j]} - expected[j]) <= largest * 1e-5);
        }
    }
}
