#include "format/unit_formats.hpp"

#include <doctest/doctest.h>

#include <string>

namespace from_tensors_test {

// Rows made of tensors in which codes, scales and zero points lie apart: each weight is that of the tensors' own formula.

namespace {

std::uint16_t random_half_scale(engine& random) {
    return static_cast<std::uint16_t>(0x1c00 + below(random, 0x1000));
}

/// The number that E4M3's definition gives.
double e4m3_number(unsigned code) {
    const unsigned exponent = code >> 3 & 15u;
    const auto fraction = static_cast<double>(code & 7u);
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, static_cast<int>(exponent) - 10);
    return code < 128 ? magnitude : -magnitude;
}

/// A tensor of codes with a scale for 128 x 128.
struct fp8_checkpoint {
    static constexpr std::size_t rows = 300, columns = 330, across = 3;
    std::vector<std::uint8_t> codes = std::vector<std::uint8_t>(rows * columns);
    std::vector<float> scales = std::vector<float>(3 * across);

    explicit fp8_checkpoint(engine& random) {
        for (auto& code : codes) {
            code = static_cast<std::uint8_t>(random());
            code = (code & 0x7f) == 0x7f ? std::uint8_t{0} : code;
        }
        for (float& scale : scales) {
            scale = 0.0001f * static_cast<float>(1 + below(random, 10000));
        }
    }
    float weight(std::size_t i, std::size_t j) const {
        return static_cast<float>(e4m3_number(codes[i * columns + j]) *
                                  double{scales[i / 128 * across + j / 128]});
    }
    tamis::fp8_block_tensor view(std::size_t first_row, std::size_t first_column, std::size_t r,
                                 std::size_t c) const {
        return {codes.data() + first_row * columns + first_column,
                r,
                c,
                scales.data(),
                across,
                columns,
                first_row,
                first_column};
    }
};

struct int4_weights { // what the tensors were made from
    std::size_t outputs, inputs, group;
    std::vector<unsigned> codes, zeros; // [output][input], [output][group]
    std::vector<std::uint16_t> scales;

    int4_weights(std::size_t o, std::size_t i, std::size_t g, engine& random)
        : outputs{o}, inputs{i}, group{g}, codes(o * i), zeros(o * groups()), scales(o * groups()) {
        for (auto& code : codes) {
            code = static_cast<unsigned>(below(random, 16));
        }
        for (std::size_t k = 0; k < zeros.size(); ++k) {
            zeros[k] = static_cast<unsigned>(below(random, 16));
            scales[k] = random_half_scale(random);
        }
    }
    std::size_t groups() const { return (inputs + group - 1) / group; }
    float weight(std::size_t o, std::size_t i) const {
        const std::size_t g = o * groups() + i / group;
        const int steps = static_cast<int>(codes[o * inputs + i]) - static_cast<int>(zeros[g]);
        return static_cast<float>(steps) * tamis::f16::widen(scales[g]);
    }
    template <class M>
    void check(const M& m) const {
        REQUIRE(m.rows() == outputs);
        REQUIRE(m.columns() == inputs);
        std::size_t wrong = 0;
        for (std::size_t o = 0; o < outputs; ++o) {
            for (std::size_t i = 0; i < inputs; ++i) {
                wrong += m.at(o, i) == weight(o, i) ? 0u : 1u;
            }
        }
        CHECK(wrong == 0);
    }
    std::vector<std::uint16_t> scales_by_group() const { // [group][output]
        std::vector<std::uint16_t> turned;
        for (std::size_t g = 0; g < groups(); ++g) {
            for (std::size_t o = 0; o < outputs; ++o) {
                turned.push_back(scales[o * groups() + g]);
            }
        }
        return turned;
    }
};

constexpr std::size_t awq_order[8] = {0, 2, 4, 6, 1, 3, 5, 7};

void put_nibble(std::vector<std::uint32_t>& words, std::size_t word, std::size_t place, unsigned nibble) {
    words[word] |= nibble << (4 * place);
}

} // namespace

