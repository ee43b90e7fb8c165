// top-p and the tail budget against the definition in exact numbers, over thousands of generated spans.
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/top_p.hpp>

#include "support/formats.hpp"
#include "support/oracle.hpp"
#include "support/show.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

TEST_CASE("what lies above the bracket is counted once, though its scores are still there") {
    const std::vector<double> s{1, 2, 3, 4};
    const std::vector<double> left{2, 3}; // of which the bracket has moved past the second
    tamis::detail::narrowed<double> now{};
    now.in = {tamis::detail::key(2.0), tamis::detail::key(3.0)};
    std::vector<double> memory = left;
    now.scores = memory;
    const auto cut = tamis::detail::exact_top_p_cut<double>(s, 0.85, now); // 8.5 of 10: 4 + 3 are too little
    CHECK(cut == tamis::cut<double>::at(2.0));
}

#if defined(__cpp_exceptions)

namespace {

constexpr std::array shares{0.0,  0x1p-1074, 0.1,
                            0.5,  0.9,       static_cast<double>(0.9f),
                            0.99, 0.999999,  0x1.fffffffffffffp-1,
                            1.0};

std::vector<std::size_t> sizes() {
    std::vector<std::size_t> result;
    for (std::size_t n = 0; n <= 300; ++n) {
        result.push_back(n);
    }
    result.insert(result.end(), {1000, 4097});
    return result;
}

/// The values as the reals that the library scores: exact for every type here.
template <class T>
auto scores_of(const std::vector<T>& values) {
    std::vector<tamis::real_of<T>> reals;
    for (const T& value : values) {
        reals.push_back(tamis::to_real(value));
    }
    return oracle::scores_of(reals);
}

} // namespace

TEST_CASE_TEMPLATE("top-p is the definition in exact arithmetic", T, float, double, Eigen::half) {
    engine random{1};
    for (const std::size_t n : sizes()) {
        for (const shape s : shapes) {
            if (!takes_turn()) {
                continue;
            }
            const auto values = generate<T>(s, n, random);
            const auto exact = scores_of(values);
            const double p = shares[below(random, shares.size())];
            CAPTURE(n);
            CAPTURE(name_of(s));
            CAPTURE(p);
            CHECK(show(tamis::top_p{p}(values)) == oracle::top_p(exact, p));
        }
    }
}

TEST_CASE_TEMPLATE("the tail budget is the definition in exact arithmetic", T, float, double, Eigen::half) {
    engine random{2};
    for (const std::size_t n : sizes()) {
        for (const shape s : shapes) {
            if (!takes_turn()) {
                continue;
            }
            const auto values = generate<T>(s, n, random);
            const auto exact = scores_of(values);
            // A budget of the size of the sum's parts: an entry, times a power of two.
            number budget{false, random() >> 11, -53};
            const auto some = n == 0 ? std::uint64_t{0}
                                     : std::bit_cast<std::uint64_t>(
                                           static_cast<double>(tamis::to_real(values[below(random, n)])));
            budget.exponent +=
                static_cast<int>((some >> 52) & 0x7ff) - 1023 + static_cast<int>(below(random, 10));
            const std::uint64_t bits = ieee{11, 52}.bits(budget);
            const double b =
                std::min(from_bits<double>(bits < 0x7ff0000000000000ull ? bits : 0), 0x1.fffffffffffffp+1023);
            CAPTURE(n);
            CAPTURE(name_of(s));
            CAPTURE(b);
            CHECK(show(tamis::tail_budget{b}(values)) == oracle::tail_budget(exact, b));
        }
    }
}

TEST_CASE_TEMPLATE("a sum that comes to p of the total to the last bit keeps its last entry", T, float,
                   double) {
    // 8 of 16 equal entries' sum are exactly half, whatever the scale; one bit more of p takes all (ties).
    for (const T scale :
         {T{1}, std::numeric_limits<T>::max() / 2, std::numeric_limits<T>::min(), denormal_of<T>(1)}) {
        std::vector<T> values(16, scale);
        std::fill(values.begin(), values.begin() + 8, from_bits<T>(tamis::magnitude_bits(scale) + 1));
        const auto exact = oracle::scores_of(values);
        for (const double p :
             {0x1.fffffffffffffp-2, 0.5, 0x1.0000000000001p-1, 0x1.0000010000000p-1, 0x1.5555555555555p-1}) {
            CAPTURE(p);
            CHECK(show(tamis::top_p{p}(values)) == oracle::top_p(exact, p));
        }
    }
    const std::vector<T> halves{T{2}, T{1}, T{1}};
    CHECK(show(tamis::top_p{0.5}(halves)) == "100");
    CHECK(show(tamis::top_p{0x1.0000000000001p-1}(halves)) == "111");
}

TEST_CASE_TEMPLATE("the order of the entries does not matter", T, float, double, Eigen::bfloat16) {
    engine random{3};
    for (std::size_t n = 1; n < 200; n += 7) {
        for (const shape s : shapes) {
            const auto values = generate<T>(s, n, random);
            const auto order = shuffled(n, random);
            auto moved = values;
            for (std::size_t i = 0; i < n; ++i) {
                moved[i] = values[order[i]];
            }
            const tamis::mask before = tamis::top_p{0.9}(values);
            const tamis::mask after = tamis::top_p{0.9}(moved);
            tamis::mask expected{n};
            for (std::size_t i = 0; i < n; ++i) {
                expected.set(i, before[order[i]]);
            }
            CAPTURE(n);
            CAPTURE(name_of(s));
            CHECK(after == expected);
        }
    }
}

#endif
