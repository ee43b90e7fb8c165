#include <tamis/rule/grouped.hpp>

#include "support/bits.hpp"
#include "support/formats.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <tamis/any_selector.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

// Rules over groups of entries: the scores of groups against long double and exactly, masks against the definition.

using tamis::group_largest;
using tamis::group_norm;
using tamis::group_sum;
using tamis::grouped;

namespace {

template <class T, class Score>
std::vector<double> scores_of_groups(std::span<const T> values, std::size_t size, const Score& score) {
    std::vector<double> result;
    for (std::size_t i = 0; i < values.size(); i += size) {
        result.push_back(score(values.subspan(i, std::min(size, values.size() - i))));
    }
    return result;
}

/// Whether the mask is: entries that are not zero, of groups whose score is active under the rule.
template <class T, class Score, class Rule>
bool is_of_groups(const std::vector<T>& values, std::size_t size, const Score& score, const Rule& rule,
                  tamis::mask_view made) {
    std::vector<tamis::real_of<T>> reals;
    for (const T& value : values) {
        reals.push_back(tamis::to_real(value));
    }
    const tamis::mask groups = rule(scores_of_groups<tamis::real_of<T>>(reals, size, score));
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (made[i] != (groups[i / size] && tamis::magnitude_bits(reals[i]) != 0)) {
            return false;
        }
    }
    return true;
}

} // namespace

