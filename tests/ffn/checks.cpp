#include "support/generate.hpp"
#include "support/message.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace checks_test {

// What every call checks of its memory: see docs/contracts.md. The weights are 2 neurons of width 4, all 1.

namespace {

struct checks_case {
    using matrix_type = tamis::matrix<tamis::f32, tamis::neuron_major>;
    std::vector<float> ones = std::vector<float>(8, 1.0f);
    matrix_type w{ones.data(), 2, 4};
    tamis::glu_ffn<tamis::glu_weights<matrix_type, matrix_type, matrix_type>, tamis::linear> ffn{
        tamis::glu_weights{w, w, w}, tamis::linear{}};
    std::vector<float> f = std::vector<float>(256, 1.0f);
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, 4)};

    tamis::block<float> at(std::size_t first, std::size_t rows, std::size_t stride) {
        return {f.data() + first, rows, 4, stride};
    }
    std::span<float> at(std::size_t first) { return std::span{f}.subspan(first, 4); }
};

#if defined(__cpp_exceptions)
const char* const overlap_said = "tamis: an FFN's x and y overlap: give y memory of its own";
#endif

/// Every byte of rows, one by one.
bool overlap_plainly(const tamis::detail::byte_rows& a, const tamis::detail::byte_rows& b) {
    for (std::size_t i = 0; i < a.rows * b.rows; ++i) {
        const auto* const p = static_cast<const char*>(a.first) + i / b.rows * a.stride;
        const auto* const q = static_cast<const char*>(b.first) + i % b.rows * b.stride;
        if (a.bytes != 0 && b.bytes != 0 && p < q + b.bytes && q < p + a.bytes) {
            return true;
        }
    }
    return false;
}

} // namespace

TEST_CASE("overlap: as byte by byte") {
    engine random{1};
    const std::vector<char> memory(100);
    const auto rows = [&] {
        const auto bytes = static_cast<std::size_t>(below(random, 5));
        return tamis::detail::byte_rows{memory.data() + below(random, 40),
                                        static_cast<std::size_t>(below(random, 5)), bytes,
                                        bytes + static_cast<std::size_t>(below(random, 9))};
    };
    std::size_t wrong = 0;
    std::size_t yes = 0;
    for (int i = 0; i < 20000; ++i) {
        const auto a = rows();
        const auto b = rows();
        const bool expected = overlap_plainly(a, b);
        yes += expected ? 1u : 0u;
        wrong += tamis::detail::overlap(a, b) == expected ? 0u : 1u;
    }
    CHECK(wrong == 0);
    CHECK(yes > 2000);
}

TEST_CASE("x and y side by side in the same rows are apart") {
    checks_case c;
    c.ffn(c.at(0, 3, 8), c.at(4, 3, 8), c.memory);
    CHECK(c.f[4] == 2 * 16.0f);
    CHECK(c.f[8] == 1.0f);
    CHECK_NOTHROW(c.ffn(c.at(4, 3, 12), c.at(8, 3, 12), c.memory));
    CHECK_NOTHROW(c.ffn(c.at(0), c.at(4), c.memory));
    CHECK_NOTHROW(c.ffn(c.at(4), c.at(0), c.memory));
}

#if defined(__cpp_exceptions)
TEST_CASE("x and y that overlap are refused") {
    checks_case c;
    const std::vector<float> before = c.f;
    CHECK(message_of([&] { c.ffn(c.at(0), c.at(0), c.memory); }) == overlap_said);
    CHECK(message_of([&] { c.ffn(c.at(0), c.at(3), c.memory); }) == overlap_said);
    CHECK(message_of([&] { c.ffn(c.at(3), c.at(0), c.memory); }) == overlap_said);
    CHECK(message_of([&] { c.ffn(c.at(0, 3, 8), c.at(3, 3, 8), c.memory); }) == overlap_said);
    CHECK(message_of([&] { c.ffn(c.at(0, 3, 8), c.at(13, 3, 8), c.memory); }) == overlap_said);
    CHECK(message_of([&] { c.ffn(c.at(0, 3, 8), c.at(4, 3, 9), c.memory); }) == overlap_said);
    CHECK(message_of([&] { c.ffn(c.at(20, 3, 8), c.at(0, 3, 11), c.memory); }) == overlap_said);
    CHECK(c.f == before);
}

