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
/// and, for speed, `static detail::vec load(const std::byte* row, std::size_t i)`: the weights i .. i + vec::size
/// for i a multiple of vec::size. Without it the kernels fill a vector by `at`.
/// Models: f32, bf16.
template <class F>
concept format = requires(const std::byte* row, std::byte* out, std::span<const float> from, std::size_t n) {
    typename F::storage;
    { F::name } -> std::convertible_to<const char*>;
    { F::row_bytes(n) } -> std::same_as<std::size_t>;
    { F::at(row, n) } -> std::same_as<float>;
    F::pack(from, out);
};

namespace detail {

template <class F>
concept fast_format = requires(const std::byte* row, std::size_t i) {
    { F::load(row, i) } -> std::same_as<vec>;
};

/// vec::size weights of a row from i on, with whatever the format has.
template <class F>
vec load_weights(const std::byte* row, std::size_t i) {
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

} // namespace detail

TAMIS_END
