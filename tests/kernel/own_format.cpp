#include "format/own_formats.hpp"
#include "kernel/support.hpp"

#include <doctest/doctest.h>

namespace own_format_test {

// A format that a user wrote by the concept alone works in both kernels.

static_assert(tamis::packable_format<int8_by_row>);
static_assert(tamis::weight_format<three_bytes>);

namespace {

struct no_at : int8_by_row {
    static double at(const std::byte* row, std::size_t i); // must be a float
};
struct no_pack { // is read alone
    static constexpr const char* name = "no_pack";
    using storage = float;
    static constexpr std::size_t row_bytes(std::size_t n) { return n; }
    static float at(const std::byte*, std::size_t) { return 0; }
};

} // namespace

static_assert(!tamis::weight_format<no_at>);
static_assert(tamis::weight_format<no_pack> && !tamis::packable_format<no_pack>);
static_assert(!tamis::weight_format<float>);

TEST_CASE_TEMPLATE("kernels read a format of the user's", F, int8_by_row, three_bytes) {
    engine random{5};
    for (const std::size_t width : widths()) {
        for (const std::size_t count : {0u, 1u, 7u, 8u, 9u, 20u}) {
            CAPTURE(width);
            CAPTURE(count);
            const dense m = random_dense(count, width, random);
            const stored<F, tamis::neuron_major> w{m, true, 3, 1};

            const std::vector<float> x = coarse_values(width, random);
            std::vector<float> dots(count);
            tamis::dot_rows(w.view(), tamis::all_rows{count}, x, dots);
            const std::vector<float> factors = coarse_values(count, random);
            std::vector<float> sums(width);
            tamis::sum_rows(w.view(), tamis::all_rows{count}, factors, sums);

            std::vector<double> expected_sums(width);
            bool dots_right = true;
            for (std::size_t i = 0; i < count; ++i) {
                double expected = 0;
                for (std::size_t j = 0; j < width; ++j) { // both formats hold the numbers exactly
                    expected += double{m.at(i, j)} * double{x[j]};
                    expected_sums[j] += double{m.at(i, j)} * double{factors[i]};
                }
                dots_right = dots_right && close(dots[i], static_cast<float>(expected), 20.0f);
            }
            bool sums_right = true;
            for (std::size_t j = 0; j < width; ++j) {
                sums_right = sums_right && close(sums[j], static_cast<float>(expected_sums[j]), 20.0f);
            }
            REQUIRE(dots_right);
            REQUIRE(sums_right);
        }
    }
}

} // namespace own_format_test
