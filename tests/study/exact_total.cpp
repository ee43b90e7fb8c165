#include <tamis/study/exact_total.hpp>

#include "support/generate.hpp"

#include <tamis/study/state.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace exact_total_test {

using tamis::study::exact_total;

namespace {

constexpr double unit = 0x1p-64;

exact_total total_of(std::initializer_list<double> values) {
    exact_total t;
    for (const double value : values) {
        t.add(value);
    }
    return t;
}

} // namespace

TEST_CASE("exact_total: the sum, count and mean") {
    CHECK(exact_total{}.sum() == 0);
    CHECK(exact_total{}.mean() == 0);
    const exact_total t = total_of({1.5, 2, -0.25});
    CHECK(t.sum() == 3.25);
    CHECK(t.count() == 3);
    CHECK(total_of({1, 2, 6}).mean() == 3);
    static_assert([] {
        exact_total c;
        c.add(0.5);
        c.add(-2);
        return c.sum() == -1.5;
    }());
}

TEST_CASE("exact_total: one value comes out as it went in") {
    engine random{1};
    for (const double value :
         {1.0, -1.0, 0.0, unit, -unit, 0x1.fffffffffffffp61, -0x1.fffffffffffffp61, 1e-3, -1e9}) {
        CAPTURE(value);
        CHECK(total_of({value}).sum() == value);
    }
    for (int i = 0; i < 1000; ++i) { // 53 digits of which the last is at least 2^-64
        const double value = static_cast<double>(static_cast<std::int64_t>(random())) *
                             from_bits<double>((1023ull - 12 + below(random, 10)) << 52);
        CAPTURE(value);
        CHECK(total_of({value}).sum() == value);
        CHECK(total_of({value, -value}).sum() == 0);
    }
}

TEST_CASE("exact_total: what a sum of doubles loses stays") {
    CHECK(total_of({0x1p61, unit, -0x1p61}).sum() == unit);
    CHECK(total_of({-0x1p61, -unit, 0x1p61}).sum() == -unit);
    CHECK(total_of({1, 0x1p-60, -1}).sum() == 0x1p-60);
}

TEST_CASE("exact_total: digits below 2^-64 are cut off, toward zero on both sides") {
    CHECK(total_of({0x1.8p-64}).sum() == unit);
    CHECK(total_of({-0x1.8p-64}).sum() == -unit);
    CHECK(total_of({0x1.fffffffffffffp-65}).sum() == 0);
    CHECK(total_of({-0x1.fffffffffffffp-65}).sum() == 0);
    CHECK(total_of({0x1.fffffffffffffp-64}).sum() == unit);
    const double third = 0x1.5555555555555p-2; // 2^-54 is its last digit
    CHECK(total_of({third}).sum() == third);
    const double small = 0x1.5555555555555p-20; // 2^-72 is
    CHECK(total_of({small}).sum() == 0x1.55555555555p-20);
    CHECK(total_of({-small}).sum() == -0x1.55555555555p-20);
    CHECK(total_of({denormal_of<double>(1), -denormal_of<double>(7), 1e-300}) == total_of({0, 0, 0}));
    CHECK(total_of({-0.0}) == total_of({0}));
}

TEST_CASE("exact_total: with NaN, infinities or 2^62, which are counted, there is no sum and no mean") {
    const exact_total t = total_of({1, at_run_time(nan_of<double>), at_run_time(negative_nan_of<double>),
                                    at_run_time(inf_of<double>), at_run_time(negative_inf_of<double>), 0x1p62,
                                    -0x1p62, 1e300, 2});
    CHECK(tamis::is_nan(t.sum()));
    CHECK(tamis::is_nan(t.mean()));
    CHECK(t.count() == 2);
    CHECK(t.left_out() == 7);
    for (const double lost : {nan_of<double>, negative_nan_of<double>, inf_of<double>,
                              negative_inf_of<double>, 0x1p62, -0x1p62}) {
        const exact_total alone = total_of({at_run_time(lost)});
        CHECK(tamis::is_nan(alone.mean())); // not 0, the mean of nothing
        exact_total merged = total_of({1, 2});
        CHECK(merged.mean() == 1.5);
        merged.merge(alone);
        CHECK(tamis::is_nan(merged.mean()));
        CHECK(merged.left_out() == 1);
    }
    const double below = 0x1.fffffffffffffp61;
    CHECK(total_of({below, -below, -below}).sum() == -below);
    CHECK(total_of({below, 0x1p61 - 1}).sum() < 0x1p63);
    CHECK(total_of({-0x1p61, -0x1p61, -0x1p61}).sum() == -0x1.8p62);
}

TEST_CASE("exact_total: no order, grouping or division into parts changes a bit") {
    for (const shape s : {shape::heavy_tailed, shape::geometric, shape::wild, shape::specials}) {
        CAPTURE(name_of(s));
        engine random{7};
        const auto values = generate<double>(s, 501, random);
        exact_total expected;
        for (const double value : values) {
            expected.add(value);
        }
        for (int round = 0; round < 5; ++round) {
            std::vector<exact_total> parts(1 + below(random, 9));
            for (const std::size_t i : shuffled(values.size(), random)) {
                parts[below(random, parts.size())].add(values[i]);
            }
            exact_total merged;
            for (const std::size_t i : shuffled(parts.size(), random)) {
                merged.merge(parts[i]);
            }
            CHECK(merged == expected);
            CHECK(std::bit_cast<std::uint64_t>(merged.sum()) == std::bit_cast<std::uint64_t>(expected.sum()));
        }
    }
}

TEST_CASE("exact_total: its state is four words, negative sums too") {
    for (const exact_total& t : {exact_total{}, total_of({1.5, -7}), total_of({0x1p61, -unit}),
                                 total_of({-unit}), total_of({1e300, -3})}) {
        const auto words = tamis::study::to_words(t);
        CHECK(words.size() == 4);
        exact_total back = total_of({99});
        tamis::study::from_words(back, words);
        CHECK(back == t);
        CHECK(std::bit_cast<std::uint64_t>(back.sum()) == std::bit_cast<std::uint64_t>(t.sum()));
    }
}

TEST_CASE("exact_total: whether a sum can be one of shares") {
    CHECK(exact_total{}.can_be_of_shares());
    CHECK(total_of({1, 0, 0.5}).can_be_of_shares());
    CHECK(total_of({1, 1}).can_be_of_shares());
    CHECK(total_of({3, 0, 0}).can_be_of_shares()); // who knows which
    CHECK_FALSE(total_of({1, 1, 1.5}).can_be_of_shares());
    CHECK_FALSE(total_of({-unit}).can_be_of_shares());
    CHECK_FALSE(total_of({-unit, 1, -1}).can_be_of_shares());
}

} // namespace exact_total_test
