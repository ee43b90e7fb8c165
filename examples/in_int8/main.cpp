#include <tamis/tamis.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

// What in_int8 costs: the error of a product with values rounded to eight-bit integers (root mean square, relative, against sums in
// double), for each format that has integer codes, where a row is an output and where it is an input; floats beside it, and eight
// tokens together where a row is an input (elsewhere their integers are one token's).
// docs/formats.md has the table that this prints.

namespace {

constexpr std::size_t n = 1024; // inputs and outputs

/// Weights of any codes, with scales of one size: what can be packed from Gaussian weights, and random bytes of a few bits for others.
template <class F>
std::vector<std::byte> weights_of() {
    std::mt19937 random{1};
    std::normal_distribution<float> normal{0.0f, 0.02f};
    std::vector<std::byte> bytes(n * F::row_bytes(n));
    for (std::size_t i = 0; i < n; ++i) {
        std::byte* const row = bytes.data() + i * F::row_bytes(n);
        if constexpr (tamis::packable_format<F>) {
            std::vector<float> from(n);
            for (float& w : from) {
                w = normal(random);
            }
            F::pack(from, row);
        } else {
            for (std::size_t k = 0; k < F::row_bytes(n); ++k) {
                row[k] = static_cast<std::byte>(random() & 0x3fu);
            }
        }
    }
    return bytes;
}

/// The errors in integers and in floats, of one token or of several together.
template <class F, class Layout>
std::array<double, 2> errors_of(const std::vector<std::byte>& bytes, std::size_t tokens) {
    const tamis::matrix<F, Layout> w{bytes.data(), n, n};
    std::mt19937 random{5};
    std::normal_distribution<float> normal;
    std::vector<float> x(tokens * n), floats(tokens * n), integers(tokens * n);
    for (float& value : x) {
        value = normal(random) * normal(random); // long tails, as an intermediate has
    }
    const auto rows = [&](std::vector<float>& values) { return tamis::block{values.data(), tokens, n}; };
    const tamis::projection layer{tamis::linear_weights{w}};
    const tamis::in_int8 rounded{layer};
    tamis::owned_workspace memory{layer.workspace_bytes(tamis::serial{}, tokens) +
                                  rounded.workspace_bytes(tamis::serial{}, tokens)};
    layer(rows(x), rows(floats), memory);
    rounded(rows(x), rows(integers), memory);
    double of_floats = 0, of_integers = 0, all = 0;
    for (std::size_t token = 0; token < tokens; ++token) {
        std::vector<double> y(n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                const bool by_outputs = std::is_same_v<Layout, tamis::output_major>;
                y[by_outputs ? i : j] += double{w.at(i, j)} * double{x[token * n + (by_outputs ? j : i)]};
            }
        }
        for (std::size_t i = 0; i < n; ++i) {
            const double in_floats = double{floats[token * n + i]} - y[i];
            const double in_integers = double{integers[token * n + i]} - y[i];
            of_floats += in_floats * in_floats;
            of_integers += in_integers * in_integers;
            all += y[i] * y[i];
        }
    }
    return {std::sqrt(of_integers / all), std::sqrt(of_floats / all)};
}

template <class F>
void print_row() {
    const std::vector<std::byte> bytes = weights_of<F>();
    const tamis::product_forms forms = tamis::int8_products<F>;
    const auto [dot, dot_floats] = errors_of<F, tamis::output_major>(bytes, 1);
    const auto [sum, sum_floats] = errors_of<F, tamis::input_major>(bytes, 1);
    const double of_block = errors_of<F, tamis::input_major>(bytes, 8)[0];
    std::printf("| `%s` | %.1e | %.1e | %.1e | %.1e | %.1e |", F::name, dot, dot_floats, sum, sum_floats,
                of_block);
    std::printf(" %s |\n", forms.rows_are_outputs ? forms.rows_are_inputs ? "both" : "outputs" : "none");
}

} // namespace

int main() {
    using namespace tamis;
    std::printf(
        "| format | rows are outputs: int8 | floats | rows are inputs: int8 | floats | 8 tokens: int8 | in integers "
        "here |\n");
    std::printf("|---|---|---|---|---|---|---|\n");
    print_row<q8_0>();
    print_row<int8_by_row>();
    print_row<q5_1>();
    print_row<q5_0>();
    print_row<q4_1>();
    print_row<q4_0>();
    print_row<mxfp4>();
    print_row<tq2_0>();
    print_row<q6_k>();
    print_row<q5_k>();
    print_row<q4_k>();
    print_row<q3_k>();
    print_row<q2_k>();
}
