#include "ffn/support_repack.hpp"
#include "format/own_formats.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

#include <bit>

// From every kind of format to every format, the bytes are those of the simple way: `at`, then `pack` of whole rows.

namespace {

template <class F, class G>
void check_repacked() {
    using tamis::neuron_major;
    using tamis::output_major;
    for (const auto& shape : shapes_to_repack) {
        const std::size_t rows = shape.first;
        const std::size_t columns = shape.second;
        CAPTURE(rows);
        CAPTURE(columns);
        const auto source = random_stored<G, output_major>(rows, columns, rows);
        tamis::aligned_memory memory{tamis::repacked_bytes<F, neuron_major>(source.view())};
        const auto turned = tamis::repack<F, neuron_major>(source.view(), memory.bytes());
        CHECK(turned.rows() == columns);
        CHECK(turned.columns() == rows);
        CHECK(bytes_of(turned) == packed_plainly<F>(source.view(), true));

        tamis::aligned_memory other{tamis::repacked_bytes<F, output_major>(source.view())};
        const auto straight = tamis::repack<F, output_major>(source.view(), other.bytes());
        if constexpr (std::is_same_v<F, G>) {
            CHECK(bytes_of(straight) == bytes_of(source.view())); // nothing is rounded again
        } else {
            CHECK(bytes_of(straight) == packed_plainly<F>(source.view(), false));
        }
    }
}

/// Every pattern of bits that a 16-bit format has, and with f32 many.
template <class F>
void check_all_bits() {
    const std::size_t rows = 96;
    const std::size_t columns = 700;
    std::vector<typename F::storage> weights(rows * columns);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if constexpr (sizeof(typename F::storage) == 4) {
            weights[i] = std::bit_cast<float>(static_cast<std::uint32_t>(i * 0x9e3779b9u));
        } else {
            weights[i] = static_cast<std::uint16_t>(i);
        }
    }
    const tamis::matrix<F, tamis::input_major> source{weights.data(), rows, columns};
    std::vector<std::byte> there(weights.size() * sizeof(typename F::storage));
    std::vector<std::byte> back(there.size());
    const auto turned = tamis::repack<F, tamis::neuron_major>(source, there);
    tamis::repack<F, tamis::input_major>(turned, back);
    CHECK(std::memcmp(back.data(), weights.data(), back.size()) == 0);
}

} // namespace

TEST_CASE_TEMPLATE("repack: to every format from several", F, tamis::f32, tamis::f16, tamis::bf16,
                   tamis::q8_0, tamis::q4_0, tamis::int8_by_row, int8_by_row, three_bytes) {
    check_repacked<F, F>();
    check_repacked<F, tamis::f32>();
    check_repacked<F, tamis::bf16>();
    check_repacked<F, tamis::q8_0>();
    check_repacked<F, tamis::int8_by_row>();
    check_repacked<F, three_bytes>();
}

TEST_CASE_TEMPLATE("repack: what stays in its format keeps all bits, those of NaN too", F, tamis::f32,
                   tamis::f16, tamis::bf16) {
    check_all_bits<F>();
}

TEST_CASE("repack: rows without weights have what stands in front of a row") {
    const tamis::matrix<tamis::f32, tamis::output_major> nothing{static_cast<const void*>(nullptr), 0, 3};
    std::vector<std::byte> memory(3 * sizeof(float), std::byte{0xa5});
    tamis::repack<tamis::int8_by_row, tamis::neuron_major>(nothing, memory);
    CHECK(memory == std::vector<std::byte>(3 * sizeof(float)));
}
