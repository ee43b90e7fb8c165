#include "support/message.hpp"

#include <tamis/ffn/repack.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/matrix_views.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

// Matrices in one tensor with others: where they begin, and that they are not taken for memory of their own.

namespace {

template <class L>
using floats = tamis::matrix<tamis::f32, L>;
using by_neurons = tamis::neuron_major;
using by_inputs = tamis::input_major;

std::vector<float> counted(std::size_t n) {
    std::vector<float> values(n);
    std::iota(values.begin(), values.end(), 0.0f);
    return values;
}

} // namespace

TEST_CASE("matrix_stack: matrix e begins e matrices behind the first") {
    const std::vector<float> values = counted(4 * 3 * 5);
    const tamis::matrix_stack<tamis::f32, by_neurons> stack{values.data(), 4, 3, 5};
    CHECK(stack.size() == 4);
    for (std::size_t e = 0; e < 4; ++e) {
        const floats<by_neurons> m = stack[e];
        CHECK(m.rows() == 3);
        CHECK(m.columns() == 5);
        CHECK(m.at(2, 1) == static_cast<float>(e * 15 + 11));
    }
    // with gaps behind rows and matrices
    const tamis::matrix_stack<tamis::f32, by_inputs> apart{values.data(), 3, 2, 4, 20, 60};
    CHECK(apart[2].at(1, 3) == 30 + 5 + 3);
    // blocks of 32 weights in 18 bytes
    const std::vector<std::byte> bytes(2 * 3 * 2 * 18);
    const tamis::matrix_stack<tamis::q4_0, by_neurons> blocks{bytes.data(), 2, 3, 64};
    CHECK(blocks[1].row(0) == bytes.data() + 3 * 36);
    const tamis::matrix_stack<tamis::f32, by_neurons> nothing{values.data(), 0, 3, 5};
    CHECK(nothing.size() == 0);
}

TEST_CASE("halves_of: outputs of the second behind those of the first, by rows or by columns") {
    const std::vector<float> values = counted(6 * 4);
    const auto [gate, up] = tamis::halves_of(floats<by_neurons>{values.data(), 6, 4});
    CHECK(gate.rows() == 3);
    CHECK(up.rows() == 3);
    CHECK(gate.at(2, 3) == 11);
    CHECK(up.at(0, 0) == 12);
    CHECK(up.at(2, 3) == 23);
    const auto [left, right] = tamis::halves_of(floats<by_inputs>{values.data(), 6, 4});
    CHECK(left.columns() == 2);
    CHECK(right.rows() == 6);
    CHECK(left.at(5, 1) == 21);
    CHECK(right.at(5, 1) == 23);
    const std::vector<std::byte> bytes(4 * 72);
    const auto [first, second] =
        tamis::halves_of(tamis::matrix<tamis::q4_0, by_inputs>{bytes.data(), 4, 128});
    CHECK(second.row(1) == bytes.data() + 72 + 36);
    CHECK(first.columns() == 64);
}

TEST_CASE("alternate_rows_of: rows that take turns") {
    const std::vector<float> values = counted(6 * 4);
    const auto [gate, up] = tamis::alternate_rows_of(floats<by_neurons>{values.data(), 6, 4});
    CHECK(gate.rows() == 3);
    CHECK(gate.at(0, 1) == 1);
    CHECK(gate.at(2, 1) == 17);
    CHECK(up.at(0, 1) == 5);
    CHECK(up.at(2, 1) == 21);
    // of one expert of a stack
    const tamis::matrix_stack<tamis::f32, by_neurons> experts{values.data(), 3, 2, 4};
    CHECK(tamis::alternate_rows_of(experts[2]).second.at(0, 0) == 20);
    CHECK(tamis::alternate_rows_of(floats<by_neurons>{values.data(), 0, 4}).second.rows() == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("views that are none") {
    const std::vector<float> values(64);
    CHECK(message_of([&] {
              tamis::halves_of(floats<by_neurons>{values.data(), 5, 4});
          }) == "tamis::halves_of: 5 outputs are not twice as many");
    CHECK(message_of([&] {
              tamis::halves_of(floats<by_inputs>{values.data(), 4, 5});
          }) == "tamis::halves_of: 5 outputs are not twice as many");
    CHECK(message_of([&] {
              tamis::alternate_rows_of(floats<by_neurons>{values.data(), 5, 4});
          }) == "tamis::alternate_rows_of: 5 rows are not twice as many");
    const auto said = [&](auto m) { return message_of([&] { tamis::halves_of(m); }).substr(0, 46); };
    const auto* const bytes = reinterpret_cast<const std::byte*>(values.data());
    CHECK(said(tamis::matrix<tamis::q4_0, by_inputs>{bytes, 2, 96}) ==
          "tamis::halves_of: rows of 96 weights do not di");
    CHECK(said(tamis::matrix<tamis::q4_0, by_inputs>{bytes, 2, 32}) ==
          "tamis::halves_of: rows of 32 weights do not di");
    CHECK(said(tamis::matrix<tamis::int8_by_row, by_inputs>{bytes, 2, 8}) ==
          "tamis::halves_of: rows of 8 weights do not div");
    using stack = tamis::matrix_stack<tamis::f32, by_neurons>;
    CHECK(message_of([&] {
              stack{values.data(), 2, 4, 4}[2];
          }) == "tamis::matrix_stack: there are 2 matrices, but 2 is asked for");
    CHECK(message_of([&] { stack{values.data(), 2, 4, 4, 16, 60}; }) ==
          "tamis::matrix_stack: a matrix takes 64 bytes, but the next begins after 60");
    CHECK(message_of([&] { stack{static_cast<const float*>(nullptr), 2, 4, 4}; }) != "");
}

TEST_CASE("repack_in_place: what another matrix has between rows, or behind the last, is not overwritten") {
    std::vector<float> values = counted(8 * 6);
    const std::vector<float> before = values;
    const auto memory = std::as_writable_bytes(std::span{values});
    const floats<by_neurons> fused{values.data(), 8, 6};
    const auto in_turn = tamis::alternate_rows_of(fused);
    const auto behind = tamis::halves_of(fused);
    const auto columns = tamis::halves_of(floats<by_inputs>{values.data(), 8, 6});
    CHECK(message_of([&] { tamis::repack_in_place<tamis::f32, by_inputs>(in_turn.first, memory); }) != "");
    CHECK(message_of([&] { tamis::repack_in_place<tamis::f32, by_inputs>(in_turn.second, memory); }) != "");
    CHECK(message_of([&] { tamis::repack_in_place<tamis::f32, by_inputs>(behind.second, memory); }) != "");
    CHECK(message_of([&] { tamis::repack_in_place<tamis::f32, by_neurons>(columns.first, memory); }) != "");
    CHECK(values == before);
    // a half fills its own memory
    tamis::repack_in_place<tamis::f32, by_inputs>(behind.first, memory.first(4 * 6 * sizeof(float)));
    CHECK(values[1] == 6);
    CHECK(std::vector<float>(values.begin() + 24, values.end()) ==
          std::vector<float>(before.begin() + 24, before.end()));
}
#endif
