#include "ffn/support_repack.hpp"
#include "format/unit_formats.hpp"

#include <tamis/ffn/pack.hpp>

#include <doctest/doctest.h>

#include <string>

// Formats that are unpacked by units, repacked: as `at` and `pack` of whole rows do it; and what loses nothing when it is
// transposed.

namespace {

/// rows x columns of any format, bits at random, scales of about 1/8.
template <class F>
std::vector<std::byte> rows_of_units(std::size_t rows, std::size_t columns, engine& random) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < rows; ++i) {
        const auto row = row_of_bits<F>(columns, random, true);
        bytes.insert(bytes.end(), row.begin(), row.end());
    }
    return bytes;
}

template <class F, class G>
void check_units_repacked(std::size_t rows, std::size_t columns) {
    CAPTURE(std::string{F::name});
    CAPTURE(std::string{G::name});
    engine random{rows};
    const auto bytes = rows_of_units<G>(rows, columns, random);
    const tamis::matrix<G, tamis::output_major> source{bytes.data(), rows, columns};
    std::vector<std::byte> memory(tamis::repacked_bytes<F, tamis::neuron_major>(source));
    const auto turned = tamis::repack<F, tamis::neuron_major>(source, memory);
    CHECK(bytes_of(turned) == packed_plainly<F>(source, true));
    std::vector<std::byte> other(tamis::repacked_bytes<F, tamis::output_major>(source));
    tamis::repack<F, tamis::output_major>(source, other);
    CHECK(other == packed_plainly<F>(source, false));
}

} // namespace

TEST_CASE("repack: from formats that are unpacked by units, and to them") {
    check_units_repacked<tamis::q8_0, tamis::q4_k>(70, 512);
    check_units_repacked<tamis::f32, tamis::q6_k>(33, 256);
    check_units_repacked<tamis::q4_1, tamis::int4_groups<64>>(129, 191);
    check_units_repacked<tamis::mxfp4, tamis::q5_0>(65, 130);
    check_units_repacked<tamis::tq2_0, tamis::fp8_blocks>(256, 300 - 44);
}

TEST_CASE("repack: a format that is read alone is copied, and rows that end within its blocks are refused") {
    engine random{3};
    const auto bytes = rows_of_units<tamis::q4_k>(5, 512, random);
    const tamis::matrix<tamis::q4_k, tamis::neuron_major> source{bytes.data(), 5, 512};
    std::vector<std::byte> copy(bytes.size());
    tamis::repack<tamis::q4_k, tamis::neuron_major>(source, copy);
    CHECK(copy == bytes);
    std::vector<std::byte> memory(512 * 66);
    CHECK_THROWS_WITH_AS((tamis::repack<tamis::tq2_0, tamis::input_major>(source, memory)),
                         doctest::Contains("whole blocks of 256 weights, but a row has 5"),
                         std::invalid_argument);
}

TEST_CASE("pack<transposed_as>: what lies right stays in its format, where it lies") {
    using namespace tamis;
    engine random{6};
    const auto gate = rows_of_units<q4_k>(512, 256, random);
    const auto up = rows_of_units<q4_k>(512, 256, random);
    const auto down = rows_of_units<q6_k>(256, 512, random);
    const glu_weights weights{matrix<q4_k, neuron_major>{gate.data(), 512, 256},
                              matrix<q4_k, neuron_major>{up.data(), 512, 256},
                              matrix<q6_k, output_major>{down.data(), 256, 512}};
    const auto packed = pack<transposed_as<q8_0>>(weights, at_intermediate(nonzero{}));
    static_assert(std::is_same_v<decltype(packed.gate), packed_matrix<q4_k, neuron_major>>);
    static_assert(std::is_same_v<decltype(packed.down), packed_matrix<q8_0, neuron_major>>);
    CHECK(packed.gate.view().row(0) == gate.data());
    CHECK(packed.owned_bytes() == packed.down.owned_bytes());
    CHECK(bytes_of(packed.down.view()) == packed_plainly<q8_0>(weights.down, true));
}

TEST_CASE("what loses nothing: mxfp4 as bf16, tq2_0 as f16, and all formats as f32") {
    engine random{4};
    for (unsigned e = 0; e < 256; ++e) { // all numbers of mxfp4
        std::vector<std::byte> block(17, std::byte{0});
        block[0] = static_cast<std::byte>(e);
        for (unsigned code = 0; code < 16; ++code) {
            block[1 + code] = static_cast<std::byte>(code);
        }
        for (std::size_t i = 0; i < 16; ++i) {
            const float w = tamis::mxfp4::at(block.data(), i);
            const auto bits = std::bit_cast<std::uint32_t>(w);
            CAPTURE(e);
            REQUIRE((std::uint32_t{tamis::bf16::round(w)} << 16) == bits);
        }
    }
    for (unsigned half = 0; half < 0x7c00; ++half) {       // all scales of tq2_0
        std::vector<std::byte> block(66, std::byte{0x64}); // -1 .. 1
        block[64] = static_cast<std::byte>(half & 255u);
        block[65] = static_cast<std::byte>(half >> 8);
        for (const std::size_t i : {0u, 32u, 64u}) {
            const float w = tamis::tq2_0::at(block.data(), i);
            REQUIRE(std::bit_cast<std::uint32_t>(tamis::f16::widen(tamis::f16::round(w))) ==
                    std::bit_cast<std::uint32_t>(w));
        }
    }
}
