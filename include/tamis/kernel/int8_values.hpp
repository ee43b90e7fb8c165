#pragma once

#include <tamis/detail/unseen.hpp>
#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise.hpp>
#include <tamis/kernel/int8_lanes.hpp>
#include <tamis/values.hpp>
#include <tamis/workspace.hpp>

TAMIS_BEGIN

// Values in blocks of 32 signed bytes with a float scale, as ggml has activations where weights are quantised (its q8_0 blocks,
// but for the scale, which it rounds to binary16): scale = largest magnitude / 127, code = value * (127 / largest), rounded to
// the nearest, ties to even. A block whose largest magnitude is below 2^-100 is zeros. A block with an infinite or NaN value has
// a NaN for its scale, so that no product with it is a number.

namespace detail {

inline constexpr std::size_t int8_block = 32;
/// Blocks are padded with zeros to a multiple of so many values.
inline constexpr std::size_t int8_stretch = 512;

/// What a block's values are multiplied by, and its scale.
struct int8_scale {
    float inverse, scale;

    explicit int8_scale(std::uint32_t largest_bits) {
        const bool counts = largest_bits >= least_of_block;
        const auto largest = bits_as<float>(largest_bits);
        inverse = counts && largest_bits < infinity_bits<float> ? 127.0f / largest : 0.0f;
        scale = largest_bits >= infinity_bits<float> ? unseen_nan() : counts ? largest / 127.0f : 0.0f;
    }
};

/// A value times a factor, rounded to a float and then to the nearest integer.
inline int nearest_int8(float value, float inverse) {
    const double product = to_24_bits(widen(value) * widen(inverse));
    return static_cast<int>(bits_as<std::uint64_t>(product + 0x1.8p52) & 0xffu) << 24 >> 24;
}

/// The simple loop: codes of a block of up to 32 values, with zeros behind them; returns the scale.
inline float to_int8_block_plain(const float* values, std::size_t count, std::int8_t* codes) {
    std::uint32_t largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        largest = larger(largest, magnitude_bits(values[i]));
    }
    const int8_scale by{largest};
    for (std::size_t i = 0; i < int8_block; ++i) {
        codes[i] = i < count && by.inverse != 0
                       ? static_cast<std::int8_t>(nearest_int8(values[i], by.inverse))
                       : std::int8_t{0};
    }
    return by.scale;
}

/// The same of 32.
inline float to_int8_block(const float* values, std::int8_t* codes) {
#if defined(__AVX2__)
    const int8_scale by{largest_of_32(values)};
    if (by.inverse == 0) {
        std::memset(codes, 0, int8_block);
        return by.scale;
    }
    const __m256 inverse = _mm256_set1_ps(by.inverse);
    __m256i whole[4];
    for (int k = 0; k < 4; ++k) {
        whole[k] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + 8 * k), inverse));
    }
    const __m256i packed =
        _mm256_packs_epi16(_mm256_packs_epi32(whole[0], whole[1]), _mm256_packs_epi32(whole[2], whole[3]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes),
                        _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
    return by.scale;
#else
    return to_int8_block_plain(values, int8_block, codes);
#endif
}

/// One token's values. A scale, and a sum of codes times it, for each run of so many values: 32, or 16 with a block's twice.
struct int8_vector {
    const std::int8_t* codes;
    const float* scales;
    const float* sums;

    /// Codes from value i on.
    TAMIS_DETAIL_INLINE void load(std::size_t i, bytes32& to) const {
        load_32(reinterpret_cast<const std::byte*>(codes + i), to);
    }
};

/// Those of several tokens, in memory of the workspace.
class int8_values {
  public:
    static std::size_t bytes(std::size_t tokens, std::size_t n, std::size_t run) {
        return workspace_bytes_of<std::byte>(tokens * token_bytes(n, run));
    }

    int8_values() = default;
    int8_values(block<const float> x, std::size_t run, workspace& w)
        : memory_{w.take<std::byte>(x.rows() * token_bytes(x.columns(), run)).data()},
          padded_{padded(x.columns())},
          run_{run} {
        for (std::size_t token = 0; token < x.rows(); ++token) {
            make(x.row(token), token);
        }
    }

    int8_vector operator[](std::size_t token) const {
        const std::byte* const first = memory_ + token * token_bytes(padded_, run_);
        const auto* const scales = reinterpret_cast<const float*>(first + padded_);
        return {reinterpret_cast<const std::int8_t*>(first), scales, scales + padded_ / run_};
    }

  private:
    static constexpr std::size_t padded(std::size_t n) {
        return (n + int8_stretch - 1) / int8_stretch * int8_stretch;
    }
    static constexpr std::size_t token_bytes(std::size_t n, std::size_t run) {
        return padded(n) + 2 * padded(n) / run * sizeof(float);
    }

    void make(std::span<const float> x, std::size_t token) {
        std::byte* const first = memory_ + token * token_bytes(padded_, run_);
        auto* const codes = reinterpret_cast<std::int8_t*>(first);
        auto* const scales = reinterpret_cast<float*>(first + padded_);
        float* const sums = scales + padded_ / run_;
        for (std::size_t i = 0; i < padded_; i += int8_block) {
            const std::size_t left = i < x.size() ? x.size() - i : 0;
            const float scale =
                left >= int8_block
                    ? to_int8_block(unseen(x.data()) + i, codes + i)
                    : to_int8_block_plain(unseen(x.data()) + (left == 0 ? 0 : i), left, codes + i);
            for (std::size_t r = i; r < i + int8_block; r += run_) {
                int sum = 0;
                for (std::size_t k = 0; k < run_; ++k) {
                    sum += codes[r + k];
                }
                scales[r / run_] = scale;
                sums[r / run_] = scale * static_cast<float>(sum);
            }
        }
    }

    std::byte* memory_ = nullptr;
    std::size_t padded_ = 0, run_ = int8_block;
};

} // namespace detail

TAMIS_END
