#include <tamis/study/calibrate/magnitude_histogram.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

// Quantiles of |v| in one and two passes, against a sort.

using tamis::study::magnitude_histogram;
using tamis::study::magnitude_quantiles;

namespace {

constexpr std::array qs{0.0, 0.001, 0.1, 0.25, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0};

/// a_k of the sorted magnitudes without NaN, by its bits.
std::uint32_t by_sorting(const std::vector<float>& values, double q) {
    std::vector<std::uint32_t> bits;
    for (const float v : values) {
        if (!tamis::is_nan(v)) {
            bits.push_back(tamis::magnitude_bits(v));
        }
    }
    std::sort(bits.begin(), bits.end());
    const auto k = static_cast<std::size_t>(q * static_cast<double>(bits.size()));
    return k < bits.size() ? bits[k] : std::min(bits.back() + 1, tamis::infinity_bits<float>);
}

std::uint32_t bits_of(float v) { return std::bit_cast<std::uint32_t>(v); }

} // namespace

TEST_CASE("two passes give the sorted magnitudes' k-th, for every shape and length") {
    for (const shape s : shapes) {
        for (const std::size_t n : {1u, 2u, 7u, 100u, 3000u}) {
            CAPTURE(name_of(s));
            CAPTURE(n);
            engine random{n};
            const auto values = generate<float>(s, n, random);
            magnitude_histogram first;
            first.add(values);
            magnitude_quantiles second{first, qs};
            second.add(values);
            if (first.nans() != 0) { // no quantile, not even of what is left
                CHECK(tamis::is_nan(second.quantile(4)));
                CHECK(tamis::is_nan(first.quantile(0.5).low));
                CHECK(tamis::is_nan(first.quantile(0.5).high));
                continue;
            }
            for (std::size_t i = 0; i < qs.size(); ++i) {
                CAPTURE(qs[i]);
                const std::uint32_t expected = by_sorting(values, qs[i]);
                CHECK(bits_of(second.quantile(i)) == expected);
                const auto range = first.quantile(qs[i]);
                CHECK(bits_of(range.low) <= expected);
                CHECK(expected <= bits_of(range.high));
            }
        }
    }
}

TEST_CASE("one pass is within 2^-8") {
    engine random{3};
    const auto values = generate<float>(shape::heavy_tailed, 5000, random);
    magnitude_histogram h;
    h.add(values);
    for (const double q : qs) {
        const auto range = h.quantile(q);
        CHECK(double{range.high} <= double{range.low} * (1 + 0x1p-8));
    }
}

TEST_CASE("a quantile as a threshold drops the share, or less by ties") {
    engine random{4};
    for (const shape s : {shape::normal, shape::levels, shape::bf16}) {
        const auto values = generate<float>(s, 1000, random);
        magnitude_histogram first;
        first.add(values);
        magnitude_quantiles second{first, qs};
        second.add(values);
        for (std::size_t i = 0; i < qs.size(); ++i) {
            const float t = second.quantile(i);
            const auto below = [&](std::uint32_t least) {
                return std::count_if(values.begin(), values.end(),
                                     [&](float v) { return tamis::magnitude_bits(v) < least; });
            };
            CHECK(static_cast<double>(below(bits_of(t))) <= qs[i] * 1000);
            CHECK(static_cast<double>(below(bits_of(t) + 1)) >= qs[i] * 1000);
        }
    }
}

TEST_CASE("merged in any order and cut anywhere it is the same") {
    engine random{5};
    auto values = generate<float>(shape::specials, 4000, random);
    std::erase_if(values, [](float v) { return tamis::is_nan(v); });
    magnitude_histogram all;
    all.add(values);
    std::vector<magnitude_histogram> parts(3);
    for (std::size_t i = 0; i < values.size(); ++i) {
        parts[i * i % 3].add(std::span{values}.subspan(i, 1));
    }
    magnitude_histogram merged;
    for (const std::size_t p : {2u, 0u, 1u}) {
        merged.merge(parts[p]);
    }
    CHECK(merged.count() == all.count());
    CHECK(merged.nans() == all.nans());
    magnitude_quantiles second{merged, qs};
    magnitude_quantiles halves[2]{second, second};
    second.add(values);
    halves[0].add(std::span{values}.first(1234));
    halves[1].add(std::span{values}.subspan(1234));
    halves[1].merge(halves[0]);
    for (std::size_t i = 0; i < qs.size(); ++i) {
        CHECK(bits_of(halves[1].quantile(i)) == bits_of(second.quantile(i)));
        CHECK(bits_of(halves[1].quantile(i)) == by_sorting(values, qs[i]));
    }
}

