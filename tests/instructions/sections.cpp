#include <tamis/format/q4_k.hpp>
#include <tamis/tamis.hpp>

#include <cstdio>
#include <vector>

// What instructions.py counts the instructions of: kernels of the formats on a small matrix, an FFN on a block of tokens, and
// searches over 4096 values; a function of its own name each. No clock, no libm, no randomness but this file's own.

namespace {

using namespace tamis;

constexpr std::size_t n_rows = 64, n_columns = 512, n_values = 4096;

/// The same numbers everywhere, in [-1, 1).
struct numbers {
    std::uint32_t state = 1;
    float next() {
        state = state * 1664525u + 1013904223u;
        return static_cast<float>(static_cast<std::int32_t>(state >> 8)) * 0x1p-23f - 1.0f;
    }
};

struct data {
    std::vector<std::byte> weights; // bytes that are small numbers in any format
    std::vector<float> x, y;
    std::vector<std::uint32_t> half;
    std::vector<float> values[4], norms;
    std::vector<std::uint32_t> indices;
    tamis::mask mask{n_values};
    owned_workspace scratch{std::size_t{1} << 22};

    data()
        : weights(n_rows * n_columns * 4),
          x(n_columns * 16),
          y(n_columns * 16),
          norms(n_values, 1.5f),
          indices(n_values) {
        numbers from;
        for (std::size_t i = 0; i + 1 < weights.size(); i += 2) {
            weights[i] = static_cast<std::byte>(from.next() < 0 ? 0x5a : 0xa5);
            weights[i + 1] = std::byte{0x3c};
        }
        for (float& v : x) {
            v = 0.1f * from.next();
        }
        for (std::uint32_t i = 0; i < n_rows; ++i) {
            if (from.next() < 0) {
                half.push_back(i);
            }
        }
        for (auto& some : values) { // long tails, as activations have
            some.resize(n_values);
            for (float& v : some) {
                const float z = from.next() + from.next() + from.next();
                v = z * z * z;
            }
        }
    }
};
data& all() {
    static data d;
    return d;
}

template <class F>
void dot_all() {
    data& d = all();
    dot_rows(matrix<F, neuron_major>{d.weights.data(), n_rows, n_columns}, all_rows{n_rows},
             std::span<const float>{d.x}.first(n_columns), std::span{d.y}.first(n_rows));
}
template <class F>
void dot_half() {
    data& d = all();
    dot_rows(matrix<F, neuron_major>{d.weights.data(), n_rows, n_columns}, active_rows{d.half},
             std::span<const float>{d.x}.first(n_columns), std::span{d.y}.first(d.half.size()));
}
template <class F>
void sum_half() {
    data& d = all();
    sum_rows(matrix<F, neuron_major>{d.weights.data(), n_rows, n_columns}, active_rows{d.half},
             std::span<const float>{d.x}.first(d.half.size()), std::span{d.y}.first(n_columns));
}
/// Four tokens with masks of their own through an FFN of 256 x 64.
template <class F>
void four_tokens() {
    data& d = all();
    constexpr std::size_t h = 256, neurons = 64;
    const std::byte* const w = d.weights.data();
    const glu_ffn ffn{glu_weights{matrix<F, input_major>{w, h, neurons},
                                  matrix<F, input_major>{w, h, neurons},
                                  matrix<F, neuron_major>{w, neurons, h}},
                      silu{}, at_input(top_k::fraction(0.5)), at_intermediate(top_k::fraction(0.5))};
    ffn(block<const float>{d.x.data(), 4, h}, block<float>{d.y.data(), 4, h}, d.scratch);
}
template <class S>
void select_of_four(const S& rule) {
    data& d = all();
    for (const auto& values : d.values) {
        select(rule, values, d.mask.span(), d.scratch);
    }
}

} // namespace

#define TAMIS_SECTION(name, ...) \
    extern "C" [[gnu::noinline, gnu::used]] void tamis_section_##name() { __VA_ARGS__; }
#define TAMIS_SECTIONS_OF(format)                        \
    TAMIS_SECTION(dot_all_##format, dot_all<format>())   \
    TAMIS_SECTION(dot_half_##format, dot_half<format>()) \
    TAMIS_SECTION(sum_half_##format, sum_half<format>())
#define TAMIS_RUN_SECTIONS_OF(format)  \
    tamis_section_dot_all_##format();  \
    tamis_section_dot_half_##format(); \
    tamis_section_sum_half_##format()

TAMIS_SECTIONS_OF(f32)
TAMIS_SECTIONS_OF(f16)
TAMIS_SECTIONS_OF(bf16)
TAMIS_SECTIONS_OF(int8_by_row)
TAMIS_SECTIONS_OF(q8_0)
TAMIS_SECTIONS_OF(q4_0)
TAMIS_SECTIONS_OF(q4_k)
TAMIS_SECTION(four_tokens_bf16, four_tokens<bf16>())
TAMIS_SECTION(four_tokens_q8_0, four_tokens<q8_0>())
TAMIS_SECTION(top_p, select_of_four(top_p{0.9}))
TAMIS_SECTION(top_k, select_of_four(top_k::fraction(0.5)))
TAMIS_SECTION(max_p, select_of_four(max_p{0.05}))
TAMIS_SECTION(cett, select_of_four(cett(std::span<const float>{all().norms}, 0.5)))
TAMIS_SECTION(indices_of_top_p, select_indices(top_p{0.9}, all().values[0], all().indices, all().scratch))

int main() {
    all(); // made before anything is counted
    TAMIS_RUN_SECTIONS_OF(f32);
    TAMIS_RUN_SECTIONS_OF(f16);
    TAMIS_RUN_SECTIONS_OF(bf16);
    TAMIS_RUN_SECTIONS_OF(int8_by_row);
    TAMIS_RUN_SECTIONS_OF(q8_0);
    TAMIS_RUN_SECTIONS_OF(q4_0);
    TAMIS_RUN_SECTIONS_OF(q4_k);
    tamis_section_four_tokens_bf16();
    tamis_section_four_tokens_q8_0();
    tamis_section_top_p();
    tamis_section_top_k();
    tamis_section_max_p();
    tamis_section_cett();
    tamis_section_indices_of_top_p();
    std::printf("%g %zu\n", static_cast<double>(all().y[0]), all().mask.count());
}
