#pragma once

#include "ffn/support.hpp"
#include "format/own_formats.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/kernel/dot_rows_of_block.hpp>
#include <tamis/kernel/sum_rows_of_block.hpp>

#include <cmath>

/// For TEST_CASE_TEMPLATE: all formats of the library, and one that has nothing but `at`.
#define ALL_FORMATS \
    tamis::f32, tamis::f16, tamis::bf16, tamis::q8_0, tamis::q4_0, tamis::int8_by_row, three_bytes
/// Those whose weights share no scale.
#define UNSCALED_FORMATS tamis::f32, tamis::f16, tamis::bf16

/// Some of the rows 0 .. n-1, ascending.
inline std::vector<std::uint32_t> some_rows(std::size_t count, std::size_t n, engine& random) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < n; ++i) {
        if (below(random, n - i) < count - rows.size()) {
            rows.push_back(static_cast<std::uint32_t>(i));
        }
    }
    return rows;
}

/// Whether two results agree up to the rounding of sums of about 1.
inline bool close(float a, float b, float scale) { return std::fabs(a - b) <= 1e-5f * scale; }

/// The widths that decide how a row falls into vectors, and a few larger ones.
inline std::vector<std::size_t> widths() {
    std::vector<std::size_t> all;
    for (std::size_t n = 0; n <= 2 * 16 + 3; ++n) {
        all.push_back(n);
    }
    all.insert(all.end(), {63, 127, 259, 1001});
    return all;
}

/// And those that decide how it falls into stretches, up to several of them.
inline std::vector<std::size_t> long_widths() { return {511, 512, 513, 1024, 1055, 2100}; }

inline constexpr float sentinel = 12345.0f;

/// Values of several tokens in rows, and between and behind the rows what nobody may write, nor use.
class padded_rows {
  public:
    padded_rows(std::size_t tokens, std::size_t columns, std::size_t gap, float between = sentinel)
        : tokens_{tokens},
          columns_{columns},
          stride_{columns + gap},
          between_{between},
          memory_(tokens * stride_ + 16, between) {}

    tamis::block<float> view() { return {memory_.data(), tokens_, columns_, stride_}; }
    tamis::block<const float> view() const { return {memory_.data(), tokens_, columns_, stride_}; }
    std::span<float> row(std::size_t token) { return view().row(token); }
    std::span<const float> row(std::size_t token) const { return view().row(token); }

    void fill(engine& random) {
        for (std::size_t token = 0; token < tokens_; ++token) {
            for (float& value : row(token)) {
                value = coarse(random);
            }
        }
    }
    /// Whether all that is no value is as it was.
    bool is_whole_between() const {
        for (std::size_t i = 0; i < memory_.size(); ++i) {
            if ((i % stride_ >= columns_ || i / stride_ >= tokens_) &&
                !same_bits({&memory_[i], 1}, {&between_, 1})) {
                return false;
            }
        }
        return true;
    }

  private:
    std::size_t tokens_, columns_, stride_;
    float between_;
    std::vector<float> memory_;
};

/// Whether all values agree as `close` has it.
inline bool all_close(const padded_rows& a, const padded_rows& b, float scale) {
    for (std::size_t token = 0; token < a.view().rows(); ++token) {
        for (std::size_t j = 0; j < a.row(token).size(); ++j) {
            if (!close(a.row(token)[j], b.row(token)[j], scale)) {
                return false;
            }
        }
    }
    return true;
}
