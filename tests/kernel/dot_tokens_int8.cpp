#include "kernel/int8_formats.hpp"

#include <doctest/doctest.h>

#include <tamis/kernel/dot_tokens_int8.hpp>

namespace dot_tokens_int8_test {

// Dot products of several tokens in integers against the simple loop: widths around a block and a stretch, rows around a tile,
// listed and not. A token's are the same bits whatever tokens and rows are taken with it.

namespace {

template <class F>
void check_dot_tokens(std::size_t columns, std::size_t rows, std::size_t tokens, bool listed) {
    engine random{columns + 100 * rows + tokens};
    const std::vector<std::byte> bytes = moderate_rows<F>(rows + 2, columns, random);
    const tamis::matrix<F, tamis::neuron_major> w{bytes.data(), rows + 2, columns};
    padded_rows x{tokens, columns, 3};
    x.fill(random);
    using values_type = tamis::detail::int8_dot_values<F>;
    constexpr std::size_t run = tamis::detail::run_of_codes<F>;
    tamis::owned_workspace memory{values_type::bytes(tokens, columns)};
    tamis::owned_workspace others{values_type::bytes(tokens, columns) +
                                  tamis::detail::int8_values::bytes(tokens, columns, run)};
    tamis::workspace left = memory;
    const values_type values{x.view(), left};
    const std::vector<std::uint32_t> some = some_rows(rows, rows + 2, random);
    const tamis::detail::row_list list =
        listed ? tamis::detail::row_list{w, tamis::active_rows{some}}
               : tamis::detail::row_list{w, tamis::all_rows{rows + 2}.part(1, rows)};
    padded_rows y{tokens, rows + 2, 2};
    values.dot(list, columns, y.view());
    REQUIRE(y.is_whole_between());

    left = others;
    const tamis::detail::int8_values apart{x.view(), run, left};
    for (std::size_t token = 0; token < tokens; ++token) {
        std::size_t listed_rows = 0;
        for (std::size_t i = 0; i < rows + 2; ++i) {
            const bool is_listed = listed_rows < rows && list[listed_rows] == i;
            REQUIRE((y.row(token)[i] == sentinel) == !is_listed);
            if (is_listed) {
                ++listed_rows;
                float magnitude = .1f;
                for (std::size_t j = 0; j < columns; ++j) {
                    magnitude += std::fabs(w.at(i, j) * x.row(token)[j]);
                }
                REQUIRE(close(y.row(token)[i],
                              tamis::detail::dot_int8_plain<F>(w.row(i), columns, apart[token]), magnitude));
            }
        }
    }
    if (tokens > 2 && rows > 1) { // the first two tokens and the last row again, by themselves
        const values_type two{tamis::block<const float>{x.row(0).data(), 2, columns,
                                                        static_cast<std::size_t>(x.row(1).data() -
                                                                                 x.row(0).data())},
                              left};
        const auto last = static_cast<std::uint32_t>(list[rows - 1]);
        padded_rows again{2, rows + 2, 2};
        two.dot({w, tamis::active_rows{{&last, 1}}}, columns, again.view());
        for (std::size_t token = 0; token < 2; ++token) {
            REQUIRE(same_bits(std::span<const float>{again.row(token)}.subspan(last, 1),
                              std::span<const float>{y.row(token)}.subspan(last, 1)));
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("dot_tokens_int8 equals the simple loop", F, tamis::q8_0, tamis::int8_by_row, tamis::q4_0,
                   tamis::q5_1, tamis::q4_k, tamis::q6_k, tamis::q2_k) {
    constexpr bool whole = tamis::detail::whole_block_format<F>;
    const std::size_t step = whole ? 256 : 1;
    const std::vector<std::size_t> widths =
        whole ? std::vector<std::size_t>{1, 3} : std::vector<std::size_t>{1, 33, 97, 512, 545};
    for (const std::size_t width : widths) {
        CAPTURE(width);
        check_dot_tokens<F>(width * step, 1, 2, true);
        check_dot_tokens<F>(width * step, 8, 3, false);
        check_dot_tokens<F>(width * step, 17, 16, true);
        check_dot_tokens<F>(width * step, 35, 5, width % 2 == 0);
    }
}

TEST_CASE("dot_tokens_int8: a weight of -128, and values of either sign") {
    std::vector<std::byte> bytes(4 + 32, std::byte{0x80});
    const float one = 1;
    std::memcpy(bytes.data(), &one, sizeof one);
    const tamis::matrix<tamis::int8_by_row, tamis::neuron_major> w{bytes.data(), 1, 32};
    std::vector<float> x(64, 127.0f);
    std::fill(x.begin() + 32, x.end(), -127.0f);
    using values_type = tamis::detail::int8_dot_values<tamis::int8_by_row>;
    tamis::owned_workspace memory{values_type::bytes(2, 32)};
    tamis::workspace left = memory;
    const values_type values{tamis::block<const float>{x.data(), 2, 32, 32}, left};
    float y[2] = {};
    values.dot({w, tamis::all_rows{1}}, 32, tamis::block<float>{y, 2, 1, 1});
    CHECK(y[0] == -128 * 32 * 127.0f);
    CHECK(y[1] == 128 * 32 * 127.0f);
}

} // namespace dot_tokens_int8_test
