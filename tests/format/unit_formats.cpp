#include "format/unit_formats.hpp"

#include "support/flushed_denormals.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <iterator>
#include <string>

namespace unit_formats_test {

// Formats that are unpacked by units: the vectors are `at`, and `at` is what gguf and libggml read (tests/references compares
// all bits; the hashes here were made while both agreed).

namespace {

bool same_unless_nan(float a, float b) {
    if (is_nan_by_bits(a) || is_nan_by_bits(b)) {
        return is_nan_by_bits(a) && is_nan_by_bits(b);
    }
#if defined(__FAST_MATH__) // may take the sign of a zero away
    if (tamis::magnitude_bits(a) == 0 && tamis::magnitude_bits(b) == 0) {
        return true;
    }
#endif
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

/// Unpacked from every unit on, at an odd address, with nothing behind the row.
std::size_t wrong_weights(const unit_format_case& f, std::span<const std::byte> row, std::size_t columns,
                          std::span<const float> expected) {
    std::size_t wrong = 0;
    std::vector<std::byte> memory(1 + row.size());
    std::memcpy(memory.data() + 1, row.data(), row.size());
    std::vector<float> got(columns);
    for (std::size_t begin = 0; begin < columns; begin += 64) {
        f.unpack(memory.data() + 1, begin, columns, got.data());
        for (std::size_t i = begin; i < columns; ++i) {
            wrong += same_unless_nan(got[i - begin], expected[i]) ? 0u : 1u;
        }
    }
    return wrong;
}

void check_units(bool tame, std::size_t rounds) {
    for (const auto& f : unit_format_cases) {
        CAPTURE(std::string{f.name});
        engine random{11};
        for (std::size_t round = 0; round < rounds; ++round) {
            const std::size_t columns =
                f.block == 1 ? 1 + below(random, 400) : f.block * (1 + below(random, 3));
            CAPTURE(columns);
#if defined(__FAST_MATH__) // may multiply a float scale by a power of two first, which may overflow
            const bool is_tame = tame || f.scales_are_floats;
#else
            const bool is_tame = tame;
#endif
            const auto row = f.row(columns, random, is_tame);
            std::vector<float> expected(columns);
            for (std::size_t i = 0; i < columns; ++i) {
                expected[i] = f.at(row.data(), i);
            }
            REQUIRE(wrong_weights(f, row, columns, expected) == 0);
        }
    }
}

[[maybe_unused]] std::uint64_t hash_of_blocks(const unit_format_case& f) {
    engine random{12};
    std::vector<float> weights;
    for (int round = 0; round < 40; ++round) {
        const auto row = f.row(256, random, round % 2 == 0);
        for (std::size_t i = 0; i < 256; ++i) {
            weights.push_back(f.at(row.data(), i));
        }
    }
    return hash_of(weights);
}

struct hash_case {
    const char* name;
    std::uint64_t hash;
};
constexpr hash_case hashes_of_ggml[] = {
    {"q4_1", 0x7c817751da00a0e4u},  {"q5_0", 0x48c879983130556fu},  {"q5_1", 0xefd36dc26898520u},
    {"q2_k", 0x3f284faaa8354b72u},  {"q3_k", 0x6b07034c2ea2ea97u},  {"q4_k", 0xf179156a0607880u},
    {"q5_k", 0xb4fc9bed6092c298u},  {"q6_k", 0xed18fcf8d3536b49u},  {"iq4_nl", 0x3e638592ef336815u},
    {"mxfp4", 0x2b375aca1648e715u}, {"tq2_0", 0x4514c1174a3f16d5u},
};

} // namespace

TEST_CASE("units: unpacked vectors are what at() gives, any bits in the row") {
    check_units(false, 12);
    const flushed_denormals guard;
    check_units(true, 4);
}

TEST_CASE("units: ggml's formats read as ggml does, denormals flushed or not") {
    std::size_t compared = 0;
    for (const auto& expected : hashes_of_ggml) {
        for (const auto& f : unit_format_cases) {
            if (std::string_view{f.name} == expected.name) {
                CAPTURE(std::string{f.name});
#if !defined(__FAST_MATH__)
                CHECK(hash_of_blocks(f) == expected.hash);
                const flushed_denormals guard;
                CHECK(hash_of_blocks(f) == expected.hash);
#endif
                ++compared;
            }
        }
    }
    CHECK(compared == std::size(hashes_of_ggml));
}

TEST_CASE("units: blocks by hand") {
    // q4_k: d = 1, dmin = 0.5; run 0 has scale 3 and minimum 2, run 5 has scale 0x21 and minimum 0x32.
    std::vector<std::byte> k(144);
    const auto set = [&k](std::size_t place, unsigned byte) { k[place] = static_cast<std::byte>(byte); };
    set(1, 0x3c);
    set(3, 0x38);
    set(4, 3);
    set(8, 2);
    set(4 + 1, 0x80); // the upper bits of 0x21
    set(8 + 1, 0xc0); // and of 0x32
    set(12 + 1, 0x21);
    set(16, 0x0a);          // weight 0 of run 0 is 10, weight 0 of run 1 is 0
    set(16 + 64 + 7, 0xf0); // weight 7 of run 5 is 15
    CHECK(tamis::q4_k::at(k.data(), 0) == 29);
    CHECK(tamis::q4_k::at(k.data(), 1) == -1);
    CHECK(tamis::q4_k::at(k.data(), 5 * 32 + 7) == 15 * 0x21 - 25);
    CHECK(tamis::q4_k::at(k.data(), 5 * 32) == -25);

    // mxfp4 with all powers at both ends: 2^-127 (and its denormals), 2^127 and ggml's 2^128.
    std::vector<std::byte> m(17);
    m[1] = std::byte{0x71}; // .5 and 6
    m[2] = std::byte{0x9f}; // -6 and -.5
    const auto bits = [&m](unsigned e, std::size_t i) {
        m[0] = static_cast<std::byte>(e);
        return std::bit_cast<std::uint32_t>(tamis::mxfp4::at(m.data(), i));
    };
    CHECK(bits(0, 0) == 0x00200000);
    CHECK(bits(0, 16) == 0x01400000);
    CHECK(bits(1, 0) == 0x00400000);
    CHECK(bits(127, 0) == 0x3f000000);
    CHECK(bits(127, 16) == 0x40c00000);
    CHECK(bits(127, 1) == 0xc0c00000);
    CHECK(bits(127, 17) == 0xbf000000);
    CHECK(bits(254, 0) == 0x7e800000);
    CHECK(bits(254, 16) == 0x7f800000);
    CHECK(bits(255, 0) == 0x7f000000);
    CHECK(bits(255, 2) == 0);
}

TEST_CASE("e4m3: all codes") {
    for (unsigned code = 0; code < 256; ++code) {
        CAPTURE(code);
        const float got = tamis::detail::e4m3(code);
        const unsigned exponent = code >> 3 & 15u;
        const auto fraction = static_cast<double>(code & 7u);
        const double magnitude = exponent == 0 ? std::ldexp(fraction, -9)
                                               : std::ldexp(8 + fraction, static_cast<int>(exponent) - 10);
        if ((code & 0x7fu) == 0x7fu) {
            CHECK(is_nan_by_bits(got));
        } else {
            CHECK(double{got} == (code < 128 ? magnitude : -magnitude));
        }
    }
}

TEST_CASE("rows that end within a block of 256 are refused, with the way out") {
    const std::vector<std::byte> memory(144 * 4);
    const auto make = [&](std::size_t columns) {
        return tamis::matrix<tamis::q4_k, tamis::neuron_major>{memory.data(), 1, columns};
    };
    CHECK(make(512).columns() == 512);
    CHECK_THROWS_WITH_AS(make(320), doctest::Contains("whole blocks of 256 weights, but a row has 320"),
                         std::invalid_argument);
}

} // namespace unit_formats_test
