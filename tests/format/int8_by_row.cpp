#include "format/quantised.hpp"

#include <tamis/format/int8_by_row.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace int8_by_row_test {

// int8_by_row: one float, largest / 127, and behind it an integer a weight, rounded half away from zero.

static_assert(tamis::weight_format<tamis::int8_by_row>);
static_assert(tamis::int8_by_row::row_bytes(0) == 4 && tamis::int8_by_row::row_bytes(7) == 11);

namespace {

float scale_of(std::span<const std::byte> row) {
    float scale;
    std::memcpy(&scale, row.data(), sizeof scale);
    return scale;
}
int q_at(std::span<const std::byte> row, std::size_t i) { return static_cast<std::int8_t>(row[4 + i]); }

} // namespace

TEST_CASE("int8_by_row: a row by hand, at an odd address") {
    const std::vector<float> weights{-127, 126.75f, 0, 2.5f, -2.5f, 0.25f, 64};
    std::vector<std::byte> memory(tamis::int8_by_row::row_bytes(7) + 2, std::byte{0x5a});
    tamis::int8_by_row::pack(weights, memory.data() + 1);
    const std::span row{memory.data() + 1, memory.size() - 2};
    CHECK(scale_of(row) == doctest::Approx(1));
    const int expected[] = {-127, 127, 0, 3, -3, 0, 64};
    for (std::size_t i = 0; i < 7; ++i) {
        CAPTURE(i);
        CHECK(q_at(row, i) == expected[i]);
        CHECK(tamis::int8_by_row::at(row.data(), i) == scale_of(row) * static_cast<float>(expected[i]));
    }
    CHECK(memory.front() == std::byte{0x5a});
    CHECK(memory.back() == std::byte{0x5a});
}

TEST_CASE("int8_by_row: random rows against the definition") {
    engine random{1};
    std::size_t wrong = 0;
    for (std::size_t n = 1; n < 300; ++n) {
        const auto weights = random_weights(n, random);
        const auto row = packed<tamis::int8_by_row>(weights);
        float largest = 0;
        for (const float w : weights) {
            largest = std::max(largest, std::fabs(w));
        }
        wrong += std::fabs(scale_of(row) - largest / 127) <= largest * 1e-9f ? 0u : 1u;
        for (std::size_t i = 0; i < n && largest > 0; ++i) {
            const double exact = double{weights[i]} / (double{largest} / 127);
            wrong += is_floor(std::abs(q_at(row, i)), std::fabs(exact) + 0.5) && q_at(row, i) * exact >= 0
                         ? 0u
                         : 1u;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("int8_by_row: zeros, and no weights at all, are zero bytes") {
    CHECK(packed<tamis::int8_by_row>(std::vector<float>(5)) == std::vector<std::byte>(9));
    CHECK(packed<tamis::int8_by_row>({}) == std::vector<std::byte>(4));
}

} // namespace int8_by_row_test