TEST_CASE("fp8 in blocks: whole tensors, and views that begin and end inside a block") {
    engine random{31};
    const fp8_checkpoint tensor{random};
    const std::size_t views[][4] = {{0, 0, 300, 330},   {128, 128, 128, 128}, {5, 96, 200, 234},
                                    {100, 77, 60, 253}, {0, 127, 1, 2},       {299, 329, 1, 1},
                                    {3, 1, 0, 5},       {200, 31, 100, 160}};
    for (const auto& some : views) {
        const std::size_t first_row = some[0], first_column = some[1], rows = some[2], columns = some[3];
        CAPTURE(first_row);
        CAPTURE(first_column);
        const auto view = tensor.view(first_row, first_column, rows, columns);
        std::vector<std::byte> memory(rows * tamis::fp8_blocks::row_bytes(columns));
        const auto straight = tamis::repack_fp8_blocks<tamis::output_major>(view, memory);
        std::vector<std::byte> other(columns * tamis::fp8_blocks::row_bytes(rows));
        const auto turned = tamis::repack_fp8_blocks_transposed<tamis::neuron_major>(view, other);
        std::size_t wrong = 0;
        std::vector<float> unpacked(columns);
        for (std::size_t i = 0; i < rows; ++i) {
            tamis::unpack(straight, i, 0, columns, unpacked.data());
            for (std::size_t j = 0; j < columns; ++j) {
                const float expected = tensor.weight(first_row + i, first_column + j);
                wrong += straight.at(i, j) == expected && unpacked[j] == expected ? 0u : 1u;
                wrong += turned.at(j, i) == expected ? 0u : 1u;
            }
        }
        CHECK(wrong == 0);
        CHECK(straight.rows() == rows);
        CHECK(turned.rows() == columns);
    }
    std::vector<std::byte> small(137);
    CHECK_THROWS_WITH_AS(tamis::repack_fp8_blocks<tamis::output_major>(tensor.view(0, 0, 2, 128), small),
                         doctest::Contains("take 274 bytes, but the memory has 137"), std::invalid_argument);
}

TEST_CASE("fp8 by rows: codes and scales as they are") {
    engine random{32};
    const fp8_checkpoint tensor{random};
    std::vector<float> scales(20);
    for (float& scale : scales) {
        scale = 0.001f * static_cast<float>(1 + below(random, 1000));
    }
    const tamis::fp8_row_tensor from{tensor.codes.data() + 3, 20, 75, scales, tensor.columns};
    std::vector<std::byte> memory(20 * tamis::fp8_by_row::row_bytes(75));
    const auto m = tamis::repack_fp8_rows<tamis::neuron_major>(from, memory);
    for (std::size_t i = 0; i < 20; ++i) {
        for (std::size_t j = 0; j < 75; ++j) {
            REQUIRE(m.at(i, j) == static_cast<float>(e4m3_number(tensor.codes[i * tensor.columns + 3 + j]) *
                                                     double{scales[i]}));
        }
    }
    auto fewer = from;
    fewer.scales = fewer.scales.first(19);
    CHECK_THROWS_WITH_AS(tamis::repack_fp8_rows<tamis::neuron_major>(fewer, memory),
                         doctest::Contains("20 rows, but 19 scales"), std::invalid_argument);
}

TEST_CASE("int4 from AWQ") {
    engine random{33};
    const int4_weights w{24, 256, 64, random};
    std::vector<std::uint32_t> qweight(w.inputs * w.outputs / 8);
    std::vector<std::uint32_t> qzeros(w.groups() * w.outputs / 8);
    for (std::size_t o = 0; o < w.outputs; ++o) {
        std::size_t place = 0;
        while (awq_order[place] != o % 8) {
            ++place;
        }
        for (std::size_t i = 0; i < w.inputs; ++i) {
            put_nibble(qweight, i * w.outputs / 8 + o / 8, place, w.codes[o * w.inputs + i]);
        }
        for (std::size_t g = 0; g < w.groups(); ++g) {
            put_nibble(qzeros, g * w.outputs / 8 + o / 8, place, w.zeros[o * w.groups() + g]);
        }
    }
    const auto scales = w.scales_by_group();
    std::vector<std::byte> memory(w.outputs * tamis::int4_groups<64>::row_bytes(w.inputs));
    const tamis::awq_tensors from{qweight.data(), qzeros.data(), scales.data(), w.outputs, w.inputs};
    w.check(tamis::repack_awq<64, tamis::neuron_major>(from, memory));
    [[maybe_unused]] auto odd = from;
    odd.inputs = 200;
    CHECK_THROWS_WITH_AS((tamis::repack_awq<64, tamis::neuron_major>(odd, memory)),
                         doctest::Contains("groups of 64 do not divide 200 inputs"), std::invalid_argument);
    odd = from;
    odd.outputs = 12;
    CHECK_THROWS_WITH_AS((tamis::repack_awq<64, tamis::neuron_major>(odd, memory)),
                         doctest::Contains("but there are 12 outputs"), std::invalid_argument);
    [[maybe_unused]] const std::span<std::byte> short_of_all = std::span{memory}.first(memory.size() - 1);
    CHECK_THROWS_WITH_AS((tamis::repack_awq<64, tamis::neuron_major>(from, short_of_all)),
                         doctest::Contains("but the memory has"), std::invalid_argument);
}

