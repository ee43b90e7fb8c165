#include "kernel/int8_formats.hpp"

#include <doctest/doctest.h>

namespace sum_rows_int8_test {

// Sums of rows in integers against the simple loop, for eight rows; any number of them against floats. Where the target adds no
// rows so there is nothing to try.

namespace {

template <class F>
void check_int8_sums(std::size_t columns, std::size_t rows) {
    if constexpr (tamis::detail::sums_int8<F>) {
        engine random{columns + rows};
        const std::vector<std::byte> bytes = moderate_rows<F>(rows, columns, random);
        const tamis::matrix<F, tamis::input_major> w{bytes.data(), rows, columns};
        const std::vector<float> x = coarse_values(rows, random);
        std::vector<float> y(columns + 1, 0.5f);
        std::vector<float> parts = y;
        const tamis::detail::row_list list{w, tamis::all_rows{rows}};
        tamis::detail::sum_listed_rows_int8<F>(list, columns, x.data(), y.data(), 0, columns);
        REQUIRE(y.back() == 0.5f);
        const std::size_t edge = columns / 128 * 64; // no bit depends on how columns are divided
        tamis::detail::sum_listed_rows_int8<F>(list, columns, x.data(), parts.data(), 0, edge);
        tamis::detail::sum_listed_rows_int8<F>(list, columns, x.data(), parts.data(), edge, columns);
        REQUIRE(same_bits(y, parts));
        std::vector<float> floats(columns, 0.5f);
        tamis::sum_rows_plain(w, tamis::all_rows{rows}, x, floats);
        std::vector<float> eight(columns, 0.5f);
        if (rows == 8) {
            const std::byte* memory[8];
            float times[8];
            for (std::size_t k = 0; k < 8; ++k) {
                memory[k] = w.row(k);
                times[k] = x[k];
            }
            tamis::detail::sum_int8_plain<F>(memory, times, columns, eight.data());
        }
        for (std::size_t j = 0; j < columns; ++j) {
            float magnitude = .1f;
            for (std::size_t k = 0; k < rows; ++k) {
                magnitude += std::fabs(x[k] * w.at(k, j)) + std::fabs(x[k] * w.at(k, j / 32 * 32));
            }
            float largest = 0; // of all weights in the block, in steps of which factors are rounded
            for (std::size_t k = 0; k < rows; ++k) {
                for (std::size_t i = j / 32 * 32; i < std::min(columns, j / 32 * 32 + 32); ++i) {
                    largest = std::max(largest, std::fabs(x[k] * w.at(k, i)));
                }
            }
            REQUIRE((rows != 8 || close(y[j], eight[j], 8 * largest + 1)));
            REQUIRE(std::fabs(y[j] - floats[j]) <= static_cast<float>(rows) * largest * 4 / 127 + 1e-3f);
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("sum_rows_int8 equals the simple loop", F, tamis::q4_0, tamis::q4_1, tamis::q5_0,
                   tamis::q4_k) {
    constexpr bool whole = tamis::detail::whole_block_format<F>;
    const std::vector<std::size_t> widths = whole ? std::vector<std::size_t>{256, 768, 1280}
                                                  : std::vector<std::size_t>{1, 31, 33, 64, 200, 513, 1100};
    for (const std::size_t width : widths) {
        for (const std::size_t rows : {std::size_t{1}, std::size_t{8}, std::size_t{27}}) {
            CAPTURE(width);
            CAPTURE(rows);
            check_int8_sums<F>(width, rows);
        }
    }
}

TEST_CASE("sum_rows_int8: what is no number is seen") {
    if constexpr (tamis::detail::sums_int8<tamis::q5_0>) {
        engine random{2};
        const std::vector<std::byte> bytes = moderate_rows<tamis::q5_0>(8, 64, random);
        const tamis::matrix<tamis::q5_0, tamis::input_major> w{bytes.data(), 8, 64};
        std::vector<float> x(8, 1.0f);
        x[5] = std::bit_cast<float>(0x7fc00000u);
        std::vector<float> y(64, 0.0f);
        tamis::detail::sum_listed_rows_int8<tamis::q5_0>({w, tamis::all_rows{8}}, 64, x.data(), y.data(), 0,
                                                         64);
        for (const float value : y) {
            CHECK(tamis::magnitude_bits(value) > tamis::infinity_bits<float>);
        }
    }
}

} // namespace sum_rows_int8_test
