#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/format/f16.hpp>

#include <cstdint>
#include <limits>

TAMIS_BEGIN

// Activations of sixteen bits as they lie in another library's memory, for compilers and interfaces that have no type of their
// own for them. They are elements: masks read them, and calls of FFNs take and give them.

/// IEEE 754's binary16, by its bits.
struct binary16 {
    /// Sign, exponent of 5 bits, fraction of 10.
    std::uint16_t bits;
    /// Exact; a NaN comes out quiet.
    constexpr explicit operator float() const { return f16::widen(bits); }
};

/// The upper half of a float's bits.
struct bfloat16 {
    /// Sign, exponent of 8 bits, fraction of 7.
    std::uint16_t bits;
    /// Exact.
    constexpr explicit operator float() const {
        return detail::bits_as<float>(static_cast<std::uint32_t>(bits) << 16);
    }
};

TAMIS_END

/// By which it is known for one, as a type of the compiler's or of another library is.
template <>
class std::numeric_limits<tamis::binary16> {
  public:
    /// It has limits.
    static constexpr bool is_specialized = true;
    /// Of the fraction, the hidden one included.
    static constexpr int digits = 11;
    /// As std::numeric_limits counts them.
    static constexpr int max_exponent = 16;
};
/// By which it is known for one, as a type of the compiler's or of another library is.
template <>
class std::numeric_limits<tamis::bfloat16> {
  public:
    /// It has limits.
    static constexpr bool is_specialized = true;
    /// Of the fraction, the hidden one included.
    static constexpr int digits = 8;
    /// As std::numeric_limits counts them.
    static constexpr int max_exponent = 128;
};
