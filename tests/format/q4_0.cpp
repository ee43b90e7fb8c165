#include "format/quantised.hpp"

#include <tamis/format/q4_0.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace q4_0_test {

// q4_0 is ggml's Q4_0, byte for byte: an f16 scale, the weight of the largest magnitude over -8, and 16 bytes, each of
// which holds two weights that lie 16 apart.

static_assert(tamis::weight_format<tamis::q4_0>);
static_assert(tamis::q4_0::row_bytes(0) == 0 && tamis::q4_0::row_bytes(1) == 18 &&
              tamis::q4_0::row_bytes(32) == 18 && tamis::q4_0::row_bytes(33) == 36);

namespace {

int q_at(std::span<const std::byte> block, std::size_t i) {
    const auto pair = static_cast<int>(block[2 + i % 16]);
    return i < 16 ? pair % 16 : pair / 16;
}

float of_largest_magnitude(std::span<const float> weights) {
    return *std::max_element(weights.begin(), weights.end(),
                             [](float a, float b) { return std::fabs(a) < std::fabs(b); });
}

} // namespace

TEST_CASE("q4_0: a block by hand") {
    std::vector<float> weights(32);
    for (std::size_t i = 0; i < 32; ++i) {
        weights[i] = static_cast<float>(i % 16) - 8; // the first -8 makes the scale 1
    }
    weights[16] = 8;     // as large, but later; 16 does not exist: 15
    weights[17] = -7.5f; // a tie goes up
    weights[18] = -7.625f;
    const auto row = packed<tamis::q4_0>(weights);
    REQUIRE(row.size() == 18);
    CHECK(half_at(row, 0) == 0x3c00);
    CHECK(row[2] == std::byte{0xf0});
    CHECK(row[3] == std::byte{0x11});
    CHECK(row[4] == std::byte{0x02});
    for (std::size_t k = 3; k < 16; ++k) {
        CAPTURE(k);
        CHECK(row[2 + k] == static_cast<std::byte>(17 * k));
        CHECK(tamis::q4_0::at(row.data(), k) == weights[k]);
        CHECK(tamis::q4_0::at(row.data(), k + 16) == weights[k]);
    }
}

TEST_CASE("q4_0: the largest magnitude decides the scale's sign") {
    const std::vector<float> weights{1, 8, -7};
    const auto row = packed<tamis::q4_0>(weights);
    CHECK(half_at(row, 0) == 0xbc00); // -1
    CHECK(q_at(row, 0) == 7);
    CHECK(q_at(row, 1) == 0);
    CHECK(q_at(row, 2) == 15);
    CHECK(q_at(row, 3) == 8); // padding: zero
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(tamis::q4_0::at(row.data(), i) == weights[i]);
    }
}

TEST_CASE("q4_0: random blocks against the definition") {
    engine random{1};
    std::size_t wrong = 0;
    for (int round = 0; round < 1000; ++round) {
        const auto weights = random_weights(64, random);
        const auto row = packed<tamis::q4_0>(weights);
        for (std::size_t first = 0; first < 64; first += 32) {
            const std::span block{row.data() + first / 32 * 18, 18};
            const float scale = of_largest_magnitude(std::span{weights}.subspan(first, 32)) / -8;
            wrong += half_at(block, 0) == tamis::f16::round(scale) ? 0u : 1u;
            for (std::size_t i = 0; i < 32; ++i) {
                const double exact = double{weights[first + i]} / double{scale} + 8.5;
                wrong += is_floor(q_at(block, i), std::min(exact, 15.5)) ? 0u : 1u;
            }
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("q4_0: a row is padded to whole blocks with zeros") {
    engine random{2};
    for (std::size_t n = 1; n < 70; ++n) {
        CAPTURE(n);
        auto weights = random_weights(n, random);
        const auto row = packed<tamis::q4_0>(weights);
        weights.resize((n + 31) / 32 * 32);
        CHECK(row == packed<tamis::q4_0>(weights));
    }
}

TEST_CASE("q4_0: zeros read as zeros") {
    const std::vector<float> zeros(40);
    const auto row = packed<tamis::q4_0>(zeros);
    for (std::size_t i = 0; i < 64; ++i) {
        CHECK(tamis::q4_0::at(row.data(), i) == 0);
        CHECK(q_at(std::span{row}.subspan(i / 32 * 18), i % 32) == 8); // as ggml has them
    }
    CHECK(packed<tamis::q4_0>({}).empty());
}

} // namespace q4_0_test
