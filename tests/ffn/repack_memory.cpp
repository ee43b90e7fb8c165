#include "ffn/support_repack.hpp"
#include "support/message.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

// The caller's memory: what is written, and what is refused.

using tamis::bf16;
using tamis::f32;
using tamis::neuron_major;
using tamis::output_major;

TEST_CASE("repacked_bytes") {
    const auto source = random_stored<f32, output_major>(40, 70, 1);
    CHECK(tamis::repacked_bytes<bf16, neuron_major>(source.view()) == 40 * 70 * 2);
    CHECK(tamis::repacked_bytes<bf16, output_major>(source.view()) == 40 * 70 * 2);
    CHECK(tamis::repacked_bytes<tamis::q8_0, neuron_major>(source.view()) == 70 * 2 * 34);
    CHECK(tamis::repacked_bytes<tamis::q8_0, output_major>(source.view()) == 40 * 3 * 34);
}

TEST_CASE("repack writes the result's bytes and no others, at any address") {
    const auto source = random_stored<bf16, output_major>(40, 70, 2);
    const std::size_t bytes = tamis::repacked_bytes<bf16, neuron_major>(source.view());
    const auto expected = packed_plainly<bf16>(source.view(), true);
    std::vector<std::byte> memory(bytes + 200, std::byte{0xa5});
    for (const std::size_t offset : {0u, 1u, 2u, 63u, 100u}) {
        CAPTURE(offset);
        std::fill(memory.begin(), memory.end(), std::byte{0xa5});
        const auto result =
            tamis::repack<bf16, neuron_major>(source.view(), std::span{memory}.subspan(offset, bytes + 50));
        CHECK(result.row(0) == memory.data() + offset);
        CHECK(bytes_of(result) == expected);
        const auto untouched = [](std::byte b) { return b == std::byte{0xa5}; };
        const auto first = memory.begin() + static_cast<std::ptrdiff_t>(offset);
        CHECK(std::all_of(memory.begin(), first, untouched));
        CHECK(std::all_of(first + static_cast<std::ptrdiff_t>(bytes), memory.end(), untouched));
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("repack: too little memory") {
    const auto source = random_stored<f32, output_major>(4, 7, 3);
    std::vector<std::byte> memory(56);
    CHECK(message_of([&] {
              tamis::repack<bf16, neuron_major>(source.view(), std::span{memory}.first(55));
          }) == "tamis::repack: the result takes 56 bytes, but the memory has 55");
    CHECK(message_of([&] { tamis::repack<bf16, neuron_major>(source.view(), memory); }) == "");
}

TEST_CASE("repack: memory that the source lies in") {
    std::vector<std::byte> memory(3 * 64);
    const tamis::matrix<bf16, output_major> source{memory.data() + 64, 4, 8};
    const auto said = [&](std::size_t first) {
        return message_of(
            [&] { tamis::repack<bf16, neuron_major>(source, std::span{memory}.subspan(first)); });
    };
    CHECK(said(64).starts_with("tamis::repack: the result would overwrite the source"));
    CHECK(said(1).starts_with("tamis::repack: the result would overwrite the source"));
    CHECK(said(127).starts_with("tamis::repack: the result would overwrite the source"));
    CHECK(said(0) == "");
    CHECK(said(128) == "");
}

TEST_CASE("repack: between the rows of a source with gaps is not in the source") {
    std::vector<std::byte> memory(4 * 100, std::byte{0x3f});
    const tamis::matrix<bf16, output_major> source{memory.data(), 4, 8, 100}; // rows of 16 bytes
    const auto said = [&](std::size_t first) {
        return message_of(
            [&] { tamis::repack<bf16, neuron_major>(source, std::span{memory}.subspan(first, 64)); });
    };
    CHECK(said(16) == "");
    CHECK(said(36) == "");
    CHECK(said(216) == "");
    CHECK(said(15).starts_with("tamis::repack: the result would overwrite the source"));
    CHECK(said(37).starts_with("tamis::repack: the result would overwrite the source"));
    CHECK(said(115).starts_with("tamis::repack: the result would overwrite the source"));
    CHECK(said(316) == "");
}
#endif
