// Computed scores come out the same whether or not the processor flushes denormals, as -ffast-math makes it do.
#include <tamis/score/centred.hpp>
#include <tamis/score/power.hpp>
#include <tamis/score/weighted.hpp>

#include "support/flushed_denormals.hpp"
#include "support/generate.hpp"

#include <doctest/doctest.h>
#include <vector>

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
