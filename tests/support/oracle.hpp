#pragma once

// The definitions of the rules word by word, in GMP's exact numbers: slow, and written without the library's own
// code. gmpxx.h throws, so there is no oracle in a build without exceptions.
#if defined(__cpp_exceptions)

#include "bits.hpp"

#include <gmpxx.h>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace oracle {

/// A score as an exact number. Finite ones count in units of 2^-1074, the least double.
struct score {
    enum { finite, infinite, nan } kind = finite;
    mpz_class units;
};

/// From a number's bits: no float operation that could flush a denormal.
template <class Real>
score score_of(Real value) {
    using bits_type = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
    constexpr int fraction_bits = sizeof(Real) == 4 ? 23 : 52;
    constexpr int last_field = sizeof(Real) == 4 ? 255 : 2047;
    const std::uint64_t bits = std::bit_cast<bits_type>(value);
    const auto field = static_cast<int>((bits >> fraction_bits) & last_field);
    const std::uint64_t fraction = bits & ((std::uint64_t{1} << fraction_bits) - 1);
    if (field == last_field) {
        return {fraction == 0 ? score::infinite : score::nan, 0};
    }
    const std::uint64_t integer = field == 0 ? fraction : fraction + (std::uint64_t{1} << fraction_bits);
    const int exponent = (field == 0 ? 1 : field) - last_field / 2 - fraction_bits;
    return {score::finite,
            mpz_class{static_cast<unsigned long>(integer)} << static_cast<unsigned long>(exponent + 1074)};
}

inline const mpz_class units_of_one = mpz_class{1} << 1074;

template <class Real>
std::vector<score> scores_of(const std::vector<Real>& values) {
    std::vector<score> result;
    for (const Real value : values) {
        result.push_back(score_of(value));
    }
    return result;
}

/// How often each finite score above zero comes; and whether there is an infinite one.
struct levels {
    std::map<mpz_class, unsigned long> count;
    mpz_class total = 0;
    bool infinite = false;

    explicit levels(const std::vector<score>& scores) {
        for (const score& s : scores) {
            infinite = infinite || s.kind == score::infinite;
            if (s.kind == score::finite && s.units != 0) {
                ++count[s.units];
                total += s.units;
            }
        }
    }
};

/// The mask of everything at or above a threshold, as text. Infinities always, NaN always, zeros never.
inline std::string mask_at(const std::vector<score>& scores, const mpz_class& threshold) {
    std::string text;
    for (const score& s : scores) {
        text += s.kind != score::finite || (s.units != 0 && s.units >= threshold) ? '1' : '0';
    }
    return text;
}
inline std::string mask_of_infinite(const std::vector<score>& scores) {
    std::string text;
    for (const score& s : scores) {
        text += s.kind != score::finite ? '1' : '0';
    }
    return text;
}

/// t is the largest score with sum{s_j : s_j >= t} >= p * sum(s).
inline std::string top_p(const std::vector<score>& scores, double p) {
    const levels all{scores};
    if (all.infinite) {
        return mask_of_infinite(scores);
    }
    const mpz_class wanted = score_of(p).units * all.total; // p * total, times units_of_one
    mpz_class sum = 0;
    for (auto level = all.count.rbegin(); level != all.count.rend(); ++level) {
        sum += level->first * level->second;
        if (sum * units_of_one >= wanted) {
            return mask_at(scores, level->first);
        }
    }
    return mask_at(scores, 0);
}

/// t is the largest threshold with sum{s_j : s_j < t} <= budget. Infinite scores fit in no budget.
inline std::string tail_budget(const std::vector<score>& scores, double budget) {
    const levels all{scores};
    const mpz_class most = score_of(budget).units;
    mpz_class tail = 0;
    for (const auto& [level, count] : all.count) {
        tail += level * count;
        if (tail > most) {
            return mask_at(scores, level);
        }
    }
    return mask_of_infinite(scores);
}

/// The k-th largest score and all ties of it; NaN has no rank.
inline std::string top_k(const std::vector<score>& scores, std::size_t k) {
    std::string text;
    for (const score& s : scores) {
        std::size_t above = 0;
        for (const score& other : scores) {
            above += other.kind != score::nan && (other.kind == score::infinite ? s.kind == score::finite
                                                  : s.kind == score::finite     ? other.units > s.units
                                                                                : false);
        }
        text += s.kind == score::nan || (above < k && !(s.kind == score::finite && s.units == 0)) ? '1' : '0';
    }
    return text;
}

/// Scores of at least factor * other; the product in exact arithmetic.
inline std::string at_least_product(const std::vector<score>& scores, double factor, double other) {
    const mpz_class product = score_of(factor).units * score_of(other).units;
    std::string text;
    for (const score& s : scores) {
        text += s.kind != score::finite || (s.units != 0 && s.units * units_of_one >= product) ? '1' : '0';
    }
    return text;
}

} // namespace oracle

#endif
