// Computed scores, and masks by cuts that the compiler knows, come out the same whether or not the processor flushes
// denormals, as -ffast-math makes it do.
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/score/power.hpp>
#include <tamis/score/weighted.hpp>
#include <tamis/select_active.hpp>

#include "support/flushed_denormals.hpp"
#include "support/generate.hpp"

#include <doctest/doctest.h>
#include <cstring>
#include <vector>

namespace flushed_denormals_test {

namespace {

template <class T>
std::vector<std::uint64_t> scores(const auto& score, const std::vector<T>& values) {
    std::vector<double> out(values.size());
    tamis::score_into(score, values, std::span{out});
    std::vector<std::uint64_t> bits(values.size());
    for (std::size_t i = 0; i < bits.size(); ++i) {
        bits[i] = tamis::magnitude_bits(out[i]);
    }
    return bits;
}

template <class T>
void compare(const auto& score, const std::vector<T>& values) {
    std::vector<std::uint64_t> honoured;
    std::vector<std::uint64_t> flushed;
    {
        const honoured_denormals guard;
        honoured = scores(score, values);
    }
    {
        const flushed_denormals guard;
        flushed = scores(score, values);
    }
    CHECK(honoured == flushed);
}

} // namespace

TEST_CASE_TEMPLATE("generated values of all shapes", T, float, double) {
    engine random{22};
    for (const shape s : shapes) {
        const auto values = generate<T>(s, 2000, random);
        const auto weights = generate<float>(s == shape::wild ? shape::geometric : s, 2000, random);
        std::vector<float> positive;
        for (const float weight : weights) {
            const auto bits = tamis::magnitude_bits(weight);
            positive.push_back(from_bits<float>(bits >= 0x7f800000u ? 0 : bits));
        }
        CAPTURE(name_of(s));
        compare(tamis::weighted{positive}, values);
        for (const double q : {1.0, 1.0625, 1.5, 2.0, 3.0, 7.0}) {
            compare(tamis::power{q}, values);
        }
        for (const double mode : {0.0, 0.25, 0x1.8p-1022, 0x1p-1074}) {
            CAPTURE(mode);
            compare(tamis::centred{mode}, values);
        }
    }
}

TEST_CASE("a denormal double times a large weight") {
    const std::vector<float> weights{1e30f};
    compare(tamis::weighted{weights}, std::vector<double>{0x1p-1030});
}

TEST_CASE("a product that rounds up to the least normal double") {
    // (1 - 2^-53) 2^-1022 lies midway between the largest denormal and the least normal number: rounded as a denormal
    // it becomes 2^-1022, but a processor that flushes sees a result too small and makes it zero.
    const std::vector<float> weights{0x1p-22f};
    compare(tamis::weighted{weights}, std::vector<double>{0x1.fffffffffffffp-1001});
}

TEST_CASE("a denormal mode") {
    compare(tamis::centred{0x1p-1074}, std::vector<double>{0x1p-1022, 0x1.8p-1022, 0x1p-1021, 0.0});
    compare(tamis::centred{0x1.8p-1022}, std::vector<double>{0x1p-1074, 0x1p-1023, 0x1p-1021});
}

namespace {

/// Zeros and the least few denormals, of both signs.
template <class T>
std::vector<T> least_numbers(std::size_t n, engine& random) {
    std::vector<T> values(n);
    for (T& value : values) {
        const auto bits = static_cast<tamis::bits_of<T>>(below(random, 4));
        const auto sign = static_cast<tamis::bits_of<T>>(below(random, 2)) << (sizeof(T) * 8 - 1);
        value = from_bits<T>(bits | sign);
    }
    return values;
}

/// What a rule keeps of n values, in every form, as one list of indices for each form.
template <class T, class Rule>
void check_kept(const Rule& rule, const std::vector<T>& values, tamis::bits_of<T> least) {
    std::vector<std::uint32_t> wanted;
    for (std::size_t i = 0; i < values.size(); ++i) {
        tamis::bits_of<T> bits;
        std::memcpy(&bits, &values[i], sizeof bits);
        if (bits << 1 >= least << 1) {
            wanted.push_back(static_cast<std::uint32_t>(i));
        }
    }
    const flushed_denormals guard;
    const tamis::scores<T> scores{std::span<const T>{values}};
    CHECK(tamis::active_indices(rule(values)) == wanted);
    tamis::mask plain{values.size()};
    tamis::plain_write_mask(rule.template cut_of<T>(scores), scores, plain.span());
    CHECK(tamis::active_indices(plain) == wanted);
    std::vector<std::uint32_t> indices(values.size());
    indices.resize(tamis::write_indices(rule.template cut_of<T>(scores), scores, std::span{indices}));
    CHECK(indices == wanted);
    std::vector<T> kept = values;
    tamis::write_zeros(rule.template cut_of<T>(scores), std::span{kept});
    bool same = true;
    for (std::size_t i = 0, k = 0; i < values.size(); ++i) {
        const bool active = k < wanted.size() && wanted[k] == i;
        k += active ? 1 : 0;
        same = same && std::memcmp(&kept[i], &values[i], sizeof(T)) * (active ? 1 : 0) == 0;
    }
    CHECK(same);
}

} // namespace

TEST_CASE_TEMPLATE("cuts of the least scores there are", T, float, double) {
    engine random{5};
    for (std::size_t n = 1; n < 200; n += 7) {
        const auto values = least_numbers<T>(n, random);
        CAPTURE(n);
        check_kept(tamis::nonzero{}, values, 1);
        check_kept(tamis::threshold{0.0}, values, 1);
        if constexpr (std::is_same_v<T, float>) {
            check_kept(tamis::threshold{0x1p-149}, values, 1);
            check_kept(tamis::threshold{0x1p-148}, values, 2);
        } else {
            check_kept(tamis::threshold{0x1p-1074}, values, 1);
        }
    }
}

} // namespace flushed_denormals_test
