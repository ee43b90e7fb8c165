#include "kernel/int8_formats.hpp"

#include <doctest/doctest.h>

namespace int8_codes_test {

// What formats say of their weights as integers: codes in vectors are those one by one, and these times their numbers the weights.

TEST_CASE_TEMPLATE("codes times scales are the weights", F, FORMATS_WITH_CODES) {
    using C = typename F::codes;
    constexpr std::size_t run = tamis::detail::run_of_codes<F>;
    constexpr std::size_t columns = 768;
    engine random{11};
    const std::vector<std::byte> row = moderate_rows<F>(1, columns, random);
    for (std::size_t i = 0; i < columns; i += C::unit) {
        tamis::detail::bytes32 codes[C::unit / 32];
        C::load(row.data(), i, codes);
        for (std::size_t k = 0; k < C::unit; ++k) {
            const int code = codes[k / 32][k % 32];
            REQUIRE(code == static_cast<std::uint8_t>(C::at(row.data(), i + k) + C::zero));
            REQUIRE((C::are_signed || code <= C::most));
        }
    }
    for (std::size_t first = 0; first < columns; first += 512) {
        float scales[512 / run];
        float offsets[512 / run];
        const std::size_t end = std::min(columns, first + 512);
        C::numbers(row.data(), first, (end - first) / run, scales, offsets);
        for (std::size_t i = first; i < end; ++i) {
            const std::size_t r = C::run == tamis::whole_row ? 0 : (i - first) / run;
#if defined(__FAST_MATH__)
            if (std::fabs(F::at(row.data(), i)) < 0x1p-120f) {
                continue; // a denormal scale is flushed there
            }
#endif
            const float product = scales[r] * static_cast<float>(C::at(row.data(), i));
            const float weight = product + (C::has_offset ? offsets[r] : 0.0f);
            REQUIRE(close(weight, F::at(row.data(), i), std::fabs(product)));
        }
    }
}

} // namespace int8_codes_test
