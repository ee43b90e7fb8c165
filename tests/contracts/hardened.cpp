// A row of docs/contracts.md each: what TAMIS_HARDENED refuses. Beside each misuse stands the nearest right use.

#include "support/message.hpp"

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/in_bf16.hpp>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/ffn/projection.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/kernel/rows.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/select_block.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <vector>

#if !defined(TAMIS_HARDENED)
#error "these tests are compiled with TAMIS_HARDENED"
#endif
#if defined(__cpp_exceptions)

namespace {

using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;

constexpr std::size_t width = 4;
constexpr std::size_t neurons = 3;

/// An FFN whose weights and biases lie in memory that may be written, for what must not be.
struct contract_ffn {
    std::vector<float> gate = std::vector<float>(width * neurons, 1.0f), up = gate, down = gate;
    std::vector<float> bias = std::vector<float>(width, 1.0f);
    std::vector<float> x = std::vector<float>(width, 1.0f), y = x;
    tamis::glu_ffn<tamis::glu_weights<by_neurons, by_neurons, by_neurons>, tamis::relu> ffn{
        tamis::glu_weights{by_neurons{gate.data(), neurons, width},
                           by_neurons{up.data(), neurons, width},
                           by_neurons{down.data(), neurons, width},
                           {.down = bias}},
        tamis::relu{}};
    tamis::owned_workspace memory{ffn.workspace_bytes()};

    std::string said_of(std::span<float> to) {
        return message_of([&] { ffn(x, to, memory); });
    }
    /// What is said of a workspace that ends with these floats.
    std::string said_of_workspace(std::vector<float>& over) {
        return message_of([&] { ffn(x, y, tamis::workspace{std::as_writable_bytes(std::span{over})}); });
    }
};

const char* const over_weights =
    "tamis: y or the workspace of a call lies over its weights or biases: give it memory of its own";

/// An executor that runs each task as often as `times` says, in order.
struct careless {
    std::vector<std::size_t> times;

    std::size_t width() const { return 3; }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        for (std::size_t i = 0; i < times.size() && (i < count || times.size() > 3); ++i) {
            for (std::size_t k = 0; k < times[i]; ++k) {
                task(i);
            }
        }
    }
};

std::string said_of_rows(std::vector<std::size_t> times) {
    const std::vector<float> values(12, 1.0f);
    tamis::mask_block masks{3, 4};
    const careless threads{std::move(times)};
    const tamis::threshold rule{0.5};
    tamis::owned_workspace memory{tamis::rows_selection_bytes(rule, 4, threads)};
    return message_of([&] {
        tamis::select_rows(rule, tamis::block<const float>{values.data(), 3, 4}, masks.span(), memory,
                           threads);
    });
}

} // namespace

TEST_CASE("hardened: an entry that a mask has not") {
    tamis::mask m{70};
    const tamis::mask_view view{m};
    CHECK(message_of([&] { (void)m[69], m.set(69, true), (void)view[69]; }) == "");
    CHECK(message_of([&] { (void)m[70]; }) == "tamis::mask: it has 70 entries, asked for was entry 70");
    CHECK(message_of([&] { (void)view[70]; }) == "tamis::mask: it has 70 entries, asked for was entry 70");
    CHECK(message_of([&] { (void)m.span()[127]; }) ==
          "tamis::mask: it has 70 entries, asked for was entry 127");
    CHECK(message_of([&] { m.set(70, true); }) == "tamis::mask: it has 70 entries, to be set was entry 70");
    CHECK(m.count() == 1);
}

TEST_CASE("hardened: bits behind the last entry of a mask") {
    std::array<std::uint64_t, 2> words{~std::uint64_t{0}, 0x3f};
    CHECK(message_of([&] { tamis::mask_view{words, 70}; }) == "");
    CHECK(message_of([&] { tamis::mask_view{words, 64}; }) == ""); // the second word is not of it
    const std::string said =
        "tamis::mask_view: bits behind the last entry are not 0; mask_span::clear_behind makes them so";
    CHECK(message_of([&] { tamis::mask_view{words, 69}; }) == said);
    words[1] |= std::uint64_t{1} << 63;
    CHECK(message_of([&] { tamis::mask_view{words, 70}; }) == said);
    const tamis::mask_span span{words, 70};
    CHECK(message_of([&] { (void)tamis::mask_view{span}; }) == said);
    span.clear_behind();
    CHECK(message_of([&] { (void)tamis::mask_view{span}; }) == "");
}

