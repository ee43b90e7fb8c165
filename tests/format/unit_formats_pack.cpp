#include "format/quantised.hpp"
#include "format/unit_formats.hpp"
#include "support/flushed_denormals.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace unit_formats_pack_test {

// Packing to ggml's formats that are unpacked by units: the bytes of ggml's own reference quantisers (tests/references compares
// them with gguf and libggml; the hashes here were made while both agreed), and what packing rounds at most.

namespace {

struct packs_case {
    const char* name;
    std::uint64_t hash;
    std::size_t block;
    std::vector<std::byte> (*pack)(std::span<const float>);
    float (*at)(const std::byte*, std::size_t);
    double (*bound)(double w, double smallest, double largest); // what may be lost of w
};
double magnitude_of(double smallest, double largest) { return std::max(-smallest, largest); }
double q4_1_bound(double, double smallest, double largest) {
    return (largest - smallest) / 30 + (largest - smallest + magnitude_of(smallest, largest)) * 0x1p-11;
}
double q5_0_bound(double w, double smallest, double largest) {
    const double most = magnitude_of(smallest, largest);
    return most / (std::fabs(w) > most * 15.5 / 16 ? 16 : 32) + most * 0x1p-11;
}
double q5_1_bound(double, double smallest, double largest) {
    return (largest - smallest) / 62 + (largest - smallest + magnitude_of(smallest, largest)) * 0x1p-11;
}
double mxfp4_bound(double w, double smallest, double largest) {
    return std::max(std::fabs(w) / 4, magnitude_of(smallest, largest) / 16);
}
double tq2_0_bound(double, double smallest, double largest) {
    return magnitude_of(smallest, largest) * (0.5 + 0x1p-11);
}
const packs_case pack_cases[] = {
    {"q4_1", 0x2a17c944137a5a01u, 32, packed<tamis::q4_1>, tamis::q4_1::at, q4_1_bound},
    {"q5_0", 0xf1650e2509674591u, 32, packed<tamis::q5_0>, tamis::q5_0::at, q5_0_bound},
    {"q5_1", 0x32c97272514e1468u, 32, packed<tamis::q5_1>, tamis::q5_1::at, q5_1_bound},
    {"mxfp4", 0xe5c4b2062417387u, 32, packed<tamis::mxfp4>, tamis::mxfp4::at, mxfp4_bound},
    {"tq2_0", 0x363af77f55a3de4du, 256, packed<tamis::tq2_0>, tamis::tq2_0::at, tq2_0_bound},
};

/// Blocks of many sizes, with and without weights of both signs.
std::vector<float> weights_to_pack(std::size_t block, engine& random) {
    auto weights = random_weights(block, random);
    const auto size = static_cast<float>(std::ldexp(1.0, static_cast<int>(below(random, 16)) - 6));
    const float shift = below(random, 3) == 0 ? 1.5f : 0.0f;
    for (float& w : weights) {
        w = (w + shift) * size;
    }
    return weights;
}

std::uint64_t hash_of_packed(const packs_case& f) {
    engine random{13};
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (int round = 0; round < 60; ++round) {
        const auto row = f.pack(weights_to_pack(f.block, random));
        hash = hash_of(row.data(), row.size(), hash);
    }
    return hash;
}

} // namespace

TEST_CASE("packing to ggml's formats has the bytes of its quantisers, denormals flushed or not") {
    for (const auto& f : pack_cases) {
        CAPTURE(std::string{f.name});
        CHECK(hash_of_packed(f) == f.hash);
        const flushed_denormals guard;
        CHECK(hash_of_packed(f) == f.hash);
    }
}

TEST_CASE("packing to ggml's formats rounds by no more than they say") {
    for (const auto& f : pack_cases) {
        CAPTURE(std::string{f.name});
        engine random{14};
        std::size_t wrong = 0;
        for (int round = 0; round < 100; ++round) {
            const auto weights = weights_to_pack(f.block, random);
            const auto row = f.pack(weights);
            const auto [smallest, largest] = std::minmax_element(weights.begin(), weights.end());
            for (std::size_t i = 0; i < f.block; ++i) {
                const double error = std::fabs(double{f.at(row.data(), i)} - double{weights[i]});
                const double bound = f.bound(weights[i], double{*smallest}, double{*largest});
                wrong += error <= bound * 1.000001 + 0x1p-24 ? 0u : 1u;
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("packed blocks hide no weight that is infinite or NaN, and zeros are zeros") {
    for (const auto& f : pack_cases) {
        CAPTURE(std::string{f.name});
        for (const float special : {inf_of<float>, negative_inf_of<float>, nan_of<float>}) {
            engine random{15};
            auto weights = random_weights(f.block, random);
            weights[f.block / 3] = special;
            const auto row = f.pack(weights);
            for (std::size_t i = 0; i < f.block; ++i) {
                REQUIRE(tamis::magnitude_bits(f.at(row.data(), i)) >= tamis::infinity_bits<float>);
            }
        }
        const std::vector<float> zeros(f.block - 5); // padded
        const auto row = f.pack(zeros);
        for (std::size_t i = 0; i < f.block; ++i) {
            REQUIRE(tamis::magnitude_bits(f.at(row.data(), i)) == 0);
        }
        CHECK(f.pack({}).empty());
    }
}

TEST_CASE("mxfp4: the power of two is that of a logarithm in float") {
    // 1 - 2^-24 m times 8, 16, 1/8: log2f says a whole number from as near as its floats are apart.
    const auto power = [](float largest) {
        std::vector<float> weights(32);
        weights[9] = -largest;
        return static_cast<int>(packed<tamis::mxfp4>(weights)[0]);
    };
    const auto below_one = [](int m) { return 1.0f - static_cast<float>(m) * 0x1p-24f; };
    CHECK(power(1.0f) == 125);
    CHECK(power(below_one(1)) == 124);
    CHECK(power(8.0f * below_one(1)) == 128);
    CHECK(power(8.0f * below_one(2)) == 127);
    CHECK(power(16.0f * below_one(2)) == 128);
    CHECK(power(0.125f * below_one(1)) == 122);
    CHECK(power(0.125f * below_one(2)) == 121);
    CHECK(power(0x1p-64f * below_one(44)) == 61);
    CHECK(power(0x1p-64f * below_one(45)) == 60);
    CHECK(power(0x1p-125f) == 0);
    CHECK(power(0x1p-149f) == 0);
}

TEST_CASE("q4_1 by hand") {
    std::vector<float> weights(32, -2.0f);
    weights[1] = 5.5f; // a range of 7.5: steps of a half
    weights[2] = -1.75f;
    weights[20] = 0.26f;
    const auto row = packed<tamis::q4_1>(weights);
    REQUIRE(row.size() == 20);
    CHECK(half_at(row, 0) == 0x3800);
    CHECK(half_at(row, 2) == 0xc000);
    CHECK(row[4] == std::byte{0x00});
    CHECK(row[5] == std::byte{0x0f});
    CHECK(row[6] == std::byte{0x01}); // a half goes up
    CHECK(row[8] == std::byte{0x50});
    CHECK(tamis::q4_1::at(row.data(), 20) == 0.5f);
}

} // namespace unit_formats_pack_test
