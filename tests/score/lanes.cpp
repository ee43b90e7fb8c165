// Scores and conversions a vector at a time are those of the simple loops, to the last bit.
#include <tamis/score/centred.hpp>
#include <tamis/score/magnitude.hpp>
#include <tamis/score/power.hpp>
#include <tamis/score/weighted.hpp>

#include "support/flushed_denormals.hpp"
#include "support/formats.hpp"

#include <doctest/doctest.h>

namespace lanes_test {

using namespace tamis;

namespace {

template <class Score, class T>
void compare(const Score& score, const std::vector<T>& values) {
    using real = score_real<Score, real_of<T>>;
    std::vector<real> fast(values.size());
    std::vector<real> plain(values.size());
    score_into(score, values, std::span{fast});
    plain_score_into(score, values, std::span{plain});
    bool same = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
        same = same &&
               (magnitude_bits(fast[i]) == magnitude_bits(plain[i]) || (is_nan(fast[i]) && is_nan(plain[i])));
    }
    CHECK(same);
}

} // namespace

TEST_CASE_TEMPLATE("every score of every type", T, float, double, Eigen::half, Eigen::bfloat16, std::int8_t,
                   std::int16_t AND_FLOAT16) {
    engine random{11};
    std::vector<float> weights = generate<float>(shape::wild, 200, random);
    for (float& weight : weights) {
        const std::uint32_t bits = magnitude_bits(weight);
        weight = bits >= infinity_bits<float> ? 1.0f : std::bit_cast<float>(bits);
    }
    for (std::size_t n = 0; n < 200; ++n) {
        const shape kind = shapes[n % shapes.size()];
        const auto values = generate<T>(kind, n, random);
        CAPTURE(n);
        CAPTURE(name_of(kind));
        const auto all = [&] {
            compare(magnitude{}, values);
            compare(weighted{std::span{weights}.first(n)}, values);
            compare(centred{0.375}, values);
            for (const double q : {1.0, 1.0625, 1.5, 2.0, 3.25, 7.0}) {
                compare(power{q}, values);
            }
        };
        all();
        const flushed_denormals guard;
        all();
    }
}

TEST_CASE_TEMPLATE("all 65536 values of the 16-bit types", T, Eigen::half, Eigen::bfloat16 AND_FLOAT16) {
    std::vector<T> values(65536);
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        values[bits] = from_bits<T>(bits);
    }
    compare(magnitude{}, values);
}

} // namespace lanes_test