TEST_CASE("hardened: a row of masks that a block has not") {
    tamis::mask_block masks{2, 5};
    CHECK(message_of([&] { (void)masks.row(1), (void)masks.span().row(1); }) == "");
    CHECK(message_of([&] { (void)masks.row(2); }) ==
          "tamis: a block of masks has 2 rows, asked for was row 2");
    CHECK(message_of([&] { (void)masks.span().row(3); }) ==
          "tamis: a block of masks has 2 rows, asked for was row 3");
}

TEST_CASE("hardened: a row or an entry that values have not") {
    std::vector<float> values(12);
    const tamis::block<float> b{values.data(), 3, 4};
    CHECK(message_of([&] { (void)b.row(2); }) == "");
    CHECK(message_of([&] { (void)b.row(3); }) == "tamis::block: it has 3 rows, asked for was row 3");
    const tamis::strided<float> column{values.data(), 3, 4};
    CHECK(message_of([&] { (void)column[2]; }) == "");
    CHECK(message_of([&] { (void)column[3]; }) == "tamis::strided: it has 3 entries, asked for was entry 3");
}

TEST_CASE("hardened: a row or a weight that a matrix has not") {
    const std::vector<float> values(12);
    const by_neurons m{values.data(), 3, 4};
    CHECK(message_of([&] { (void)m.row(3), (void)m.at(2, 3); }) == ""); // row 3: where the last ends
    CHECK(message_of([&] { (void)m.row(4); }) == "tamis::matrix: it has 3 rows, asked for was row 4");
    CHECK(message_of([&] { (void)m.at(3, 0); }) ==
          "tamis::matrix: it has 3 rows, asked for was a weight of row 3");
    CHECK(message_of([&] { (void)m.at(0, 4); }) ==
          "tamis::matrix: it has 4 columns, asked for was a weight of column 4");
}

TEST_CASE("hardened: active rows out of order, or out of the matrix") {
    const std::vector<float> values(12);
    const by_neurons m{values.data(), 3, 4};
    const auto said = [&](std::vector<std::uint32_t> indices) {
        return message_of([&] { tamis::detail::row_list{m, tamis::active_rows{indices}}; });
    };
    CHECK(said({0, 2}) == "");
    CHECK(said({}) == "");
    CHECK(said({0, 3}) == "tamis: a matrix has 3 rows, but an active row is 3");
    CHECK(said({2, 0}) == "tamis: active rows have to ascend, but row 2 is followed by 0");
    CHECK(said({1, 1}) == "tamis: active rows have to ascend, but row 1 is followed by 1");
}

TEST_CASE("hardened: y over weights or biases") {
    contract_ffn c;
    CHECK(c.said_of(c.y) == "");
    CHECK(c.said_of(std::span{c.gate}.first(width)) == over_weights);
    CHECK(c.said_of(std::span{c.up}.last(width)) == over_weights);
    CHECK(c.said_of(std::span{c.down}.subspan(3, width)) == over_weights);
    CHECK(c.said_of(c.bias) == over_weights);
    CHECK(c.gate[0] == 1.0f);
    // What is inside another FFN, or chosen at run time.
    using any_type = tamis::any_ffn<tamis::formats<tamis::f32>, tamis::gatings<tamis::relu>>;
    const any_type any{c.ffn.weights(), tamis::relu{}};
    tamis::owned_workspace any_memory{any.workspace_bytes()};
    CHECK(message_of([&] { any(c.x, c.y, any_memory); }) == "");
    CHECK(message_of([&] { any(c.x, c.bias, any_memory); }) == over_weights);
    const auto rounded = tamis::in_bf16{c.ffn};
    tamis::owned_workspace rounded_memory{rounded.workspace_bytes()};
    CHECK(message_of([&] { rounded(c.x, std::span{c.down}.first(width), rounded_memory); }) == over_weights);
    const tamis::plain_weights plain{c.ffn.weights().up, c.ffn.weights().down, {}, c.bias};
    const tamis::plain_ffn ungated{plain, tamis::relu{}};
    CHECK(message_of([&] { ungated(c.x, c.bias, c.memory); }) == over_weights);
    CHECK(message_of([&] { ungated(c.x, c.gate, c.memory); }) != over_weights); // it has none
    const tamis::projection project{
        tamis::linear_weights{tamis::matrix<tamis::f32, tamis::output_major>{c.gate.data(), neurons, width}}};
    tamis::owned_workspace memory{project.workspace_bytes()};
    CHECK(message_of([&] { project(c.x, std::span{c.y}.first(neurons), memory); }) == "");
    CHECK(message_of([&] { project(c.x, std::span{c.gate}.first(neurons), memory); }) == over_weights);
}

