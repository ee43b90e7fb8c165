#include "kernel/int8_formats.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

#include <tamis/kernel/sum_tokens_int8.hpp>

namespace sum_tokens_int8_test {

// Sums of rows for several tokens in integers: 32 rows against the simple loop, any number of them against floats within what
// rounding may cost, columns divided anywhere, and tokens that want nothing. Where the target adds no rows so, what is tried is
// the simple loop against floats.

namespace {

/// What is summed of 32 rows at a time, by the kernel or by the simple loop.
template <class F>
void sum_by_groups(const tamis::matrix<F, tamis::input_major>& w, std::span<const std::uint32_t> some,
                   tamis::block<const float> x, tamis::block<float> y, bool plain, std::size_t edge) {
    if constexpr (tamis::detail::sums_tokens_int8<F>) {
        if (!plain) {
            const tamis::detail::row_list list{w, tamis::active_rows{some}};
            tamis::detail::sum_listed_rows_of_tokens_int8<F>(list, w.columns(), x, y, 0, edge);
            if (edge < w.columns()) {
                tamis::detail::sum_listed_rows_of_tokens_int8<F>(list, w.columns(), x, y, edge, w.columns());
            }
            return;
        }
    }
    for (std::size_t first = 0; first < some.size(); first += 32) {
        const std::size_t count = std::min(some.size() - first, std::size_t{32});
        std::vector<const std::byte*> rows;
        std::vector<float> values(x.rows() * count);
        for (std::size_t k = 0; k < count; ++k) {
            rows.push_back(w.row(some[first + k]));
            for (std::size_t token = 0; token < x.rows(); ++token) {
                values[token * count + k] = x.row(token)[some[first + k]];
            }
        }
        tamis::detail::sum_tokens_int8_plain<F>(
            rows, w.columns(), tamis::block<const float>{values.data(), x.rows(), count, count}, y);
    }
}

/// The power of two of a row's stretch, and the largest magnitude that its weights in the block of column j can have.
template <class F>
std::pair<double, double> unit_and_largest(const tamis::matrix<F, tamis::input_major>& w, std::size_t row,
                                           std::size_t j) {
    using by = tamis::detail::int8_requantised<F>;
    const std::size_t start = j / 512 * 512;
    const std::size_t runs = (std::min<std::size_t>(w.columns() - start, 512) + 31) / 32;
    float scales[tamis::detail::code_units<F>::runs_a_stretch];
    float offsets[tamis::detail::code_units<F>::runs_a_stretch] = {};
    F::codes::numbers(w.row(row), start, runs, scales, offsets);
    float of_row = 0;
    for (std::size_t r = 0; r < runs; ++r) {
        of_row = std::max(of_row, by::largest(scales[r], offsets[r]));
    }
    const std::size_t r = (j - start) / 32;
    return {by::unit_of_row(tamis::magnitude_bits(of_row)), by::largest(scales[r], offsets[r])};
}

template <class F>
void check_sum_tokens(std::size_t columns, std::size_t rows, std::size_t tokens) {
    if (!takes_turn()) {
        return;
    }
    engine random{columns + rows};
    const std::vector<std::byte> bytes = moderate_rows<F>(rows + 2, columns, random);
    const tamis::matrix<F, tamis::input_major> w{bytes.data(), rows + 2, columns};
    padded_rows x{tokens, rows + 2, 3};
    x.fill(random);
    for (std::size_t i = 0; i < rows + 2; ++i) {
        x.row(0)[i] = 0; // one wants nothing, others not all
        x.row(tokens - 1)[i] *= i % 3 == 0 ? 0.0f : 1.0f;
    }
    const std::vector<std::uint32_t> some = some_rows(rows, rows + 2, random);
    padded_rows y{tokens, columns, 2};
    padded_rows parts{tokens, columns, 2};
    padded_rows expected{tokens, columns, 2};
    for (std::size_t token = 0; token < tokens; ++token) {
        for (std::size_t j = 0; j < columns; ++j) {
            y.row(token)[j] = parts.row(token)[j] = expected.row(token)[j] = .5f;
        }
    }
    sum_by_groups(w, some, x.view(), y.view(), false, columns);
    sum_by_groups(w, some, x.view(), parts.view(), false, columns / 128 * 64);
    sum_by_groups(w, some, x.view(), expected.view(), true, columns);
    REQUIRE(y.is_whole_between());
    for (std::size_t token = 0; token < tokens; ++token) {
        REQUIRE(same_bits(y.row(token), parts.row(token)));
        for (std::size_t j = 0; j < columns; ++j) {
            double exact = .5;
            double off = 0;
            double magnitude = .5;
            for (std::size_t first = 0; first < some.size(); first += 32) {
                const std::size_t end = std::min(first + 32, some.size());
                double most_x = 0;
                double most_w = 0;
                std::vector<double> units;
                for (std::size_t k = first; k < end; ++k) {
                    const auto [unit, largest] = unit_and_largest(w, some[k], j);
                    units.push_back(unit);
                    most_x = std::max(most_x, std::fabs(double{x.row(token)[some[k]]}) * unit);
                    most_w = std::max(most_w, largest / unit);
                }
                for (std::size_t k = first; k < end; ++k) {
                    const double value = x.row(token)[some[k]];
                    const double weight = w.at(some[k], j);
                    const double unit = units[k - first];
                    exact += value * weight;
                    magnitude += std::fabs(value * weight);
                    off += std::fabs(value) * unit * most_w * .8 / 127 +
                           (std::fabs(weight) / unit + most_w / 127) * most_x / 253;
                }
            }
            REQUIRE(std::fabs(double{y.row(token)[j]} - exact) <= off + magnitude * 1e-5);
            REQUIRE(close(y.row(token)[j], expected.row(token)[j], static_cast<float>(magnitude + off)));
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("sum_tokens_int8 equals the simple loop", F, tamis::q8_0, tamis::q4_0, tamis::q5_1,
                   tamis::q4_k, tamis::mxfp4) {
    constexpr bool whole = tamis::detail::whole_block_format<F>;
    const std::vector<std::size_t> widths =
        whole ? std::vector<std::size_t>{256, 768} : std::vector<std::size_t>{33, 545};
    for (const std::size_t width : widths) {
        CAPTURE(width);
        check_sum_tokens<F>(width, 1, 2);
        check_sum_tokens<F>(width, 32, 5);
        check_sum_tokens<F>(width, 43, 16);
    }
}

} // namespace sum_tokens_int8_test
