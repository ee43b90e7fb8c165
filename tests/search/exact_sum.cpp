// The wide integer behind top-p against GMP's.
#include <tamis/search/exact_sum.hpp>

#include "support/generate.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>

TEST_CASE("an exact sum does not overflow, round or forget") {
    tamis::exact_sum<float> large;
    tamis::exact_sum<float> larger;
    for (int i = 0; i < 1000; ++i) {
        large.add(0x7f7fffffu);
        larger.add(0x7f7fffffu);
    }
    CHECK(large >= larger);
    larger.add(1u); // the least denormal beside 1000 of the largest floats
    CHECK(larger >= large);
    CHECK_FALSE(large >= larger);
}

TEST_CASE_TEMPLATE("one unit more carries through all words", T, float, double) {
    tamis::exact_sum<T> sum;
    for (std::uint64_t bits = 1; bits < tamis::infinity_bits<T>;
         bits <<= 1) { // the denormal powers of two ...
        if (bits >> (std::numeric_limits<T>::digits - 1) == 0) {
            sum.add(static_cast<tamis::bits_of<T>>(bits));
        }
    }
    constexpr auto binade = std::uint64_t{1} << (std::numeric_limits<T>::digits - 1);
    for (std::uint64_t bits = binade; bits < tamis::infinity_bits<T> - binade;
         bits += binade) { // ... and the normal ones
        sum.add(static_cast<tamis::bits_of<T>>(bits));
    }
    sum.add(1);
    tamis::exact_sum<T> power; // 1 + (1 + 2 + 4 + ...) is the next power
    power.add(static_cast<tamis::bits_of<T>>(tamis::infinity_bits<T> - binade));
    CHECK(sum >= power);
    CHECK(power >= sum);
}

TEST_CASE("all of a sum is the sum, none of it is nothing") {
    tamis::exact_sum<double> sum;
    sum.add(tamis::magnitude_bits(1e300));
    sum.add(1u);
    CHECK(sum.fraction_rounded_up(1.0) >= sum);
    CHECK(sum >= sum.fraction_rounded_up(1.0));
    CHECK(tamis::exact_sum<double>{} >= sum.fraction_rounded_up(0.0));
    CHECK_FALSE(tamis::exact_sum<double>{} >=
                sum.fraction_rounded_up(0x1p-1074)); // rounded up: above nothing
}

#if defined(__cpp_exceptions)

TEST_CASE_TEMPLATE("comparisons of sums and of their fractions are exact", T, float, double) {
    engine random{6};
    for (int round = 0; round < 3000; ++round) {
        tamis::exact_sum<T> sums[2];
        mpz_class units[2]{0, 0};
        for (int side = 0; side < 2; ++side) {
            for (std::uint64_t n = below(random, 6); n > 0; --n) {
                const std::uint64_t bits = entry_of(round % 2 == 0 ? shape::geometric : shape::denormal,
                                                    format_of<T>::value, below(random, 100), 100, random);
                const T value = from_bits<T>(bits);
                sums[side].add(tamis::magnitude_bits(value));
                units[side] += oracle::score_of(value).units;
            }
        }
        CHECK((sums[0] >= sums[1]) == (units[0] >= units[1]));

        // a >= fraction_rounded_up(p) of b just when a >= p b.
        const double p = from_bits<double>(random() % 0x3ff0000000000001ull);
        const double half = 0.5;
        const double full_bits = from_bits<double>(0x3fe0000000000000ull | (random() >> 12));
        for (const double f : {p, half, full_bits}) {
            const mpz_class wanted = units[1] * oracle::score_of(f).units;
            CAPTURE(f);
            CHECK((sums[0] >= sums[1].fraction_rounded_up(f)) == (units[0] * oracle::units_of_one >= wanted));
        }
    }
}

TEST_CASE_TEMPLATE("a double is rounded down to a sum, at both ends of its range", T, float, double) {
    engine random{7};
    const mpz_class unit = oracle::score_of(denormal_of<T>(1)).units;
    for (int round = 0; round < 3000; ++round) {
        const double value = from_bits<double>(random() % 0x7ff0000000000000ull);
        const T other =
            from_bits<T>(entry_of(shape::geometric, format_of<T>::value, below(random, 100), 100, random));
        tamis::exact_sum<T> sum;
        sum.add(tamis::magnitude_bits(other));
        const mpz_class floor = oracle::score_of(value).units / unit * unit;
        CAPTURE(value);
        CHECK((tamis::exact_sum<T>::rounded_down(value) >= sum) == (floor >= oracle::score_of(other).units));
        if (floor <= oracle::score_of(std::numeric_limits<T>::max()).units) {
            CHECK((sum >= tamis::exact_sum<T>::rounded_down(value)) ==
                  (oracle::score_of(other).units >= floor));
        }
    }
}

#endif
