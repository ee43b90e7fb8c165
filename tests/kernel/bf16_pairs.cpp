#include "kernel/support.hpp"

#include <doctest/doctest.h>
#include <tamis/kernel/bf16_pairs.hpp>

namespace bf16_pairs_test {

// Products of bf16 by pairs against the simple loops, where the target has them.

#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VL__)

TEST_CASE("bf16 by pairs equals the simple loops") {
    for (const std::size_t columns : {1u, 31u, 32u, 33u, 64u, 100u, 600u}) {
        for (const std::size_t rows : {1u, 3u, 4u, 8u, 13u}) {
            CAPTURE(columns);
            CAPTURE(rows);
            engine random{columns * 50 + rows};
            const stored<tamis::bf16, tamis::neuron_major> w{random_dense(rows, columns, random), true, 2};
            padded_rows x{5, columns, 1};
            x.fill(random);
            for (float& value : x.row(0)) {
                value *= 1.003f; // is rounded
            }
            tamis::owned_workspace memory{tamis::detail::bf16_values::bytes(5, columns)};
            tamis::workspace left = memory;
            const tamis::detail::bf16_values values{x.view(), left};
            padded_rows y{5, rows, 1};
            const tamis::detail::row_list list{w.view(), tamis::all_rows{rows}};
            tamis::detail::dot_listed_bf16_rows(list, columns, values, y.view());
            REQUIRE(y.is_whole_between());
            std::vector<float> alone(rows);
            tamis::detail::dot_listed_bf16_rows(list, columns, values,
                                                tamis::block<float>{alone.data(), 1, rows, rows});
            REQUIRE(same_bits(alone, y.row(0)));
            for (std::size_t token = 0; token < 5; ++token) {
                for (std::size_t k = 0; k < rows; ++k) {
                    REQUIRE(close(y.row(token)[k],
                                  tamis::detail::dot_bf16_plain(w.view().row(k), x.row(token)), 20.0f));
                }
            }
            std::vector<float> factors = coarse_values(rows, random);
            factors[0] = 1.003f;
            std::vector<float> sums(columns + 1, sentinel);
            std::fill_n(sums.begin(), columns, 0.25f);
            std::vector<float> parts = sums;
            std::vector<float> expected = sums;
            const std::size_t edge = columns / 128 * 64;
            tamis::detail::sum_listed_bf16_rows(list, factors.data(), sums.data(), 0, columns);
            tamis::detail::sum_listed_bf16_rows(list, factors.data(), parts.data(), 0, edge);
            tamis::detail::sum_listed_bf16_rows(list, factors.data(), parts.data(), edge, columns);
            CHECK(same_bits(sums, parts));
            for (float& factor : factors) {
                factor = tamis::detail::rounded_to_bf16(factor);
            }
            tamis::sum_rows_plain(w.view(), tamis::all_rows{rows}, factors, expected);
            for (std::size_t j = 0; j <= columns; ++j) {
                REQUIRE(close(sums[j], expected[j], 20.0f));
            }
        }
    }
}

#endif

} // namespace bf16_pairs_test
