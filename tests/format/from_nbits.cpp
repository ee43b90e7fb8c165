#include <tamis/format/from_nbits.hpp>

#include "support/generate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace from_nbits_test {

// Rows of MatMulNBits of every kind: each weight is that of the operator's own formula, scale * (code - zero).

namespace {

struct nbits_layer {
    std::size_t outputs = 7, inputs, bits, block;
    std::string zeros; // none, packed, numbers
    std::vector<std::uint8_t> codes, packed_zeros;
    std::vector<unsigned> each_code, each_zero;
    std::vector<float> scales, zero_numbers;

    nbits_layer(std::size_t of_inputs, std::size_t of_bits, std::size_t of_block, const char* kind)
        : inputs{of_inputs}, bits{of_bits}, block{of_block}, zeros{kind} {
        engine random{bits * 1000 + block};
        const std::size_t blocks = (inputs + block - 1) / block, zero_row = (blocks * bits + 7) / 8;
        codes.resize(outputs * blocks * block * bits / 8);
        packed_zeros.resize(outputs * zero_row);
        const auto put = [&](std::vector<std::uint8_t>& to, std::size_t first, std::size_t i, unsigned code) {
            to[first + i * bits / 8] =
                static_cast<std::uint8_t>(to[first + i * bits / 8] | code << (i * bits % 8));
        };
        for (std::size_t o = 0; o < outputs; ++o) {
            for (std::size_t b = 0; b < blocks; ++b) {
                scales.push_back(0.01f * static_cast<float>(1 + below(random, 99)));
                const unsigned middle = 1u << (bits - 1);
                each_zero.push_back(zeros == "none" ? middle
                                                    : static_cast<unsigned>(below(random, 2 * middle)));
                put(packed_zeros, o * zero_row, b, each_zero.back());
                zero_numbers.push_back(static_cast<float>(each_zero.back()));
            }
            for (std::size_t i = 0; i < inputs; ++i) {
                each_code.push_back(static_cast<unsigned>(below(random, std::uint64_t{1} << bits)));
                put(codes, o * blocks * block * bits / 8, i, each_code.back());
            }
        }
    }
    tamis::nbits_tensors view() const {
        tamis::nbits_tensors t{outputs, inputs, bits, block, codes};
        t.scales = {"scales", "f32", scales.data(), scales.size()};
        if (zeros == "packed") {
            t.zero_points = packed_zeros;
        } else if (zeros == "numbers") {
            t.zero_numbers = {"zero points", "f32", zero_numbers.data(), zero_numbers.size()};
        }
        return t;
    }
    float weight(std::size_t o, std::size_t i) const {
        const std::size_t b = o * ((inputs + block - 1) / block) + i / block;
        return scales[b] * static_cast<float>(static_cast<int>(each_code[o * inputs + i]) -
                                              static_cast<int>(each_zero[b]));
    }
};

} // namespace

TEST_CASE("MatMulNBits in rows: every number of bits, block, kind of zero points, and parts of a layer") {
    for (const std::size_t bits : {2u, 4u, 8u}) {
        for (const std::size_t block : {16u, 32u, 64u, 128u, 256u}) {
            for (const char* kind : {"none", "packed", "numbers"}) {
                const nbits_layer layer{300, bits, block, kind};
                const tamis::nbits_tensors t = layer.view();
                tamis::aligned_memory memory{tamis::nbits_bytes(t, 4)};
                const auto m =
                    tamis::repack_nbits(t, tamis::weight_layout::neuron_major, 2, 4, memory.bytes());
                std::size_t wrong = 0;
                tamis::with_format<tamis::nbits_formats>(m.format(), [&]<class F>(F) {
                    for (std::size_t o = 0; o < 4; ++o) {
                        for (std::size_t i = 0; i < layer.inputs; ++i) {
                            wrong += F::at(memory.bytes().data() + o * F::row_bytes(layer.inputs), i) ==
                                             layer.weight(o + 2, i)
                                         ? 0u
                                         : 1u;
                        }
                    }
                });
                CAPTURE(bits);
                CAPTURE(block);
                CAPTURE(std::string{kind});
                CHECK(wrong == 0);
            }
        }
    }
}

TEST_CASE("MatMulNBits that no row can hold, or of other sizes, is refused") {
    nbits_layer layer{64, 4, 32, "numbers"};
    [[maybe_unused]] tamis::nbits_tensors t = layer.view();
    tamis::aligned_memory memory{tamis::nbits_bytes(t, 7)};
    [[maybe_unused]] const auto repack = [&](std::size_t first, std::size_t outputs) {
        static_cast<void>(
            tamis::repack_nbits(t, tamis::weight_layout::neuron_major, first, outputs, memory.bytes()));
    };
    layer.zero_numbers[3] = 7.5f;
    CHECK_THROWS_WITH_AS(repack(0, 7), doctest::Contains("whole numbers within its codes, got 7.5"),
                         std::invalid_argument);
    layer.zero_numbers[3] = 16; // as some exporters mean by 0
    CHECK_NOTHROW(repack(0, 7));
    CHECK_THROWS_WITH_AS(repack(1, 7), doctest::Contains("up to 8 are wanted, of 7"), std::invalid_argument);
    t.codes = t.codes.first(8);
    CHECK_THROWS_WITH_AS(repack(0, 7), doctest::Contains("224 bytes, got 8"), std::invalid_argument);
    t = layer.view();
    memory = tamis::aligned_memory{5};
    CHECK_THROWS_WITH_AS(repack(0, 7), doctest::Contains("but the memory has 5"), std::invalid_argument);
    t.bits = 3;
    CHECK_THROWS_WITH_AS(repack(0, 7), doctest::Contains("3 bits in blocks of 32"), std::invalid_argument);
    t.bits = 4;
    t.block = 48;
    CHECK_THROWS_WITH_AS(repack(0, 7), doctest::Contains("4 bits in blocks of 48"), std::invalid_argument);
    for (const auto& sizes :
         {std::pair{~std::size_t{0}, std::size_t{1}},
          {std::size_t{1}, ~std::size_t{0}},
          {~std::size_t{0} / 64, std::size_t{64}}}) { // whose products would be small numbers
        t = tamis::nbits_tensors{sizes.first, sizes.second, 8, 128};
        CHECK_THROWS_WITH_AS(repack(0, 1), doctest::Contains("no memory has so many"), std::invalid_argument);
    }
}

} // namespace from_nbits_test
