// The exact products behind max-p, thresholds and the outlier guard: every rounding against GMP.
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/threshold.hpp>

#include "support/generate.hpp"
#include "support/oracle.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

TEST_CASE("products of few bits: of denormals and large factors") {
    for (std::uint64_t n = 1; n < 40; ++n) { // n denormals, 2^52 times: exact
        const std::uint64_t product = tamis::detail::product_rounded_up<double>(0x1p52, n);
        CHECK(product == std::bit_cast<std::uint64_t>(static_cast<double>(n) * 0x1p-1022));
        const std::uint64_t half = tamis::detail::product_rounded_up<double>(0.5, n);
        CHECK(half == (n + 1) / 2);
    }
    CHECK(tamis::detail::product_rounded_up<float>(0x1p127, 1u) == std::bit_cast<std::uint32_t>(0x1p-22f));
}

#if defined(__cpp_exceptions)

TEST_CASE_TEMPLATE("a cut at a product is the least number that is not below it", T, float, double) {
    engine random{8};
    for (int round = 0; round < 20000; ++round) {
        const double a =
            round % 3 == 0
                ? from_bits<double>(random() % 0x7ff0000000000000ull)
                : from_bits<double>(entry_of(shape::normal, ieee{11, 52}, 0, 1, random) & ~0ull >> 1);
        const T b = from_bits<T>(entry_of(round % 2 == 0 ? shape::denormal : shape::geometric,
                                          format_of<T>::value, below(random, 100), 100, random));
        const auto bits = tamis::cut<T>::at_product(a, b).bits();
        const mpz_class product = oracle::score_of(a).units * oracle::score_of(b).units;
        CAPTURE(a);
        CAPTURE(b);
        if (bits < tamis::infinity_bits<T>) {
            CHECK(bool(oracle::score_of(from_bits<T>(bits)).units * oracle::units_of_one >= product));
        }
        if (bits > 1) { // 1 is the least cut there is
            CHECK(bool(oracle::score_of(from_bits<T>(bits - 1)).units * oracle::units_of_one < product));
        }
    }
}

TEST_CASE_TEMPLATE("max-p and thresholds are their definitions in exact arithmetic", T, float, double) {
    engine random{9};
    for (std::size_t n = 1; n < 100; ++n) {
        for (const shape s : shapes) {
            auto values = generate<T>(s, n, random);
            for (T& value : values) {
                value = tamis::magnitude_bits(value) >= tamis::infinity_bits<T> ? T(1) : value;
            }
            const auto exact = oracle::scores_of(values);
            T largest = 0;
            for (const T value : values) {
                largest =
                    from_bits<T>(std::max(tamis::magnitude_bits(largest), tamis::magnitude_bits(value)));
            }
            const double p = from_bits<double>(0x3fe0000000000000ull - (random() >> (12 - below(random, 4))));
            CAPTURE(n);
            CAPTURE(name_of(s));
            CAPTURE(p);
            CHECK(show(tamis::max_p{p}(values)) == oracle::at_least_product(exact, p, tamis::widen(largest)));
            const double eps = tamis::widen(from_bits<T>(tamis::magnitude_bits(values[below(random, n)])));
            for (const std::uint64_t step : {0ull, 1ull}) {
                const double near = from_bits<double>(std::bit_cast<std::uint64_t>(eps) + step);
                CHECK(show(tamis::threshold{near}(values)) == oracle::at_least_product(exact, near, 1.0));
            }
        }
    }
}

#endif
