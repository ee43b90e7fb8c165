// top-k against a count of larger entries, pair by pair.
#include <tamis/rule/top_k.hpp>

#include "support/generate.hpp"
#include "support/oracle.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

TEST_CASE_TEMPLATE("neighbours: a cut lies between two numbers that nothing lies between", T, float, double) {
    const auto one = tamis::magnitude_bits(T(1));
    const std::vector<T> v{T(1), from_bits<T>(one + 1), from_bits<T>(one + 2)};
    tamis::owned_workspace memory{tamis::top_k_cut_bytes(v.size())};
    const tamis::scores<T> s{std::span<const T>{v}};
    CHECK(tamis::top_k_cut(s, 2, memory).bits() == one + 1);
    CHECK(tamis::at_most_cut(s, 2, memory).bits() == one + 1);
    CHECK(tamis::at_most_cut(s, 1, memory).bits() == one + 2);
    CHECK(tamis::at_most_cut(s, 3, memory) == tamis::cut<T>::everything());
}

TEST_CASE_TEMPLATE("the NaN next to infinity has no rank either", T, float, double) {
    const std::vector<T> v{T(1), T(2), from_bits<T>(tamis::infinity_bits<T> + 1), T(3)};
    CHECK(show(tamis::top_k{3}(v)) == "1111");
    CHECK(show(tamis::top_k{2}(v)) == "0111");
    CHECK(show(tamis::top_k{1}(v)) == "0011");
}

#if defined(__cpp_exceptions)

TEST_CASE_TEMPLATE("top-k keeps what has fewer than k larger entries", T, float, double) {
    engine random{4};
    for (std::size_t n = 0; n <= 80; ++n) {
        for (const shape s : shapes) {
            const auto values = generate<T>(s, n, random);
            const std::size_t k = below(random, n + 3);
            CAPTURE(n);
            CAPTURE(name_of(s));
            CAPTURE(k);
            CHECK(show(tamis::top_k{k}(values)) == oracle::top_k(oracle::scores_of(values), k));
        }
    }
}

TEST_CASE_TEMPLATE("at_most_cut keeps the most tied groups that fit in k", T, float, double) {
    engine random{5};
    for (std::size_t n = 0; n <= 80; ++n) {
        for (const shape s : shapes) {
            const auto values = generate<T>(s, n, random);
            const auto exact = oracle::scores_of(values);
            const std::size_t k = below(random, n + 3);
            tamis::owned_workspace memory{tamis::top_k_cut_bytes(n)};
            const tamis::scores<T> scores{std::span<const T>{values}};
            const auto cut = tamis::at_most_cut(scores, k, memory);
            // The largest j <= k whose ties fit too.
            const auto ranked = [&](std::size_t j) {
                std::size_t kept = 0;
                const std::string mask = oracle::top_k(exact, j);
                for (std::size_t i = 0; i < n; ++i) {
                    kept += mask[i] == '1' && exact[i].kind != oracle::score::nan;
                }
                return kept;
            };
            std::size_t fits = k;
            while (ranked(fits) > k) {
                --fits;
            }
            std::string kept;
            for (std::size_t i = 0; i < n; ++i) {
                kept += cut.keeps(scores.bits(i)) ? '1' : '0';
            }
            CAPTURE(n);
            CAPTURE(name_of(s));
            CAPTURE(k);
            CHECK(kept == oracle::top_k(exact, fits));
        }
    }
}

#endif