TEST_CASE("NaN is counted apart, beside infinity too, and then there are no quantiles") {
    magnitude_histogram h;
    h.add(std::array{nan_of<float>, from_bits<float>(0x7f800001), from_bits<float>(0xff800001), inf_of<float>,
                     negative_inf_of<float>, 1.0f});
    CHECK(h.count() == 3);
    CHECK(h.nans() == 3);
    CHECK(tamis::is_nan(h.quantile(0.9).low));
    CHECK(tamis::is_nan(h.quantile(0.0).high));
    h.merge(magnitude_histogram{h});
    CHECK(h.count() == 6);
    CHECK(h.nans() == 6);
    magnitude_histogram infinite;
    infinite.add(std::array{inf_of<float>, negative_inf_of<float>, 1.0f});
    CHECK(bits_of(infinite.quantile(0.9).low) == tamis::infinity_bits<float>);
    CHECK(bits_of(infinite.quantile(0.9).high) == tamis::infinity_bits<float>);
    CHECK(bits_of(infinite.quantile(0.0).low) == bits_of(1.0f));
    magnitude_histogram alone;
    alone.add(std::array{nan_of<float>});
    CHECK(tamis::is_nan(alone.quantile(0.5).low));
}

TEST_CASE("one entry, all zeros, and the float above the largest") {
    const auto quantile = [](const std::vector<float>& values, double q) {
        magnitude_histogram first;
        first.add(values);
        magnitude_quantiles second{first, std::span{&q, 1}};
        second.add(values);
        return bits_of(second.quantile(0));
    };
    CHECK(quantile({-2.0f}, 0.0) == bits_of(2.0f));
    CHECK(quantile({-2.0f}, 0.99) == bits_of(2.0f));
    CHECK(quantile({-2.0f}, 1.0) == bits_of(2.0f) + 1);
    CHECK(quantile({0.0f, -0.0f, 0.0f}, 0.5) == 0);
    CHECK(quantile({0.0f, -0.0f, 0.0f}, 1.0) == 1);
    CHECK(quantile({from_bits<float>(0x3f807fff)}, 1.0) == 0x3f808000); // the last of its bin
    CHECK(quantile({inf_of<float>}, 1.0) == tamis::infinity_bits<float>);
    CHECK(quantile({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.7) == bits_of(8.0f));
}

#if defined(__cpp_exceptions)
TEST_CASE("what has no quantile is refused") {
    magnitude_histogram h;
    CHECK(message_of([&] { h.quantile(0.5); }) ==
          "tamis::study::magnitude_histogram: there is no quantile of nothing; add values first");
    h.add(std::array{1.0f, 1.0f});
    CHECK(message_of([&] { h.quantile(1.5); }) ==
          "tamis::study::magnitude_histogram: q must be in [0, 1], got 1.5");
    CHECK(message_of([&] { h.quantile(nan_of<double>); }).find("q must be in [0, 1]") != std::string::npos);
    magnitude_quantiles second{h, std::array{0.5}};
    second.add(std::array{1.0f});
    CHECK(message_of([&] { second.quantile(0); }) ==
          "tamis::study::magnitude_quantiles: the second pass has to see the first one's values: 2 in a bin, "
          "got 1");
    const magnitude_quantiles none{h, {}};
    CHECK(message_of([&] { second.merge(none); }).find("over 1 bins can not take one over 0") !=
          std::string::npos);
}
#endif
