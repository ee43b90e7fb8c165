#pragma once

#include <tamis/detail/uint128.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/element.hpp>

#include <cmath>
#include <span>

TAMIS_BEGIN

namespace detail {

/// Mean and standard deviation of floats, the same with every compiler, instruction set and flag and in every order: each
/// value is a whole number of units, 2^-39 of the largest magnitude or less (more beyond 2^24 values), and sums of these
/// and of their squares do not round. What is left is a handful of operations on doubles.
class mean_and_deviation {
  public:
    explicit mean_and_deviation(std::span<const float> values) : size_{values.size()} {
        std::uint32_t largest = 0;
        for (const float value : values) {
            largest = larger(largest, magnitude_bits(value));
        }
        finite_ = largest < infinity_bits<float>;
        if (finite_ && largest != 0) {
            add(values, static_cast<int>(largest >> 23));
        }
    }

    /// Whether all values are; what the rest says of others means nothing.
    bool finite() const { return finite_; }

    /// mean + k * deviation; by n - 1 where `of_sample` (a single value then deviates by 0).
    double above_mean(double k, bool of_sample) const {
        if (size_ == 0) {
            return 0;
        }
        // n^2 variance = n sum q^2 - (sum q)^2. Each step is rounded by itself: volatile, so that none is joined with the next.
        const volatile double n = static_cast<double>(size_);
        const std::uint64_t sum = magnitude(sum_);
        const uint128 variance = times_size(squares_) + ~(uint128{sum} * uint128{sum}) + 1;
        const volatile double high = static_cast<double>(static_cast<std::uint64_t>(variance >> 64));
        const volatile double low = static_cast<double>(static_cast<std::uint64_t>(variance));
        const volatile double wide = high * 0x1p64 + low; // the product is exact
        volatile double deviation = std::sqrt(wide);      // n times
        if (of_sample && size_ > 1) {
            const volatile double one_less = static_cast<double>(size_ - 1);
            const volatile double ratio = n / one_less;
            const volatile double root = std::sqrt(ratio);
            deviation = deviation * root;
        }
        const volatile double part = k * deviation;
        const volatile double all = static_cast<double>(sum_) + part;
        const volatile double units = all / n;
        return std::ldexp(units, exponent_);
    }

  private:
    /// Whole numbers of 2^exponent_; n of them, squared or not, stay below 2^126 and 2^63.
    void add(std::span<const float> values, int largest_field) {
        const int room = 63 - bit_length(size_); // bits of a whole number, 24 of them a float's own
        const int more = smaller(room - 24, 15);
        const int top = larger(largest_field, 1);
        exponent_ = top - 150 - more;
        constexpr std::size_t piece = std::size_t{1} << 16; // whose sums fit into 64 bits
        for (std::size_t first = 0; first < values.size(); first += piece) {
            add_piece(unseen(values.subspan(first, smaller(piece, values.size() - first))), top, more);
        }
    }
    /// A square is that of a high and a low part: products that vectors of integers have.
    void add_piece(std::span<const float> values, int top, int more) {
        constexpr int low_bits = 19;
        std::int64_t sum = 0;
        std::uint64_t highs = 0, mixed = 0, lows = 0;
        for (const float value : values) {
            const std::uint32_t bits = magnitude_bits(value);
            const auto field = static_cast<std::int32_t>(bits >> 23);
            const std::uint32_t integer = (bits & 0x7fffffu) | (field != 0 ? 0x800000u : 0u);
            const int shift = smaller(top - larger(field, 1) + 15 - more, 63);
            const std::uint64_t whole = (std::uint64_t{integer} << 15) >> static_cast<unsigned>(shift);
            const auto high = static_cast<std::uint32_t>(whole >> low_bits);
            const auto low = static_cast<std::uint32_t>(whole) & ((1u << low_bits) - 1);
            highs += std::uint64_t{high} * high;
            mixed += std::uint64_t{high} * low;
            lows += std::uint64_t{low} * low;
            const auto signed_whole = static_cast<std::int64_t>(whole);
            sum += bits_as<std::int32_t>(value) < 0 ? -signed_whole : signed_whole;
        }
        sum_ += sum;
        squares_ += (uint128{highs} << 2 * low_bits) + (uint128{mixed} << (low_bits + 1)) + uint128{lows};
    }
    static std::uint64_t magnitude(std::int64_t v) { return static_cast<std::uint64_t>(v < 0 ? -v : v); }
    uint128 times_size(uint128 v) const {
        const uint128 n{size_};
        return ((uint128{static_cast<std::uint64_t>(v >> 64)} * n) << 64) +
               uint128{static_cast<std::uint64_t>(v)} * n;
    }

    std::size_t size_;
    bool finite_ = true;
    int exponent_ = 0;
    std::int64_t sum_ = 0;
    uint128 squares_ = 0;
};

} // namespace detail

TAMIS_END