TEST_CASE("group scores: worked values") {
    const std::array<float, 4> v{3, -4, 0, 0};
    CHECK(group_sum{}(std::span<const float>{v}) == 7);
    CHECK(group_largest{}(std::span<const float>{v}) == 4);
    CHECK(group_norm{}(std::span<const float>{v}) == 5);
    const std::array<double, 2> far{0x1p60, 1};
    CHECK(group_sum{}(std::span<const double>{far}) == 0x1p60);
    const std::array<double, 3> half{0x1p53, 1, 0x1p-900}; // just above a tie
    CHECK(group_sum{}(std::span<const double>{half}) == 0x1p53 + 2);
    const std::array<double, 2> tie{0x1p53, 1};
    CHECK(group_sum{}(std::span<const double>{tie}) == 0x1p53);
    const std::array<double, 2> most{std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
    CHECK(tamis::magnitude_bits(group_sum{}(std::span<const double>{most})) == tamis::infinity_bits<double>);
    const std::array<double, 2> huge{3e300, 4e300};
    CHECK(group_norm{}(std::span<const double>{huge}) == doctest::Approx(5e300));
    const std::array<double, 2> tiny{3 * 0x1p-1074, 4 * 0x1p-1074};
    CHECK(tamis::magnitude_bits(group_norm{}(std::span<const double>{tiny})) == 5);
    CHECK(tamis::magnitude_bits(group_sum{}(std::span<const double>{tiny})) == 7);
    const std::array<float, 2> least{denormal_of<float>(3), denormal_of<float>(4)};
    CHECK(group_norm{}(std::span<const float>{least}) == 5 * 0x1p-149);
    CHECK(group_sum{}(std::span<const float>{}) == 0);
    for (const float special : {inf_of<float>, nan_of<float>}) {
        const std::array<float, 2> with{1, special};
        for (const double score :
             {group_sum{}(std::span<const float>{with}), group_largest{}(std::span<const float>{with}),
              group_norm{}(std::span<const float>{with})}) {
            CHECK(tamis::is_nan(score) == tamis::is_nan(special));
            CHECK(tamis::magnitude_bits(score) >= tamis::infinity_bits<double>);
        }
    }
}

TEST_CASE_TEMPLATE("group scores: near long double, the same for every order, near values or far ones", T,
                   float, double) {
    engine random{1};
    for (const shape s :
         {shape::normal, shape::heavy_tailed, shape::geometric, shape::outlier, shape::denormal}) {
        for (const std::size_t n : {1u, 8u, 32u, 256u, 1500u}) {
            std::vector<T> v = generate<T>(s, n, random);
            if (std::is_same_v<T, double>) { // squares that long double holds
                for (T& value : v) {
                    value = std::fabs(value) > T(1e150) ? T(1) : value;
                }
            }
            long double sum = 0;
            long double squares = 0;
            for (const T value : v) {
                sum += std::fabs(static_cast<long double>(value));
                squares += static_cast<long double>(value) * static_cast<long double>(value);
            }
            const double of_sum = group_sum{}(std::span<const T>{v});
            const double of_norm = group_norm{}(std::span<const T>{v});
            CHECK(std::fabs(of_sum - static_cast<double>(sum)) <= 1e-15 * of_sum);
            CHECK(std::fabs(of_norm - static_cast<double>(std::sqrt(squares))) <= 1e-15 * of_norm);
            for (int k = 0; k < 3; ++k) {
                std::vector<T> other(n);
                const auto order = shuffled(n, random);
                for (std::size_t i = 0; i < n; ++i) {
                    other[i] = v[order[i]];
                }
                CHECK(group_sum{}(std::span<const T>{other}) == of_sum);
                CHECK(group_norm{}(std::span<const T>{other}) == of_norm);
            }
        }
    }
}

TEST_CASE("group scores: a value far below the others counts exactly") {
    // 2^24 + 1/2 - 1/2 ... : near values alone, then with one that the few words do not reach
    const std::array<float, 3> near{0x1p20f, 1.0f, 0x1p-9f};
    CHECK(group_sum{}(std::span<const float>{near}) == 0x1p20 + 1 + 0x1p-9);
    const std::array<float, 3> far{0x1p20f, 1.0f, 0x1p-32f};
    CHECK(group_sum{}(std::span<const float>{far}) == 0x1p20 + 1 + 0x1p-32);
    const std::array<float, 2> squares{0x1p0f, 0x1p-26f};
    CHECK(group_norm{}(std::span<const float>{squares}) == 1); // the root of 1 + 2^-52
}

TEST_CASE("grouped: worked masks") {
    const std::array<float, 10> v{1, 0, 1, 0, 5, 0, 0, 0, -2, 2};
    CHECK(show(grouped{4, group_sum{}, tamis::top_k{1}}(v)) == "0000100000");
    CHECK(show(grouped{4, group_sum{}, tamis::top_k{2}}(v)) == "0000100011"); // the last group is short
    CHECK(show(grouped{4, group_largest{}, tamis::threshold{2}}(v)) == "0000100011");
    CHECK(show(grouped{4, group_norm{}, tamis::nonzero{}}(v)) == "1010100011");
    CHECK(show(grouped{4, group_sum{}, tamis::top_p{0.8}}(v)) == "0000100011"); // 9 of 11
    const std::array<float, 6> nan{0, 1, 9, 9, nan_of<float>, 1};
    CHECK(show(grouped{2, group_sum{}, tamis::top_k{1}}(nan)) == "001111");
    CHECK(show(grouped{100, group_sum{}, tamis::top_k{1}}(v)) == "1010100011");
    tamis::mask groups{3};
    grouped{4, group_sum{}, tamis::top_k{2}}.select_groups(v, groups.span(), tamis::owned_workspace{4096});
    CHECK(show(groups) == "011");
    CHECK(grouped{4, group_sum{}, tamis::top_k{1}}(std::vector<float>{}).size() == 0);
}

TEST_CASE_TEMPLATE("grouped: the definition, for sizes of groups and of spans", T, float, double,
                   Eigen::bfloat16) {
    engine random{3};
    for (const std::size_t n : {1u, 63u, 130u, 700u}) {
        for (const std::size_t size : {1u, 8u, 48u, 64u, 256u}) {
            for (const shape s : {shape::specials, shape::relu, shape::levels}) {
                CAPTURE(n);
                CAPTURE(size);
                const std::vector<T> v = generate<T>(s, n, random);
                const tamis::top_p most{0.75};
                CHECK(is_of_groups(v, size, group_sum{}, most, grouped{size, group_sum{}, most}(v)));
                const auto few = tamis::top_k::fraction(0.5) & tamis::threshold{0.1};
                CHECK(is_of_groups(v, size, group_norm{}, few, grouped{size, group_norm{}, few}(v)));
            }
        }
    }
}

TEST_CASE("grouped: groups of one are the rule itself; it may be chosen at run time") {
    engine random{4};
    const std::vector<float> v = generate<float>(shape::heavy_tailed, 300, random);
    CHECK(grouped{1, group_sum{}, tamis::top_p{0.9}}(v) == tamis::top_p{0.9}(v));
    CHECK(tamis::any_selector{grouped{32, group_norm{}, tamis::top_k{3}}}(v) ==
          grouped{32, group_norm{}, tamis::top_k{3}}(v));
}

#if defined(__cpp_exceptions)
TEST_CASE("grouped: a size that is none is refused") {
    CHECK(message_of([] {
              grouped{0, group_sum{}, tamis::top_k{1}};
          }) == "tamis::grouped: the size of a group must be at least 1, got 0");
    tamis::mask two{2};
    CHECK(message_of([&] {
              grouped{4, group_sum{}, tamis::top_k{1}}.select_groups(std::vector<float>(9), two.span(),
                                                                     tamis::workspace{});
          }) == "tamis::grouped: a mask over 3 groups is needed, got one over 2");
}
#endif