TEST_CASE("int4 from GPTQ: zero points one less than they mean, or not; act-order refused") {
    engine random{34};
    int4_weights w{16, 384, 128, random};
    std::vector<std::uint32_t> qweight(w.inputs / 8 * w.outputs);
    for (std::size_t o = 0; o < w.outputs; ++o) {
        for (std::size_t i = 0; i < w.inputs; ++i) {
            put_nibble(qweight, i / 8 * w.outputs + o, i % 8, w.codes[o * w.inputs + i]);
        }
    }
    std::vector<std::uint32_t> qzeros(w.groups() * w.outputs / 8);
    for (std::size_t o = 0; o < w.outputs; ++o) {
        for (std::size_t g = 0; g < w.groups(); ++g) {
            put_nibble(qzeros, g * w.outputs / 8 + o / 8, o % 8, w.zeros[o * w.groups() + g]);
        }
    }
    const auto scales = w.scales_by_group();
    std::vector<std::int32_t> g_idx(w.inputs);
    for (std::size_t i = 0; i < w.inputs; ++i) {
        g_idx[i] = static_cast<std::int32_t>(i / 128);
    }
    tamis::gptq_tensors from{qweight.data(), qzeros.data(), scales.data(), w.outputs, w.inputs, g_idx};
    std::vector<std::byte> memory(w.outputs * tamis::int4_groups<128>::row_bytes(w.inputs));
    w.check(tamis::repack_gptq_v2<128, tamis::neuron_major>(from, memory));
    for (unsigned& zero : w.zeros) { // the same words mean one more; a 15 means 16
        ++zero;
    }
    w.check(tamis::repack_gptq<128, tamis::output_major>(from, memory));
    std::swap(g_idx[5], g_idx[300]);
    CHECK_THROWS_WITH_AS((tamis::repack_gptq<128, tamis::output_major>(from, memory)),
                         doctest::Contains("input 5 is in group 2"), std::invalid_argument);
    from.g_idx = from.g_idx.first(10);
    CHECK_THROWS_AS((tamis::repack_gptq<128, tamis::output_major>(from, memory)), std::invalid_argument);
}

TEST_CASE(
    "int4 from MatMulNBits: with zero points and without, float scales and binary16, a last group that is shorter") {
    engine random{35};
    for (const std::size_t inputs : {160u, 150u, 32u, 1u}) {
        CAPTURE(inputs);
        int4_weights w{7, inputs, 32, random};
        const std::size_t groups = w.groups();
        std::vector<std::uint8_t> b(w.outputs * groups * 16);
        std::vector<std::uint8_t> zeros(w.outputs * ((groups + 1) / 2));
        for (std::size_t o = 0; o < w.outputs; ++o) {
            for (std::size_t i = 0; i < inputs; ++i) {
                std::uint8_t& pair = b[o * groups * 16 + i / 2];
                pair = static_cast<std::uint8_t>(pair | w.codes[o * inputs + i] << (i % 2 * 4));
            }
            for (std::size_t g = 0; g < groups; ++g) {
                std::uint8_t& pair = zeros[o * ((groups + 1) / 2) + g / 2];
                pair = static_cast<std::uint8_t>(pair | w.zeros[o * groups + g] << (g % 2 * 4));
            }
        }
        std::vector<std::byte> memory(w.outputs * tamis::int4_groups<32>::row_bytes(inputs));
        const tamis::matmul_nbits_tensors<std::uint16_t> half{b.data(), w.scales.data(), zeros.data(),
                                                              w.outputs, inputs};
        w.check(tamis::repack_matmul_nbits<32, tamis::neuron_major>(half, memory));
        std::vector<float> scales;
        for (const auto scale : w.scales) {
            scales.push_back(tamis::f16::widen(scale));
        }
        std::fill(w.zeros.begin(), w.zeros.end(), 8u);
        const tamis::matmul_nbits_tensors<float> plain{b.data(), scales.data(), nullptr, w.outputs, inputs};
        w.check(tamis::repack_matmul_nbits<32, tamis::neuron_major>(plain, memory));
    }
}

} // namespace from_tensors_test
