#pragma once

#include "bits.hpp"

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

// Spans to test with, the same with every compiler, standard library and flag: std::mt19937_64 is fixed by the
// standard, and all that is made of its numbers is made with integers.

using engine = std::mt19937_64;

/// 0 .. bound - 1. The bias is nothing to a test.
inline std::uint64_t below(engine& random, std::uint64_t bound) { return random() % bound; }

enum class shape {
    normal,       // a bell: the sum of twelve uniform numbers
    heavy_tailed, // a bell times a power of two that is geometrically distributed
    relu,         // 89 % zeros, the rest above zero
    bf16,         // a bell with 8 bits of precision: ties
    levels,       // seven different numbers: many ties
    constant,     // one magnitude, both signs
    geometric,    // magnitudes over 60 decades: a sum in floating point loses most of them
    outlier,      // a bell, and one entry about 1e5 times as large
    denormal,     // denormals, and a few of the least normal numbers
    wild,         // any bits: NaN and infinities at times
    specials,     // a bell sprinkled with NaN, infinities, zeros of both signs and denormals
};
inline constexpr std::array shapes{shape::normal,   shape::heavy_tailed, shape::relu,      shape::bf16,
                                   shape::levels,   shape::constant,     shape::geometric, shape::outlier,
                                   shape::denormal, shape::wild,         shape::specials};

constexpr std::string_view name_of(shape s) {
    constexpr std::array<std::string_view, shapes.size()> names{"normal",    "heavy_tailed", "relu",
                                                                "bf16",      "levels",       "constant",
                                                                "geometric", "outlier",      "denormal",
                                                                "wild",      "specials"};
    return names[static_cast<std::size_t>(s)];
}

/// sign * integer * 2^exponent before it is put into a format.
struct number {
    bool negative = false;
    std::uint64_t integer = 0;
    int exponent = 0;
};

/// What the formats look like: bits of the exponent field, bits of the fraction.
struct ieee {
    int exponent_bits, fraction_bits;
    constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
    constexpr std::uint64_t sign(bool negative) const {
        return static_cast<std::uint64_t>(negative) << (exponent_bits + fraction_bits);
    }
    constexpr std::uint64_t infinity() const {
        return ((std::uint64_t{1} << exponent_bits) - 1) << fraction_bits;
    }

    /// The bits of a number, rounded towards zero; too large ones become infinite.
    constexpr std::uint64_t bits(number n) const {
        if (n.integer == 0) {
            return sign(n.negative);
        }
        const int length = 64 - std::countl_zero(n.integer);
        const int least = 1 - bias() - fraction_bits;
        int shift = length - 1 - fraction_bits;
        if (shift + n.exponent < least) {
            shift = least - n.exponent;
        }
        const std::uint64_t kept = shift >= 64 ? 0 : shift >= 0 ? n.integer >> shift : n.integer << -shift;
        const auto binade = static_cast<std::uint64_t>(n.exponent + shift - least);
        const std::uint64_t magnitude = (binade << fraction_bits) + kept;
        return sign(n.negative) | (magnitude < infinity() ? magnitude : infinity());
    }
};

/// An entry of a shape, in the bits of a format.
inline std::uint64_t entry_of(shape s, ieee format, std::size_t i, std::size_t n, engine& random) {
    const std::uint64_t any = random();
    const auto bell = [&] {
        std::int64_t sum = -6 * (std::int64_t{1} << 40);
        for (int k = 0; k < 12; ++k) {
            sum += static_cast<std::int64_t>(random() >> 24);
        }
        return number{sum < 0, static_cast<std::uint64_t>(sum < 0 ? -sum : sum), -40};
    };
    const bool coin = (any & 1) != 0;
    switch (s) {
        case shape::normal: return format.bits(bell());
        case shape::heavy_tailed: {
            number b = bell();
            b.exponent += std::countr_zero(any | 0x1000);
            return format.bits(b);
        }
        case shape::relu: {
            number b = bell();
            b.negative = false;
            return below(random, 100) < 89 ? 0 : format.bits(b);
        }
        case shape::bf16: {
            number b = bell();
            if (b.integer > 0xff) {
                b.integer &= ~std::uint64_t{0} << (56 - std::countl_zero(b.integer));
            }
            return format.bits(b);
        }
        case shape::levels: return format.bits({coin, (any >> 8) % 7, -3});
        case shape::constant: return format.bits({coin, 5, -2});
        case shape::geometric: {
            const int binades = format.bias() > 100 ? 200 : 2 * format.bias() - 4;
            const int down = static_cast<int>(i * static_cast<std::size_t>(binades) / (n + 1));
            return format.bits({coin, (any >> 12) | (std::uint64_t{1} << 52), binades / 2 - down - 52});
        }
        case shape::outlier: {
            number b = bell();
            b.exponent += i == n / 3 ? 17 : 0;
            return format.bits(b);
        }
        case shape::denormal:
            return format.sign(coin) | ((any >> 8) % ((std::uint64_t{5} << format.fraction_bits) / 4));
        case shape::wild: return any >> (63 - format.exponent_bits - format.fraction_bits);
        case shape::specials:
            switch (below(random, 24)) {
                case 0:
                    return format.sign(coin) |
                           (format.infinity() + 1 +
                            (any >> 8) % ((std::uint64_t{1} << format.fraction_bits) - 1));
                case 1: return below(random, 6) == 0 ? format.sign(coin) | format.infinity() : 0;
                case 2: return format.sign(coin);
                case 3:
                    return format.sign(coin) |
                           ((any >> 8) & ((std::uint64_t{1} << format.fraction_bits) - 1));
                default: return format.bits(bell());
            }
    }
    return 0;
}

template <class T>
struct format_of; // for types that are no float, double or integer: see formats.hpp
template <>
struct format_of<float> {
    static constexpr ieee value{8, 23};
};
template <>
struct format_of<double> {
    static constexpr ieee value{11, 52};
};

/// n entries of a shape. Integers take the shape's float bits scaled to their range, without the specials.
template <class T>
std::vector<T> generate(shape s, std::size_t n, engine& random) {
    std::vector<T> values(n);
    for (std::size_t i = 0; i < n; ++i) {
        if constexpr (std::signed_integral<T>) {
            // A float of the shape as fixed point, wrapped into the type.
            const std::uint64_t bits = entry_of(s, ieee{8, 23}, i, n, random);
            const std::uint64_t integer = (bits & 0x7fffff) | 0x800000;
            const int exponent =
                static_cast<int>((bits >> 23) & 0xff) - 150 + 4 * static_cast<int>(sizeof(T));
            const std::uint64_t magnitude = (bits & 0x7fffffff) == 0 || exponent <= -64 ? 0
                                            : exponent < 0                              ? integer >> -exponent
                                                           : integer << (exponent % 40);
            values[i] = static_cast<T>((bits >> 31) != 0 ? ~magnitude + 1 : magnitude);
        } else {
            values[i] = from_bits<T>(entry_of(s, format_of<T>::value, i, n, random));
        }
    }
    return values;
}

/// The places 0 .. n-1 in any order.
inline std::vector<std::size_t> shuffled(std::size_t n, engine& random) {
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t j = below(random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}
