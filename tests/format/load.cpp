#include "format/own_formats.hpp"
#include "support/generate.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace load_test {

// `load`, with its scale, is `at`, a vector at a time: at every place of a row, at every address.

namespace {

/// Of a NaN times an integer the payload does not count, nor the sign.
bool same_number(float a, float b) {
    const auto bits = std::bit_cast<std::uint32_t>(a);
    const auto expected = std::bit_cast<std::uint32_t>(b);
    return bits == expected || ((bits & 0x7fffffffu) > 0x7f800000u && (expected & 0x7fffffffu) > 0x7f800000u);
}

template <class F>
void check_load() {
    constexpr std::size_t lanes = tamis::detail::vec::size;
    constexpr std::size_t n = 6 * 16;
    constexpr std::size_t step = tamis::detail::scaled_format<F> ? lanes : 1; // where a vector may begin
    engine random{2};
    std::vector<std::byte> bytes(F::row_bytes(n) + 64);
    std::size_t wrong = 0;
    for (std::size_t misaligned = 0; misaligned < 64; ++misaligned) {
        for (std::byte& byte : bytes) { // any bits: NaN, infinities and denormals too
            byte = static_cast<std::byte>(random());
        }
        const std::byte* const row = bytes.data() + misaligned;
        for (std::size_t i = 0; i + lanes <= n; i += step) {
            float loaded[lanes];
            tamis::detail::store(loaded, tamis::detail::load_weights<F>(row, i));
            for (std::size_t k = 0; k < lanes; ++k) {
                const float expected = F::at(row, i + k);
                wrong += same_number(loaded[k], expected) ? 0u : 1u;
            }
        }
    }
    CHECK(wrong == 0);
}

template <class F>
constexpr bool is_fast = tamis::detail::fast_format<F>;

} // namespace

TEST_CASE("a format's load equals its at") {
    check_load<tamis::f32>();
    check_load<tamis::f16>();
    check_load<tamis::bf16>();
    static_assert(is_fast<tamis::f32> && is_fast<tamis::f16> && is_fast<tamis::bf16>);
}

TEST_CASE("a format's load times its scale equals its at") {
    check_load<tamis::q8_0>();
    check_load<tamis::q4_0>();
    check_load<tamis::int8_by_row>();
    static_assert(is_fast<tamis::q8_0> && is_fast<tamis::q4_0> && is_fast<tamis::int8_by_row>);
}

TEST_CASE("a format without load is read by at") {
    check_load<three_bytes>();
    static_assert(!is_fast<three_bytes> && !is_fast<int8_by_row>);
}

} // namespace load_test
