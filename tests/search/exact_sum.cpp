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

TEST_CASE("the double nearest to integer * 2^exponent, ties to even") {
    using tamis::detail::nearest_double;
    constexpr std::uint64_t all = ~std::uint64_t{0};
    struct row {
        std::uint64_t integer;
        int exponent;
        bool more;
        std::uint64_t bits;
    };
    constexpr std::uint64_t one = 0x3ff0000000000000u;
    constexpr row rows[] = {
        {0, 5, true, 0},
        {1, 0, false, one},
        {(1ull << 53) + 1, -53, false, one},     // half a step above 1: to even
        {(1ull << 53) + 1, -53, true, one + 1},  // and a little
        {(1ull << 53) + 3, -53, false, one + 2}, // half a step below the even one
        {(1ull << 54) + 1, -54, true, one},      // a quarter
        {(1ull << 54) + 3, -54, false, one + 1}, // three
        {all, -64, false, one},                  // carries into the next binade
        {1, -1074, false, 1},                    // the least denormal
        {1, -1075, false, 0},                    // half of it: to even
        {1, -1075, true, 1},
        {3, -1076, false, 1}, // three quarters
        {3, -1075, false, 2}, // one and a half: to even
        {1, -1076, true, 0},
        {1, -1200, true, 0},
        {(1ull << 53) - 1, -1075, false,
         0x0010000000000000u}, // the largest denormal and a half: a normal number
        {(1ull << 53) - 1, 971, false, 0x7fefffffffffffffu}, // the largest
        {(1ull << 54) - 1, 970, false, tamis::infinity_bits<double>},
        {1, 1024, false, tamis::infinity_bits<double>},
        {1, 5000, false, tamis::infinity_bits<double>},
    };
    for (const row& r : rows) {
        CAPTURE(r.integer);
        CAPTURE(r.exponent);
        CAPTURE(r.more);
        CHECK(std::bit_cast<std::uint64_t>(nearest_double(r.integer, r.exponent, r.more)) == r.bits);
    }
}

TEST_CASE_TEMPLATE("a sum of two is the double that the processor rounds it to", T, float, double) {
    engine random{17};
    using bits_type = tamis::bits_of<T>;
    constexpr int fraction_bits = std::numeric_limits<T>::digits - 1;
    constexpr std::uint64_t fields = (tamis::infinity_bits<T> >> fraction_bits) - 1;
    std::size_t wrong = 0;
    for (int round = 0; round < 4000; ++round) {
        const std::uint64_t fraction = random() & ((1ull << fraction_bits) - 1);
        const std::uint64_t field = 130 + below(random, fields - 130);
        const auto a = static_cast<bits_type>(field << fraction_bits | fraction);
        bits_type b;
        if (round % 2 == 0) { // any, up to 80 binades below
            b = static_cast<bits_type>((field - below(random, 80)) << fraction_bits |
                                       (random() & ((1ull << fraction_bits) - 1)));
        } else { // half a step of the sum: a tie
            b = static_cast<bits_type>((field - (sizeof(T) == 4 ? 24 : 53)) << fraction_bits);
        }
        tamis::exact_sum<T> sum;
        sum.add(a);
        sum.add(b);
        const volatile double x = tamis::widen(from_bits<T>(a)), y = tamis::widen(from_bits<T>(b));
        wrong += std::bit_cast<std::uint64_t>(sum.nearest()) != std::bit_cast<std::uint64_t>(x + y) ? 1u : 0u;
    }
    CHECK(wrong == 0);
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
