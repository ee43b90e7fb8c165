#include <tamis/study/round.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string_view>

namespace round_test {

using namespace tamis;
using namespace tamis::study;

namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

/// The nearest of all multiples of the unit that a format has around a number, in doubles; `least_exponent`: of the least
/// normal number, `most`: where infinity begins (0: float's own range).
float plainly(float value, int fraction_bits, int least_exponent, double most) {
    if (magnitude_bits(value) >= infinity_bits<float> || magnitude_bits(value) == 0) {
        return value;
    }
    const double exact = widen(value);
    int exponent = 0;
    std::frexp(exact, &exponent);
    const double unit = std::ldexp(1.0, std::max(exponent - 1, least_exponent) - fraction_bits);
    const double rounded = std::nearbyint(std::abs(exact) / unit) * unit;
    const std::uint32_t sign = bits(value) & 0x80000000u;
    if (rounded < 0x1p-126) { // by its bits: the processor may flush denormals
        return from_bits<float>(sign | static_cast<std::uint32_t>(rounded * 0x1p149));
    }
    return from_bits<float>(sign | (rounded >= most ? 0x7f800000u : bits(static_cast<float>(rounded))));
}

template <class R>
int wrong_of(const R& rounding, int fraction_bits, int least_exponent, double most) {
    int wrong = 0;
    engine random{3};
    for (int i = 0; i < 400'000; ++i) {
        const auto any = static_cast<std::uint32_t>(random());
        const std::uint32_t near = (any & 0x81ffffffu) + 0x3e000000u; // from 2^-3 on
        const float value = from_bits<float>(i % 2 == 0 ? any : near);
        if (!is_nan(value)) {
            wrong +=
                bits(rounding(value)) == bits(plainly(value, fraction_bits, least_exponent, most)) ? 0 : 1;
        }
    }
    return wrong;
}

} // namespace

TEST_CASE("f16, bf16 and e5m2 round to the nearest multiple of the unit in force") {
    CHECK(wrong_of(to_f16{}, 10, -14, 65536.0) == 0);
    CHECK(wrong_of(to_bf16{}, 7, -126, 0x1p128) == 0);
    CHECK(wrong_of(to_e5m2{}, 2, -14, 65536.0) == 0);
    CHECK(wrong_of(to_f32{}, 23, -126, 0x1p128) == 0);
}

TEST_CASE("what a format holds is left as it is") {
    int wrong = 0;
    for (std::uint32_t code = 0; code < 0x10000; ++code) {
        const float half = f16::widen(static_cast<std::uint16_t>(code));
        const float brain = from_bits<float>(code << 16);
        wrong += is_nan(half) || bits(to_f16{}(half)) == bits(half) ? 0 : 1;
        wrong += is_nan(brain) || bits(to_bf16{}(brain)) == bits(brain) ? 0 : 1;
    }
    for (std::uint32_t code = 0; code < 0x100; ++code) {
        const float four = e4m3::widen(static_cast<std::uint8_t>(code));
        const float five = e5m2::widen(static_cast<std::uint8_t>(code));
        wrong += is_nan(four) || bits(to_e4m3{}(four)) == bits(four) ? 0 : 1;
        wrong += is_nan(five) || bits(to_e5m2{}(five)) == bits(five) ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("as the formats pack") {
    engine random{4};
    for (const shape s : shapes) {
        for (const float value : generate<float>(s, 400, random)) {
            std::uint16_t stored = 0;
            f16::pack({&value, 1}, reinterpret_cast<std::byte*>(&stored));
            CHECK(bits(to_f16{}(value)) == bits(f16::at(reinterpret_cast<std::byte*>(&stored), 0)));
            bf16::pack({&value, 1}, reinterpret_cast<std::byte*>(&stored));
            CHECK(bits(to_bf16{}(value)) == bits(bf16::at(reinterpret_cast<std::byte*>(&stored), 0)));
        }
    }
}

#if defined(TAMIS_HAS_FLOAT16)
TEST_CASE("f16 as the compiler converts") {
    engine random{5};
    int wrong = 0;
    for (int i = 0; i < 200'000; ++i) {
        const float value =
            from_bits<float>((static_cast<std::uint32_t>(random()) & 0x8fffffffu) + 0x30000000u);
        wrong += bits(to_f16{}(value)) == bits(static_cast<float>(static_cast<_Float16>(value))) ? 0 : 1;
    }
    CHECK(wrong == 0);
}
#endif

TEST_CASE("zeros keep their sign, NaN is kept") {
    for (const any_rounding& r : all_roundings) {
        CAPTURE(r.name);
        CHECK(bits(r(0.0f)) == 0u);
        CHECK(bits(r(negative_zero_of<float>)) == 0x80000000u);
        CHECK(is_nan(r(at_run_time(nan_of<float>))));
        CHECK(is_nan(r(at_run_time(from_bits<float>(0xff800001u)))));
        CHECK(r(-1.5f) == -1.5f);
    }
    CHECK(to_e4m3{}(500.0f) == 448.0f);
    CHECK(bits(to_f16{}(7e4f)) == 0x7f800000u);
}

TEST_CASE("chosen at run time, by name, it is the same") {
    static_assert(rounding<to_f16> && rounding<any_rounding> && !rounding<float>);
    const auto named = [](std::string_view name) {
        for (const any_rounding& r : all_roundings) {
            if (r.name == name) {
                return r;
            }
        }
        return all_roundings[0];
    };
    engine random{6};
    auto values = generate<float>(shape::specials, 300, random);
    auto by_type = values;
    named("e5m2").round(values);
    round_all(to_e5m2{}, by_type);
    CHECK(std::memcmp(values.data(), by_type.data(), values.size() * sizeof(float)) == 0);
    round_all(named("e4m3"), std::span<float>{}); // nothing
    CHECK(std::string_view{named("bf16").name} == "bf16");
    static_assert(to_e4m3{}(17.0f) == 16.0f && to_bf16{}(257.0f) == 256.0f); // ties
}

} // namespace round_test
