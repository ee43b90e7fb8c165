#pragma once

#include "support/bits.hpp"
#include "support/generate.hpp"

#include <tamis/element.hpp>
#include <tamis/ffn/weights.hpp>

#include <cstring>
#include <utility>
#include <vector>

// What the tests of formats, kernels and FFNs share: weights to test with, in memory of any layout and
// format.

/// k / 64 with k = -127 .. 127: bfloat16 and eight-bit integers hold such a number exactly, so a product of
/// weights has one right result, whatever they are stored in.
inline float coarse(engine& random) {
    return static_cast<float>(static_cast<int>(below(random, 255)) - 127) / 64.0f;
}

inline std::vector<float> coarse_values(std::size_t n, engine& random) {
    std::vector<float> values(n);
    for (float& value : values) {
        value = coarse(random);
    }
    return values;
}

/// A matrix in the order of the formulas: a row an output, a column an input.
struct dense {
    std::size_t outputs, inputs;
    std::vector<float> values;

    float at(std::size_t output, std::size_t input) const { return values[output * inputs + input]; }
};

/// Entries such that a product with values of about 1 is about 1 too.
inline dense random_dense(std::size_t outputs, std::size_t inputs, engine& random) {
    dense m{outputs, inputs, coarse_values(outputs * inputs, random)};
    float scale = 1;
    while (scale * scale * static_cast<float>(inputs) > 1) {
        scale /= 2;
    }
    for (float& value : m.values) {
        value *= scale;
    }
    return m;
}

/// The bytes of a matrix in a format and a layout. Rows lie `gap` bytes apart and start `misaligned` bytes
/// behind an aligned address; what is no weight is 0xff, which is a NaN in both float formats.
template <class F, class L>
class stored {
  public:
    stored(const dense& m, bool rows_are_outputs, std::size_t gap = 0, std::size_t misaligned = 0)
        : rows_{rows_are_outputs ? m.outputs : m.inputs},
          columns_{rows_are_outputs ? m.inputs : m.outputs},
          stride_{F::row_bytes(columns_) + gap},
          misaligned_{misaligned},
          bytes_(misaligned + rows_ * stride_, std::byte{0xff}) {
        std::vector<float> row(columns_);
        for (std::size_t i = 0; i < rows_; ++i) {
            for (std::size_t j = 0; j < columns_; ++j) {
                row[j] = rows_are_outputs ? m.at(i, j) : m.at(j, i);
            }
            F::pack(row, bytes_.data() + misaligned_ + i * stride_);
        }
    }

    tamis::matrix<F, L> view() const { return {bytes_.data() + misaligned_, rows_, columns_, stride_}; }

    std::size_t rows() const { return rows_; }
    /// Makes a row NaN (in f32 and bf16).
    void spoil(std::size_t row) {
        std::memset(bytes_.data() + misaligned_ + row * stride_, 0xff, F::row_bytes(columns_));
    }

  private:
    std::size_t rows_, columns_, stride_, misaligned_;
    std::vector<std::byte> bytes_;
};

/// A gate or up matrix, and a down matrix, stored.
template <class F, class L>
stored<F, L> store_up(const dense& m, std::size_t gap = 0, std::size_t misaligned = 0) {
    return {m, std::is_same_v<L, tamis::neuron_major>, gap, misaligned};
}
template <class F, class L>
stored<F, L> store_down(const dense& m, std::size_t gap = 0, std::size_t misaligned = 0) {
    return {m, std::is_same_v<L, tamis::output_major>, gap, misaligned};
}

/// By the bits, so that -ffast-math cannot assume the answer.
inline bool all_finite(std::span<const float> values) {
    for (const float value : values) {
        if (tamis::magnitude_bits(value) >= tamis::infinity_bits<float>) {
            return false;
        }
    }
    return true;
}
inline bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

/// Calls f(std::integral_constant<std::size_t, I>{}) for I = 0 .. N-1.
template <std::size_t N, class F>
void for_constants(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (f(std::integral_constant<std::size_t, I>{}), ...);
    }(std::make_index_sequence<N>{});
}
