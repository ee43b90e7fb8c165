#include "format/quantised.hpp"

#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

namespace pack_bits_test {

// A packed block has the same bytes under every flag: those of ggml's own loops, where each operation is rounded for itself.

namespace {

/// One float operation at a time: what is volatile can be neither contracted nor rearranged.
class strict_float {
  public:
    strict_float(float value) : value_{value} {}
    float value() const { return value_; }
    friend strict_float operator*(const strict_float& a, const strict_float& b) {
        return a.value_ * b.value_;
    }
    friend strict_float operator/(const strict_float& a, const strict_float& b) {
        return a.value_ / b.value_;
    }
    friend strict_float operator+(const strict_float& a, const strict_float& b) {
        return a.value_ + b.value_;
    }

  private:
    volatile float value_;
};

float inverse_of(const strict_float& unit) {
    return unit.value() != 0 ? (strict_float{1.0f} / unit).value() : 0.0f;
}

/// Halves away from zero, of what is far below 2^31.
int rounded_away(float value) {
    const double magnitude = std::fabs(double{value});
    const int q = static_cast<int>(std::floor(magnitude + 0.5));
    return value < 0 ? -q : q;
}

std::vector<std::byte> strict_q8_0(std::span<const float> weights) {
    float largest = 0;
    for (const float w : weights) {
        largest = std::fabs(w) > largest ? std::fabs(w) : largest;
    }
    const strict_float unit = strict_float{largest} / strict_float{127.0f};
    const strict_float inverse = inverse_of(unit);
    tamis::q8_0::storage block{tamis::f16::round(unit.value()), {}};
    for (std::size_t i = 0; i < 32; ++i) {
        block.q[i] = static_cast<std::int8_t>(rounded_away((strict_float{weights[i]} * inverse).value()));
    }
    std::vector<std::byte> bytes(sizeof block);
    std::memcpy(bytes.data(), &block, sizeof block);
    return bytes;
}

std::vector<std::byte> strict_q4_0(std::span<const float> weights) {
    float largest = 0;
    for (const float w : weights) {
        largest = std::fabs(w) > std::fabs(largest) ? w : largest;
    }
    const strict_float unit = strict_float{largest} / strict_float{-8.0f};
    const strict_float inverse = inverse_of(unit);
    const auto q = [&](float w) {
        const strict_float sum = strict_float{w} * inverse + strict_float{8.5f};
        return static_cast<unsigned>(std::min(15, static_cast<int>(sum.value())));
    };
    tamis::q4_0::storage block{tamis::f16::round(unit.value()), {}};
    for (std::size_t i = 0; i < 16; ++i) {
        block.q[i] = static_cast<std::uint8_t>(q(weights[i]) | q(weights[i + 16]) << 4);
    }
    std::vector<std::byte> bytes(sizeof block);
    std::memcpy(bytes.data(), &block, sizeof block);
    return bytes;
}

std::vector<std::byte> strict_int8_row(std::span<const float> weights) {
    float largest = 0;
    for (const float w : weights) {
        largest = std::fabs(w) > largest ? std::fabs(w) : largest;
    }
    const strict_float unit = strict_float{largest} / strict_float{127.0f};
    const strict_float inverse = inverse_of(unit);
    std::vector<std::byte> bytes(4 + weights.size());
    const float scale = unit.value();
    std::memcpy(bytes.data(), &scale, sizeof scale);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        bytes[4 + i] = static_cast<std::byte>(
            static_cast<std::int8_t>(rounded_away((strict_float{weights[i]} * inverse).value())));
    }
    return bytes;
}

std::size_t differences(const std::vector<float>& block) {
    return (packed<tamis::q8_0>(block) == strict_q8_0(block) ? 0u : 1u) +
           (packed<tamis::q4_0>(block) == strict_q4_0(block) ? 0u : 1u) +
           (packed<tamis::int8_by_row>(block) == strict_int8_row(block) ? 0u : 1u);
}

float times_power_of_two(float w, int exponent) {
    return static_cast<float>(std::ldexp(double{w}, exponent));
}

/// The float `steps` beside one.
float moved(float w, int steps) {
    return from_bits<float>(std::bit_cast<std::uint32_t>(w) + static_cast<std::uint32_t>(steps));
}

} // namespace

TEST_CASE("blocks of all sizes are packed as ggml packs them") {
    engine random{6};
    std::size_t wrong = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto block = random_weights(32, random);
        const int exponent = static_cast<int>(below(random, 200)) - 100;
        for (float& w : block) {
            w = times_power_of_two(w, exponent);
        }
        wrong += differences(block);
    }
    CHECK(wrong == 0);
}

TEST_CASE("weights beside the middle of two integers, where one rounding or two decide") {
    engine random{7};
    std::size_t wrong = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::vector<float> block(32);
        const float largest = 1 + static_cast<float>(below(random, 1u << 23)) * 0x1p-23f;
        const bool eighths = round % 2 == 0;
        for (std::size_t i = 0; i < 32; ++i) {
            const double middle =
                static_cast<double>(below(random, eighths ? 16 : 254)) - (eighths ? 7.5 : 126.5);
            const auto w = static_cast<float>(middle / (eighths ? 8 : 127) * double{largest});
            block[i] = moved(w, static_cast<int>(below(random, 5)) - 2);
        }
        block[below(random, 32)] = round % 4 < 2 ? -largest : largest;
        wrong += differences(block);
    }
    CHECK(wrong == 0);
}

TEST_CASE("the float below a half stays below it; sums are rounded to floats before they are cut") {
    // 0.49999997 + 8.5 is 8.99999997, which a float rounds to 9.
    std::vector<float> block(32);
    block[0] = -8;
    block[1] = moved(0.5f, -1);
    block[2] = moved(-0.5f, -1);
    block[3] = moved(-0.5f, 1);
    block[4] = moved(2.5f, -1);
    const auto row = packed<tamis::q4_0>(block);
    CHECK(row[3] == std::byte{0x89});
    CHECK(row == strict_q4_0(block));
    // q8_0: rounding 0.49999997 + 0.5 to a float first would make it 1.
    std::vector<float> bytes(32);
    bytes[0] = 127;
    bytes[1] = moved(0.5f, -1);
    bytes[2] = -0.5f;
    const auto eight = packed<tamis::q8_0>(bytes);
    CHECK(eight[3] == std::byte{0});
    CHECK(eight[4] == std::byte{0xff});
    CHECK(eight == strict_q8_0(bytes));
}

} // namespace pack_bits_test