TEST_CASE("a workspace in x or y is refused") {
    checks_case c;
    std::vector<float> x(4);
    const auto bytes = std::as_writable_bytes(std::span{c.f}.subspan(64));
    const tamis::workspace w{bytes};
    const std::string said = "tamis: an FFN's workspace overlaps its x or y: give it memory of its own";
    CHECK(message_of([&] { c.ffn(x, c.at(100), w); }) == said);
    CHECK(message_of([&] { c.ffn(c.at(252), x, w); }) == said);
    CHECK(message_of([&] { c.ffn(x, c.at(60), w); }) == "");
}

TEST_CASE("null pointers where there should be something") {
    checks_case c;
    const float* const nothing = nullptr;
    CHECK(message_of([&] {
              tamis::matrix<tamis::f32, tamis::neuron_major>{nothing, 3, 5};
          }) == "tamis::matrix: 3 rows of 5 weights at a null pointer");
    CHECK(message_of([&] {
              tamis::matrix<tamis::bf16, tamis::output_major>{static_cast<const void*>(nullptr), 1, 2, 64};
          }) == "tamis::matrix: 1 rows of 2 weights at a null pointer");
    CHECK(message_of([&] { tamis::matrix<tamis::f32, tamis::neuron_major>{nothing, 0, 5}; }) == "");
    CHECK(message_of([&] { tamis::matrix<tamis::f32, tamis::neuron_major>{nothing, 5, 0}; }) == "");
    CHECK(message_of([&] {
              tamis::block<const float>{nothing, 2, 4};
          }) == "tamis::block: 2 rows of 4 columns at a null pointer");
    CHECK(message_of([&] { tamis::block<const float>{nothing, 0, 4}; }) == "");
    CHECK(message_of([&] {
              c.ffn(std::span{nothing, 4}, c.at(0), c.memory);
          }) == "tamis::block: 1 rows of 4 columns at a null pointer");
    CHECK(message_of([&] {
              c.ffn(c.at(0), std::span{static_cast<float*>(nullptr), 4}, c.memory);
          }) == "tamis::block: 1 rows of 4 columns at a null pointer");
    CHECK(message_of([&] {
              tamis::glu_weights{c.w, c.w, c.w, {.up = std::span{nothing, 2}}};
          }) == "tamis: a bias has 2 entries, but lies at a null pointer");
}

TEST_CASE("a workspace for fewer tokens than a block has is refused, unless they are asked for") {
    checks_case c;
    tamis::owned_workspace for_one{c.ffn.workspace_bytes()};
    const std::string needed = std::to_string(c.ffn.workspace_bytes(tamis::serial{}, 3));
    const std::string got = std::to_string(c.ffn.workspace_bytes());
    CHECK(message_of([&] { c.ffn(c.at(0, 3, 4), c.at(64, 3, 4), for_one); }) ==
          "tamis::workspace: this call needs " + needed +
              " bytes (workspace_bytes(threads, tokens); for prefill prefill_workspace_bytes), got " + got +
              "; fewer tokens at a time need less: tokens_at_a_time{1, memory}");
    const tamis::traffic one = c.ffn(c.at(0, 3, 4), c.at(64, 3, 4), tamis::tokens_at_a_time{1, for_one});
    const tamis::traffic three = c.ffn(c.at(0, 3, 4), c.at(80, 3, 4), c.memory);
    CHECK(one.bytes_read == 3 * three.bytes_read);
    CHECK(one.bytes_dense == three.bytes_dense);
    CHECK(one.bytes_shared == 0);
    CHECK(three.bytes_shared == 2 * three.bytes_read);
    CHECK(c.ffn(c.at(0, 3, 4), c.at(64, 3, 4), tamis::tokens_at_a_time{0, for_one}).bytes_shared == 0);
}
#endif

} // namespace checks_test
