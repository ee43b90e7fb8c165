// The hard case of an exact definition: a share, budget or total that a sum meets to the last bit, or misses by one.
// Every search that estimates sums has to find out that its estimate does not decide.
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/centred.hpp>

#include "support/generate.hpp"
#include "support/oracle.hpp"
#include "support/show.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

#if defined(__cpp_exceptions)

namespace {

/// The double nearest below an exact quotient in [0, 1], by its bits.
double quotient(const mpz_class& a, const mpz_class& b) {
    const mpz_class scaled = (a << 1074) / b; // in units of the least double
    const auto length = static_cast<int>(mpz_sizeinbase(scaled.get_mpz_t(), 2));
    const int shift = length > 53 ? length - 53 : 0;
    const mpz_class integer = scaled >> static_cast<unsigned long>(shift);
    return from_bits<double>(ieee{11, 52}.bits({false, integer.get_ui(), shift - 1074}));
}

double steps_from(double value, int steps) {
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(value) + static_cast<std::uint64_t>(steps);
    return from_bits<double>(std::min<std::uint64_t>(bits, 0x3ff0000000000000ull));
}

template <class T>
std::vector<T> finite(shape s, std::size_t n, engine& random) {
    auto values = generate<T>(s, n, random);
    for (T& value : values) {
        value = tamis::magnitude_bits(value) >= tamis::infinity_bits<T> ? T(1) : value;
    }
    return values;
}

} // namespace

TEST_CASE_TEMPLATE("top-p where a sum is p of the total, or a last bit of p beside it", T, float, double) {
    engine random{14};
    for (const std::size_t n : {2u, 3u, 10u, 31u, 64u, 100u, 511u, 512u, 700u, 3000u}) {
        for (const shape s : shapes) {
            const auto values = finite<T>(s, n, random);
            const auto exact = oracle::scores_of(values);
            const oracle::levels all{exact};
            if (all.total == 0) {
                continue;
            }
            for (int round = 0; round < 3; ++round) {
                if (!takes_turn()) {
                    continue;
                }
                // The sum above a level picked by chance, as a share of the total.
                const std::size_t picked = below(random, all.count.size());
                mpz_class sum = 0;
                std::size_t at = 0;
                for (auto level = all.count.rbegin(); level != all.count.rend() && at <= picked;
                     ++level, ++at) {
                    sum += level->first * level->second;
                }
                const double share = quotient(sum, all.total);
                for (const int steps : {-1, 0, 1, 2}) {
                    const double p = share == 0 ? 0.0 : steps_from(share, steps);
                    CAPTURE(n);
                    CAPTURE(name_of(s));
                    CAPTURE(p);
                    CHECK(show(tamis::top_p{p}(values)) == oracle::top_p(exact, p));
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("a budget that a tail uses up, or misses by a last bit", T, float, double) {
    engine random{15};
    for (const std::size_t n : {2u, 3u, 10u, 31u, 64u, 100u, 511u, 512u, 700u, 3000u}) {
        for (const shape s : shapes) {
            const auto values = finite<T>(s, n, random);
            const auto exact = oracle::scores_of(values);
            const oracle::levels all{exact};
            if (all.total == 0) {
                continue;
            }
            for (int round = 0; round < 3; ++round) {
                if (!takes_turn()) {
                    continue;
                }
                const std::size_t picked = below(random, all.count.size());
                mpz_class tail = 0;
                std::size_t at = 0;
                for (auto level = all.count.begin(); level != all.count.end() && at <= picked;
                     ++level, ++at) {
                    tail += level->first * level->second;
                }
                const auto length = static_cast<int>(mpz_sizeinbase(tail.get_mpz_t(), 2));
                const int shift = length > 53 ? length - 53 : 0;
                const mpz_class integer = tail >> static_cast<unsigned long>(shift);
                const std::uint64_t bits = ieee{11, 52}.bits({false, integer.get_ui(), shift - 1074});
                for (const std::uint64_t step : {0ull, 1ull, 2ull}) {
                    const double budget = from_bits<double>(
                        std::min<std::uint64_t>(bits + step - (bits > 0 ? 1 : 0), 0x7fefffffffffffffull));
                    CAPTURE(n);
                    CAPTURE(name_of(s));
                    CAPTURE(budget);
                    const std::string expected = oracle::tail_budget(exact, budget);
                    CHECK(show(tamis::tail_budget{budget}(values)) == expected);
                    if (sizeof(T) == 4) { // as doubles, with no byte of workspace to spare
                        CHECK(show(tamis::scored{tamis::centred{0.0}, tamis::tail_budget{budget}}(values)) ==
                              expected);
                    }
                }
            }
        }
    }
}

TEST_CASE("sums in floating point that hide thousands of small entries") {
    // 1 and 2^24 entries' worth of mass that a float sum starting at the largest would never see.
    std::vector<float> values(4097, 0x1p-25f);
    values[1234] = 1.0f;
    const auto exact = oracle::scores_of(values);
    const double share = quotient(mpz_class{1} << 1074, oracle::levels{exact}.total);
    for (const int steps : {-1, 0, 1}) {
        const double p = steps_from(share, steps);
        CAPTURE(p);
        CHECK(show(tamis::top_p{p}(values)) == oracle::top_p(exact, p));
    }
}

#endif
