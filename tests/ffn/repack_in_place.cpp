#include "ffn/support_repack.hpp"
#include "ffn/support_threads.hpp"
#include "support/message.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

// The result takes the place of the original.

namespace {

using tamis::bf16;
using tamis::f32;
using tamis::neuron_major;
using tamis::output_major;

template <class F, class L, class G>
void check_in_place(std::size_t rows, std::size_t columns) {
    const auto source = random_stored<G, output_major>(rows, columns, rows);
    std::vector<std::byte> expected(tamis::repacked_bytes<F, L>(source.view()));
    tamis::repack<F, L>(source.view(), expected);
    for (const std::size_t width : {1u, 2u, 7u}) {
        CAPTURE(rows);
        CAPTURE(width);
        const std::vector<std::byte> original = bytes_of(source.view());
        std::vector<std::byte> memory = original;
        std::vector<std::size_t> shown;
        const auto result =
            tamis::repack_in_place<F, L>(tamis::matrix<G, output_major>{memory.data(), rows, columns},
                                         tamis::whole_memory{memory}, threads_of(width),
                                         [&](std::size_t done, std::size_t all) {
                                             CHECK(all == expected.size());
                                             CHECK((memory == original) ==
                                                   (done != all || expected == original));
                                             shown.push_back(done);
                                         });
        CHECK(result.row(0) == memory.data());
        CHECK(bytes_of(result) == expected);
        CHECK(shown.front() == 0);
        CHECK(shown.back() == expected.size());
        CHECK(std::is_sorted(shown.begin(), shown.end()));
    }
}

} // namespace

TEST_CASE("repack_in_place: another layout, another format, both") {
    for (const auto& [rows, columns] : shapes_to_repack) {
        check_in_place<bf16, neuron_major, bf16>(rows, columns);
        check_in_place<bf16, output_major, f32>(rows, columns);
        check_in_place<bf16, neuron_major, f32>(rows, columns);
    }
    check_in_place<tamis::q8_0, neuron_major, bf16>(64, 96);
    check_in_place<f32, neuron_major, f32>(1030, 700); // more than a stretch of the way back
}

TEST_CASE("repack_in_place: rows that lay apart lie together") {
    engine random{1};
    const auto values = coarse_values(40 * 70, random);
    std::vector<std::byte> memory(8 + 40 * 300, std::byte{0xff});
    const tamis::matrix<f32, output_major> source{memory.data() + 8, 40, 70, 300};
    for (std::size_t i = 0; i < 40; ++i) {
        f32::pack(std::span{values}.subspan(i * 70, 70), memory.data() + 8 + i * 300);
    }
    const auto result = tamis::repack_in_place<f32, output_major>(source, tamis::whole_memory{memory});
    CHECK(result.row(0) == memory.data());
    CHECK(result.stride_bytes() == 280);
    CHECK(std::memcmp(memory.data(), values.data(), values.size() * sizeof(float)) == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("repack_in_place: refusals leave the original") {
    std::vector<std::byte> memory(4 * 8 * 2 + 10, std::byte{0x3f});
    const std::vector<std::byte> before = memory;
    const tamis::matrix<bf16, output_major> source{memory.data(), 4, 8};
    CHECK(message_of([&] { tamis::repack_in_place<f32, neuron_major>(source, memory); }) ==
          "tamis::repack_in_place: the result takes 128 bytes, but the memory has 74");
    CHECK(message_of([&] {
              tamis::repack_in_place<bf16, neuron_major>(source, std::span{memory}.subspan(1));
          }).starts_with("tamis::repack_in_place: the source does not lie in the memory"));
    const tamis::matrix<bf16, output_major> behind{memory.data() + 11, 4, 8};
    CHECK(message_of([&] {
              tamis::repack_in_place<bf16, neuron_major>(behind, memory);
          }).starts_with("tamis::repack_in_place: the source does not lie in the memory"));
    const auto stop = [](std::size_t, std::size_t) { throw std::runtime_error("enough"); };
    CHECK(message_of([&] {
              tamis::repack_in_place<bf16, neuron_major>(source, memory, tamis::serial{}, stop);
          }) == "enough");
    CHECK(memory == before);
}

TEST_CASE("repack_in_place: nothing is overwritten that is not the source's, unless it is said to be free") {
    // Rows of gate and up in turn, as some engines keep them: 6 rows of 8 weights each.
    std::vector<std::byte> both(6 * 2 * 8 * 2, std::byte{0x3f});
    const std::vector<std::byte> before = both;
    const tamis::matrix<bf16, output_major> gate{both.data(), 6, 8, 32};
    const tamis::matrix<bf16, output_major> up{both.data() + 16, 6, 8, 32};
    const std::string apart = "tamis::repack_in_place: the source's rows of 16 bytes lie 32 bytes apart";
    CHECK(message_of([&] { tamis::repack_in_place<bf16, neuron_major>(gate, both); }).starts_with(apart));
    CHECK(message_of([&] { tamis::repack_in_place<bf16, output_major>(up, both); }).starts_with(apart));
    // One behind the other in one memory.
    const tamis::matrix<bf16, output_major> first{both.data(), 6, 8};
    const tamis::matrix<bf16, output_major> second{both.data() + 96, 6, 8};
    const std::string others = "tamis::repack_in_place: the result would overwrite memory before or behind";
    CHECK(message_of([&] { tamis::repack_in_place<bf16, neuron_major>(second, both); }).starts_with(others));
    CHECK(message_of([&] { tamis::repack_in_place<f32, neuron_major>(first, both); }).starts_with(others));
    CHECK(both == before);
    CHECK(message_of([&] { tamis::repack_in_place<bf16, neuron_major>(first, both); }) == "");
    CHECK(message_of([&] {
              tamis::repack_in_place<bf16, neuron_major>(second, std::span{both}.subspan(96));
          }) == "");
    CHECK(message_of([&] { tamis::repack_in_place<f32, neuron_major>(first, tamis::whole_memory{both}); }) ==
          "");
    // A single row has no gaps, whatever its stride.
    const tamis::matrix<bf16, output_major> row{both.data(), 1, 8, 64};
    CHECK(message_of([&] { tamis::repack_in_place<bf16, neuron_major>(row, both); }) == "");
}
#endif
