#pragma once

#include <tamis/detail/simd.hpp>
#include <tamis/error.hpp>

#include <concepts>
#include <span>

TAMIS_BEGIN

/// How weights are stored: what one row of them is in memory. A format is a class of static members:
///     static constexpr const char* name                    // "bf16"
///     using storage = ...;                                  // what one unit in memory is (float, std::uint16_t)
///     static constexpr std::size_t row_bytes(std::size_t n) // bytes of a row of n weights
///     static float at(const std::byte* row, std::size_t i)  // weight i of a row, as a float
///     static void pack(std::span<const float> from, std::byte* row)   // a row from floats, rounded
/// and, for speed,
///     static detail::vec load(const std::byte* row, std::size_t i)
/// the weights i .. i + vec::size for i a multiple of vec::size. It says that a row is units of equal size behind each
/// other, so that row + row_bytes(i) - row_bytes(0) is read as a row that begins at weight i (a multiple of the unit:
/// one weight, or `block`). Without it the kernels fill a vector by `at`.
///
/// Weights that are small numbers times a scale that some of them share have, beside a load that leaves the scale out,
///     static constexpr std::size_t block                      // so many share one; tamis::whole_row: all of a row
///     static float scale(const std::byte* row, std::size_t i) // that of weight i, a multiple of block
/// and, for speed, for the first `count` blocks of a row, at most 16, times a factor,
///     static void scales(const std::byte* row, std::size_t count, float factor, float* out) // may write all 16
/// and, where there is a quicker way than `load`, `load_block` (all vectors of a block) and `block_factor` (what blocks are
/// multiplied with), as q4_0 has them.
/// Models: f32, f16, bf16, q8_0, q4_0, int8_by_row.
template <class F>
concept weight_format =
    requires(const std::byte* row, std::byte* out, std::span<const float> from, std::size_t n) {
        typename F::storage;
        { F::name } -> std::convertible_to<const char*>;
        { F::row_bytes(n) } -> std::same_as<std::size_t>;
        { F::at(row, n) } -> std::same_as<float>;
        F::pack(from, out);
    };

/// The block of a format in which all weights of a row share one scale.
inline constexpr std::size_t whole_row = 0;

namespace detail {

template <class F>
concept fast_format = requires(const std::byte* row, std::size_t i) {
    { F::load(row, i) } -> std::same_as<vec>;
};
template <class F>
concept scaled_format = fast_format<F> && requires(const std::byte* row, std::size_t i) {
    { F::scale(row, i) } -> std::same_as<float>;
    { F::block } -> std::convertible_to<std::size_t>;
};
template <class F>
inline constexpr std::size_t block_of = 1;
template <scaled_format F>
inline constexpr std::size_t block_of<F> = F::block;

template <class F>
inline constexpr bool scaled_by_row = scaled_format<F> && block_of<F> == whole_row;
template <class F>
inline constexpr bool scaled_by_block = scaled_format<F> && block_of<F> != whole_row;

/// vec::size weights of a row from i on, with whatever the format has; a scale is left out.
template <class F>
vec load_unscaled(const std::byte* row, std::size_t i) {
    if constexpr (fast_format<F>) {
        return F::load(row, i);
    } else {
        float floats[vec::size];
        for (std::size_t k = 0; k < vec::size; ++k) {
            floats[k] = F::at(row, i + k);
        }
        return load(floats);
    }
}
/// The same with the scale.
template <class F>
vec load_weights(const std::byte* row, std::size_t i) {
    if constexpr (scaled_by_block<F>) {
        return load_unscaled<F>(row, i) * vec(F::scale(row, i - i % block_of<F>));
    } else if constexpr (scaled_by_row<F>) {
        return load_unscaled<F>(row, i) * vec(F::scale(row, 0));
    } else {
        return load_unscaled<F>(row, i);
    }
}

} // namespace detail

TAMIS_END
