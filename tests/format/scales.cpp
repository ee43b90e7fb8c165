#include "format/quantised.hpp"

#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

namespace scales_test {

// `scale`, `scales` and `load_block` are what `at` is made of: integers and what they are multiplied by, at every misalignment.

namespace {

constexpr std::size_t blocks = 16;
constexpr std::size_t lanes = tamis::detail::vec::size;

/// A row at every misalignment: f(its first byte).
template <class F, class Check>
void at_every_misalignment(Check&& check) {
    engine random{3};
    const auto row = packed<F>(random_weights(32 * blocks, random));
    for (std::size_t misaligned = 0; misaligned < 64; ++misaligned) {
        CAPTURE(misaligned);
        std::vector<std::byte> memory(misaligned + row.size()); // nothing may be read behind the last byte
        std::memcpy(memory.data() + misaligned, row.data(), row.size());
        check(static_cast<const std::byte*>(memory.data() + misaligned));
    }
}

/// The integer that is stored for weight i.
template <class F>
float integer_of(const std::byte* row, std::size_t i) {
    return F::at(row, i) / F::scale(row, i);
}

} // namespace

TEST_CASE_TEMPLATE("a block's scale is that of each of its weights", F, tamis::q8_0, tamis::q4_0) {
    static_assert(tamis::detail::scaled_by_block<F> && !tamis::detail::scaled_by_row<F>);
    at_every_misalignment<F>([](const std::byte* row) {
        for (std::size_t i = 0; i < 32 * blocks; ++i) {
            const float integer = integer_of<F>(row, i);
            REQUIRE(F::scale(row, i) == F::scale(row, i - i % 32));
            REQUIRE(integer == doctest::Approx(std::round(integer)));
        }
    });
}

TEST_CASE_TEMPLATE("scales: as many as are asked for, times a factor", F, tamis::q8_0, tamis::q4_0) {
    at_every_misalignment<F>([](const std::byte* row) {
        for (std::size_t first = 0; first < blocks; ++first) {
            const std::size_t count = blocks - first;
            float out[17];
            out[16] = 77;
            F::scales(row + first * F::row_bytes(32), count, 0.75f, out);
            for (std::size_t b = 0; b < count; ++b) {
                REQUIRE(out[b] == F::scale(row, 32 * (first + b)) * 0.75f);
            }
            REQUIRE(out[16] == 77);
        }
    });
}

TEST_CASE("q4_0: load_block is load, all of a block") {
    at_every_misalignment<tamis::q4_0>([](const std::byte* row) {
        for (std::size_t b = 0; b < blocks; ++b) {
            tamis::detail::vec all[32 / lanes];
            tamis::q4_0::load_block(row + b * 18, all);
            for (std::size_t v = 0; v < 32 / lanes; ++v) {
                float expected[lanes];
                float loaded[lanes];
                tamis::detail::store(expected, tamis::q4_0::load(row, 32 * b + v * lanes));
                tamis::detail::store(loaded, all[v]);
                REQUIRE(std::memcmp(expected, loaded, sizeof loaded) == 0);
            }
        }
    });
}

TEST_CASE("int8_by_row: one scale for all, in front") {
    static_assert(tamis::detail::scaled_by_row<tamis::int8_by_row>);
    at_every_misalignment<tamis::int8_by_row>([](const std::byte* row) {
        float front;
        std::memcpy(&front, row, sizeof front);
        REQUIRE(tamis::int8_by_row::scale(row, 0) == front);
        REQUIRE(tamis::int8_by_row::scale(row, 100) == front);
    });
}

} // namespace scales_test
