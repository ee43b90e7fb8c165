#include "format/own_formats.hpp"
#include "kernel/support.hpp"

#include <tamis/kernel/unpack.hpp>

#include <doctest/doctest.h>

namespace own_blocks_test {

// Formats of the user's own with blocks that kernels know no scale of, at all widths: what lies behind a row, and between its
// last weight and the end of its last block, is read as NaN, and must not be.

namespace {

/// The products in double; the formats hold these weights exactly.
template <class F>
void check_blocks(std::size_t width, std::size_t count, engine& random) {
    CAPTURE(width);
    CAPTURE(count);
    const dense m = random_dense(count, width, random);
    const stored<F, tamis::neuron_major> w{m, true, 5, 1};
    const std::vector<float> x = coarse_values(width, random);
    const std::vector<float> factors = coarse_values(count, random);
    std::vector<float> dots(count);
    tamis::dot_rows(w.view(), tamis::all_rows{count}, x, dots);
    std::vector<float> dots_of_two(2 * count);
    std::vector<float> x_twice = x;
    x_twice.insert(x_twice.end(), x.begin(), x.end());
    tamis::dot_rows_of_block(w.view(), tamis::all_rows{count},
                             tamis::block<const float>{x_twice.data(), 2, width},
                             tamis::block<float>{dots_of_two.data(), 2, count});
    std::vector<float> sums(width);
    const std::size_t middle = width / 2 / 64 * 64;
    tamis::sum_rows(w.view(), tamis::all_rows{count}, factors, sums, middle, width);
    tamis::sum_rows(w.view(), tamis::all_rows{count}, factors, sums, 0, middle);
    std::vector<double> expected_sums(width);
    std::vector<float> unpacked(width);
    bool right = true;
    for (std::size_t i = 0; i < count; ++i) {
        double expected = 0;
        for (std::size_t j = 0; j < width; ++j) {
            expected += double{m.at(i, j)} * double{x[j]};
            expected_sums[j] += double{m.at(i, j)} * double{factors[i]};
        }
        tamis::unpack(w.view(), i, 0, width, unpacked.data());
        right = right && close(dots[i], static_cast<float>(expected), 20.0f) &&
                close(dots_of_two[i], static_cast<float>(expected), 20.0f) &&
                close(dots_of_two[count + i], static_cast<float>(expected), 20.0f) &&
                same_bits(unpacked, std::span{m.values}.subspan(i * width, width));
    }
    for (std::size_t j = 0; j < width; ++j) {
        right = right && close(sums[j], static_cast<float>(expected_sums[j]), 20.0f);
    }
    REQUIRE(right);
}

template <class F>
void check_all_blocks() {
    engine random{7};
    for (std::size_t width = 0; width <= 70; ++width) {
        check_blocks<F>(width, 1 + width % 9, random);
    }
    for (const std::size_t width : {95u, 96u, 127u, 255u, 256u, 257u, 271u, 272u, 511u, 513u, 640u, 1100u}) {
        for (const std::size_t count : {1u, 8u, 13u}) {
            check_blocks<F>(width, count, random);
        }
    }
}

} // namespace

static_assert(!tamis::detail::scaled_format<scale_and_minimum<256>>);

TEST_CASE("a format with load and block, and a scale and a minimum that it keeps to itself") {
    check_all_blocks<scale_and_minimum<256>>();
    check_all_blocks<scale_and_minimum<48>>();
}

TEST_CASE("a format whose load scales a row by itself") { check_all_blocks<scaled_by_itself>(); }

TEST_CASE("blocks of any length, read by at") {
    check_all_blocks<blocks_by_at<24>>();
    check_all_blocks<blocks_by_at<4>>();
}

} // namespace own_blocks_test
