#pragma once

#include <tamis/element.hpp>

TAMIS_BEGIN

namespace study {

// Magnitudes of floats in bins: the 31 bits that order them, cut into 16 that name the bin and 15 that name the float in
// it. A bin of normal floats is as wide as 2^-8 of its first one; denormals lie in bins of 2^-134. Two passes over the
// values, one over bins and one inside a bin, so name any float exactly with tables of 65,536 and 32,768 entries.

inline constexpr std::size_t magnitude_bins = std::size_t{1} << 16;
inline constexpr std::size_t magnitudes_a_bin = std::size_t{1} << 15;
/// Bins of finite floats come first; the next one is infinity's, the rest are NaN's.
inline constexpr std::size_t finite_bins = infinity_bits<float> / magnitudes_a_bin;

/// Bin and place in it from magnitude_bits.
constexpr std::size_t bin_of(std::uint32_t bits) { return bits / magnitudes_a_bin; }
constexpr std::size_t place_in_bin(std::uint32_t bits) { return bits % magnitudes_a_bin; }

/// The float at a place of a bin.
constexpr float float_at(std::size_t bin, std::size_t place) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bin * magnitudes_a_bin + place));
}
constexpr float first_of_bin(std::size_t bin) { return float_at(bin, 0); }
constexpr float last_of_bin(std::size_t bin) { return float_at(bin, magnitudes_a_bin - 1); }

} // namespace study

TAMIS_END
