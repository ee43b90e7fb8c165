#include <tamis/ffn/any_repack.hpp>

#include "ffn/support_threads.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_k.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

namespace any_repack_test {

// What is packed at run time has the bytes of repack.

namespace {

using repackable = tamis::formats<tamis::f32, tamis::bf16, tamis::q8_0, tamis::int8_by_row, tamis::q4_k>;
using tamis::input_major;
using tamis::neuron_major;

constexpr std::size_t repack_rows = 300, repack_columns = 512;

template <class G, class L, class F>
bool repacks_alike(const std::vector<std::byte>& from) {
    // a gap behind each row
    const tamis::matrix<F, neuron_major> source{from.data(), repack_rows, repack_columns,
                                                F::row_bytes(repack_columns) + 4};
    const std::size_t bytes = tamis::repacked_bytes<G, L>(source);
    const auto l = tamis::value_of_layout<L>;
    if (tamis::any_repacked_bytes<repackable>(source, G::name, l) != bytes) {
        return false;
    }
    tamis::aligned_memory expected{bytes};
    tamis::aligned_memory made{bytes};
    tamis::repack<G, L>(source, expected.bytes());
    const tamis::any_matrix m =
        tamis::any_repack<repackable>(source, G::name, l, made.bytes(), threads_of(3));
    return std::memcmp(expected.bytes().data(), made.bytes().data(), bytes) == 0 &&
           m.data() == made.bytes().data() && m.format() == G::name && m.layout() == l;
}
template <class F>
std::vector<std::byte> bytes_to_repack() {
    engine random{7};
    std::vector<std::byte> bytes(repack_rows * (F::row_bytes(repack_columns) + 4));
    for (std::byte& b : bytes) {
        b = static_cast<std::byte>(below(random, 64)); // scales and floats that are finite
    }
    return bytes;
}

} // namespace

TEST_CASE("formats and layouts chosen at run time are packed into the same bytes") {
    using namespace tamis;
    const auto floats = bytes_to_repack<f32>();
    CHECK(repacks_alike<f32, input_major, f32>(floats));
    CHECK(repacks_alike<f32, neuron_major, f32>(floats));
    CHECK(repacks_alike<q8_0, input_major, f32>(floats));
    CHECK(repacks_alike<int8_by_row, input_major, f32>(floats));
    CHECK(repacks_alike<bf16, neuron_major, f32>(floats));
    CHECK(repacks_alike<bf16, input_major, bf16>(bytes_to_repack<bf16>()));
    const auto blocks = bytes_to_repack<q4_k>();
    CHECK(repacks_alike<q8_0, input_major, q4_k>(blocks));
    CHECK(repacks_alike<q8_0, neuron_major, q4_k>(blocks));
    CHECK(repacks_alike<q4_k, neuron_major, q4_k>(blocks));
    CHECK(repacks_alike<f32, input_major, int8_by_row>(bytes_to_repack<int8_by_row>()));
}

#if defined(__cpp_exceptions)
TEST_CASE("packing at run time refuses what can not be packed") {
    std::vector<float> memory(512);
    const auto bytes = std::as_writable_bytes(std::span{memory});
    const auto says = [&](const char* from, const char* to, const void* data, const char* what) {
        return message_of([&] {
                   const tamis::any_matrix m{from, tamis::weight_layout::neuron_major, data, 2, 256};
                   tamis::any_repack<repackable>(m, to, tamis::weight_layout::input_major, bytes);
               }).find(what) != std::string::npos;
    };
    const std::vector<float> source(512);
    CHECK(says("f32", "q4_k", source.data(), "whole blocks of 256"));
    CHECK(says("f32", "f16", source.data(), "the result is 'f16', but this is compiled for f32"));
    CHECK(says("f16", "f32", source.data(), "the matrix is 'f16'"));
    CHECK(says("f32", "f32", memory.data(), "would overwrite the source"));
    const tamis::any_matrix m{"f32", tamis::weight_layout::neuron_major, source.data(), 256, 2};
    CHECK(message_of([&] {
              tamis::any_repack<repackable>(m, "q4_k", tamis::weight_layout::input_major, bytes);
          }).find("q4_k is read alone") != std::string::npos);
    CHECK(message_of([&] {
              tamis::any_repack<repackable>(m, "f32", tamis::weight_layout::input_major, bytes.first(9));
          }).find("takes 2048 bytes, but the memory has 9") != std::string::npos);
}
#endif

} // namespace any_repack_test
