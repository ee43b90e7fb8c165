#include "kernel/int8_formats.hpp"

#include <doctest/doctest.h>

namespace dot_rows_int8_test {

// Dot products in integers against the simple loop: widths around a block and a stretch, every number of rows around a pass,
// several tokens, whose bits are those of each alone.

namespace {

template <class F>
void check_int8_dots(std::size_t columns, std::size_t rows, std::size_t tokens, bool listed) {
    engine random{columns + 100 * rows + tokens};
    std::vector<std::byte> bytes = moderate_rows<F>(rows + 2, columns, random);
    const tamis::matrix<F, tamis::neuron_major> w{bytes.data(), rows + 2, columns};
    padded_rows x{tokens, columns, 3};
    x.fill(random);
    constexpr std::size_t run = tamis::detail::run_of_codes<F>;
    tamis::owned_workspace memory{2 * tamis::detail::int8_values::bytes(tokens, columns, run)};
    tamis::workspace left = memory;
    const tamis::detail::int8_values values{x.view(), run, left};
    const std::vector<std::uint32_t> some = some_rows(rows, rows + 2, random);
    const tamis::detail::row_list list =
        listed ? tamis::detail::row_list{w, tamis::active_rows{some}}
               : tamis::detail::row_list{w, tamis::all_rows{rows + 2}.part(1, rows)};
    padded_rows y{tokens, rows + 2, 2};
    tamis::detail::dot_listed_rows_int8<F>(list, columns, values, y.view());
    REQUIRE(y.is_whole_between());
    for (std::size_t token = 0; token < tokens; ++token) {
        const tamis::detail::int8_values alone{tamis::block<const float>{x.row(token).data(), 1, columns,
                                                                         columns},
                                               run, left};
        left = memory;
        left.take<std::byte>(tamis::detail::int8_values::bytes(tokens, columns, run));
        std::vector<float> of_token(rows + 2, sentinel);
        tamis::detail::dot_listed_rows_int8<F>(list, columns, alone,
                                               tamis::block<float>{of_token.data(), 1, rows + 2, rows + 2});
        REQUIRE(same_bits(of_token, y.row(token)));
        std::vector<float> expected(rows + 2, sentinel);
        float magnitude = 0;
        for (std::size_t k = 0; k < rows; ++k) {
            expected[list[k]] = tamis::detail::dot_int8_plain<F>(w.row(list[k]), columns, values[token]);
            magnitude = 0;
            for (std::size_t j = 0; j < columns; ++j) {
                magnitude += std::fabs(w.at(list[k], j) * x.row(token)[j]);
            }
            REQUIRE(close(of_token[list[k]], expected[list[k]], magnitude + .1f));
        }
        for (std::size_t i = 0; i < rows + 2; ++i) {
            REQUIRE((of_token[i] == sentinel) == (expected[i] == sentinel));
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("dot_rows_int8 equals the simple loop", F, tamis::q8_0, tamis::int8_by_row, tamis::q4_0,
                   tamis::q4_1, tamis::mxfp4, tamis::q4_k, tamis::q6_k) {
    constexpr bool whole = tamis::detail::whole_block_format<F>;
    const std::size_t step = whole ? 256 : 1;
    const std::vector<std::size_t> widths =
        whole ? std::vector<std::size_t>{1, 2, 3, 5}
              : std::vector<std::size_t>{1, 31, 32, 33, 97, 511, 512, 545, 1100};
    for (const std::size_t width : widths) {
        CAPTURE(width);
        for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{21}}) {
            check_int8_dots<F>(width * step, rows, 1, rows % 2 == 1);
        }
        for (const std::size_t tokens : {std::size_t{2}, std::size_t{5}}) {
            check_int8_dots<F>(width * step, 6, tokens, tokens == 2);
        }
    }
}

TEST_CASE("dot_rows_int8: a weight of -128, and values of either sign") {
    std::vector<std::byte> bytes(4 + 32, std::byte{0x80});
    const float one = 1;
    std::memcpy(bytes.data(), &one, sizeof one);
    const tamis::matrix<tamis::int8_by_row, tamis::neuron_major> w{bytes.data(), 1, 32};
    for (const float value : {127.0f, -127.0f}) {
        const std::vector<float> x(32, value);
        tamis::owned_workspace memory{tamis::detail::int8_values::bytes(1, 32, 32)};
        tamis::workspace left = memory;
        const tamis::detail::int8_values values{tamis::block<const float>{x.data(), 1, 32, 32}, 32, left};
        float y = 0;
        tamis::detail::dot_listed_rows_int8<tamis::int8_by_row>({w, tamis::all_rows{1}}, 32, values,
                                                                tamis::block<float>{&y, 1, 1, 1});
        CHECK(y == -128 * 32 * value);
    }
}

TEST_CASE("dot_rows_int8: weights at their zero give zero, whatever the scale") {
    engine random{3};
    std::vector<std::byte> bytes(34 * 20, std::byte{0});
    for (std::size_t block = 0; block < 20; ++block) {
        bytes[34 * block] = static_cast<std::byte>(random());
        bytes[34 * block + 1] = std::byte{0x3c};
    }
    const tamis::matrix<tamis::q8_0, tamis::neuron_major> w{bytes.data(), 1, 640};
    const std::vector<float> x = coarse_values(640, random);
    tamis::owned_workspace memory{tamis::detail::int8_values::bytes(1, 640, 32)};
    tamis::workspace left = memory;
    const tamis::detail::int8_values values{tamis::block<const float>{x.data(), 1, 640, 640}, 32, left};
    float y = 1;
    tamis::detail::dot_listed_rows_int8<tamis::q8_0>({w, tamis::all_rows{1}}, 640, values,
                                                     tamis::block<float>{&y, 1, 1, 1});
    CHECK(y == 0);
}

} // namespace dot_rows_int8_test
