#include "kernel/support.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

namespace dot_rows_test {

// The fast dot products against the plain loop: every width around the vectors' and every number of rows
// around a pass's, lists of active rows and all of them.

namespace {

/// n rows of a width, of which some are active; memory behind the vectors is not touched.
template <class F, class Rows>
bool agrees(const tamis::matrix<F, tamis::neuron_major>& w, Rows rows, engine& random) {
    const std::vector<float> x = coarse_values(w.columns(), random);
    std::vector<float> expected(w.rows() + 1, sentinel);
    std::vector<float> y = expected;
    tamis::dot_rows_plain(w, rows, x, expected);
    tamis::dot_rows(w, rows, x, y);
    for (std::size_t i = 0; i < w.rows(); ++i) {
        if (!close(y[i], expected[i], 20.0f)) { // a row that is not listed keeps its sentinel in both
            return false;
        }
    }
    return y.back() == sentinel;
}

template <class F>
void check_all(std::size_t gap, std::size_t misaligned, const std::vector<std::size_t>& at = widths()) {
    engine random{gap + 64 * misaligned};
    for (const std::size_t width : at) {
        for (std::size_t count = 0; count <= 20; ++count) {
            if (!takes_turn()) {
                continue;
            }
            const std::size_t n = count + 3;
            const stored<F, tamis::neuron_major> w{random_dense(n, width, random), true, gap, misaligned};
            const std::vector<std::uint32_t> listed = some_rows(count, n, random);
            CAPTURE(width);
            CAPTURE(count);
            REQUIRE(listed.size() == count);
            REQUIRE(agrees(w.view(), tamis::active_rows{listed}, random));
            REQUIRE(agrees(w.view(), tamis::all_rows{n}, random));
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("dot_rows equals the plain loop", F, ALL_FORMATS) { check_all<F>(0, 0); }

TEST_CASE_TEMPLATE("dot_rows equals the plain loop over several stretches", F, ALL_FORMATS) {
    check_all<F>(0, 0, long_widths());
    check_all<F>(6, 1, {2100});
}

TEST_CASE_TEMPLATE("dot_rows: rows with a leading dimension, at odd addresses", F, ALL_FORMATS) {
    check_all<F>(6, 1);
    check_all<F>(64, 2);
}

TEST_CASE_TEMPLATE("dot_rows: memory at every misalignment", F, ALL_FORMATS) {
    engine random{3};
    for (std::size_t misaligned = 0; misaligned < 64; ++misaligned) {
        CAPTURE(misaligned);
        const stored<F, tamis::neuron_major> w{random_dense(19, 45, random), true, misaligned % 5,
                                               misaligned};
        CHECK(agrees(w.view(), tamis::all_rows{19}, random));
    }
}

} // namespace dot_rows_test
