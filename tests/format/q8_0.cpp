#include "format/quantised.hpp"

#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace q8_0_test {

// q8_0 is ggml's Q8_0, byte for byte: an f16 scale, largest / 127, and 32 integers rounded half away from zero.

static_assert(tamis::weight_format<tamis::q8_0>);
static_assert(tamis::q8_0::row_bytes(0) == 0 && tamis::q8_0::row_bytes(1) == 34 &&
              tamis::q8_0::row_bytes(32) == 34 && tamis::q8_0::row_bytes(33) == 68);

namespace {

int q_at(std::span<const std::byte> block, std::size_t i) { return static_cast<std::int8_t>(block[2 + i]); }

} // namespace

TEST_CASE("q8_0: a block by hand") {
    std::vector<float> weights(32);
    for (std::size_t i = 0; i < 32; ++i) {
        weights[i] = static_cast<float>(i) - 16.25f; // rounded to i - 16
    }
    weights[3] = -127; // so that the scale is 1
    weights[4] = 126.75f;
    weights[5] = 2.5f; // a tie: away from zero, as are negative ones
    weights[6] = -2.5f;
    const auto row = packed<tamis::q8_0>(weights);
    REQUIRE(row.size() == 34);
    CHECK(half_at(row, 0) == 0x3c00);
    CHECK(q_at(row, 3) == -127);
    CHECK(q_at(row, 4) == 127);
    CHECK(q_at(row, 5) == 3);
    CHECK(q_at(row, 6) == -3);
    for (std::size_t i = 7; i < 32; ++i) {
        CAPTURE(i);
        CHECK(q_at(row, i) == static_cast<int>(i) - 16);
        CHECK(tamis::q8_0::at(row.data(), i) == static_cast<float>(i) - 16);
    }
}

TEST_CASE("q8_0: random blocks against the definition") {
    engine random{1};
    std::size_t wrong = 0;
    for (int round = 0; round < 1000; ++round) {
        const auto weights = random_weights(64, random);
        const auto row = packed<tamis::q8_0>(weights);
        for (std::size_t first = 0; first < 64; first += 32) {
            const std::span block{row.data() + first / 32 * 34, 34};
            float largest = 0;
            for (std::size_t i = 0; i < 32; ++i) {
                largest = std::max(largest, std::fabs(weights[first + i]));
            }
            wrong += half_at(block, 0) == tamis::f16::round(largest / 127) ? 0u : 1u;
            for (std::size_t i = 0; i < 32; ++i) {
                const double exact = double{weights[first + i]} / (double{largest} / 127);
                const int q = q_at(block, i);
                wrong += is_floor(std::abs(q), std::fabs(exact) + 0.5) && q * exact >= 0 ? 0u : 1u;
            }
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("q8_0: a row is padded to whole blocks with zeros") {
    engine random{2};
    for (std::size_t n = 1; n < 70; ++n) {
        CAPTURE(n);
        auto weights = random_weights(n, random);
        const auto row = packed<tamis::q8_0>(weights);
        weights.resize((n + 31) / 32 * 32);
        CHECK(row == packed<tamis::q8_0>(weights));
    }
}

TEST_CASE("q8_0: zeros are a block of zero bytes") {
    const std::vector<float> zeros(40);
    CHECK(packed<tamis::q8_0>(zeros) == std::vector<std::byte>(68));
    CHECK(packed<tamis::q8_0>({}).empty());
}

} // namespace q8_0_test