TEST_CASE("hardened: a workspace over weights or biases") {
    contract_ffn c;
    std::vector<float> own(1024, 1.0f);
    CHECK(c.said_of_workspace(own) == "");
    // The down matrix within what is given as a workspace.
    const auto inside =
        tamis::glu_weights{by_neurons{c.gate.data(), neurons, width}, by_neurons{c.up.data(), neurons, width},
                           by_neurons{own.data() + 900, neurons, width}};
    const tamis::glu_ffn ffn{inside, tamis::relu{}};
    const auto bytes = std::as_writable_bytes(std::span{own});
    CHECK(message_of([&] { ffn(c.x, c.y, tamis::workspace{bytes}); }) == over_weights);
    CHECK(message_of([&] { ffn(c.x, c.y, tamis::workspace{bytes.first(896 * sizeof(float))}); }) == "");
}

TEST_CASE("hardened: an executor that leaves out a task, or runs one twice, or one that there is not") {
    CHECK(said_of_rows({1, 1, 1}) == "");
    CHECK(said_of_rows({1, 0, 1}) ==
          "tamis: an executor has to run each task once, but task 1 was run 0 times");
    CHECK(said_of_rows({1, 1, 2}) ==
          "tamis: an executor has to run each task once, but task 2 was run 2 times");
    CHECK(said_of_rows({1, 1, 1, 1}) == "tamis: an executor was given 3 tasks, but ran task 3");
    contract_ffn c;
    const careless leaves_out{{1}};
    tamis::owned_workspace memory{c.ffn.workspace_bytes(leaves_out)};
    CHECK(message_of([&] {
              c.ffn(c.x, c.y, memory, leaves_out);
          }).starts_with("tamis: an executor has to run each task once"));
}

TEST_CASE("hardened: values, mask and workspace of a selection that overlap") {
    std::vector<std::uint64_t> words(64);
    const auto bytes = std::as_writable_bytes(std::span{words});
    float* const values =
        reinterpret_cast<float*>(words.data()); // of memory that words lie in: never written as such
    const tamis::mask_span mask{std::span{words}.subspan(32, 1), 8};
    const tamis::threshold rule{0.5};
    const auto said = [&](const float* from, tamis::workspace w) {
        return message_of([&] { tamis::select(rule, std::span{from, 8}, mask, w); });
    };
    const std::string overlap =
        "tamis::select: the values, the mask and the workspace overlap: give each memory of its own";
    const std::vector<float> others(8, 1.0f);
    CHECK(said(others.data(), tamis::workspace{bytes.first(8 * 24)}) == "");
    CHECK(said(others.data(), tamis::workspace{bytes}) == overlap);
    CHECK(said(values + 60, {}) == overlap);
    CHECK(said(values + 56, {}) == "");
    CHECK(said(values + 16, tamis::workspace{bytes.first(8 * 24)}) == overlap);
}

TEST_CASE("hardened: more objects from a workspace than can be") {
    tamis::owned_workspace memory{1024};
    CHECK(message_of([&] {
              memory.view().take<double>((~std::size_t{0} >> 3) + 2);
          }).starts_with("tamis::workspace: at most "));
}

#endif
