#include "ffn/support_check.hpp"
#include "support/turn.hpp"

#include <tamis/format/f16.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

// Formats that round, in a whole FFN, against Eigen in double with the weights as `at` reads them: what they lost when
// they were packed is the packing's part.

namespace {

/// The weights that a matrix holds, in the order of the formulas.
template <class M>
dense read_back(const M& m, bool rows_are_outputs) {
    dense all{rows_are_outputs ? m.rows() : m.columns(), rows_are_outputs ? m.columns() : m.rows(), {}};
    for (std::size_t i = 0; i < all.outputs; ++i) {
        for (std::size_t j = 0; j < all.inputs; ++j) {
            all.values.push_back(rows_are_outputs ? m.at(i, j) : m.at(j, i));
        }
    }
    return all;
}

template <std::size_t Subset, std::size_t Layouts, class Gate, class Up, class Down>
void check(std::size_t width, std::size_t neurons) {
    CAPTURE(Subset);
    CAPTURE(Layouts);
    CAPTURE(width);
    problem p = random_problem(width, neurons, true, Subset);
    const auto weights = store_glu<Layouts, Gate, Up, Down>(p, 5);
    p.gate = read_back(weights.gate.view(), (Layouts & 1) == 0);
    p.up = read_back(weights.up.view(), (Layouts & 2) == 0);
    p.down = read_back(weights.down.view(), (Layouts & 4) == 0);
    const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    recorder seen;
    std::vector<float> y(width);
    const tamis::traffic told = ffn(p.x, y, memory, seen);
    CHECK(differences(reference_glu(p, exact_silu, seen.masks()), seen, y) == "");
    CHECK(told.bytes_dense == weights.view().bytes());
    CHECK(told.bytes_read <= told.bytes_dense);
}

template <std::size_t Subset, std::size_t Layouts, class Gate, class Up, class Down>
void check_sizes() {
    check<Subset, Layouts, Gate, Up, Down>(1, 1);
    check<Subset, Layouts, Gate, Up, Down>(17, 33);
    check<Subset, Layouts, Gate, Up, Down>(64, 160);
    check<Subset, Layouts, Gate, Up, Down>(67, 133);
}

} // namespace

TEST_CASE_TEMPLATE("glu_ffn: a format for all matrices", F, tamis::f32, tamis::f16, tamis::bf16, tamis::q8_0,
                   tamis::q4_0, tamis::int8_by_row) {
    check_sizes<9, 7, F, F, F>();
    check_sizes<9, 3, F, F, F>();
    check_sizes<0, 0, F, F, F>();
    check_sizes<6, 4, F, F, F>();
    if (takes_turn()) {
        check<9, 7, F, F, F>(600, 1100);
    }
}

TEST_CASE("glu_ffn: formats mixed") {
    check_sizes<15, 7, tamis::q4_0, tamis::q8_0, tamis::f16>();
    check_sizes<2, 4, tamis::int8_by_row, tamis::q4_0, tamis::q8_0>();
    check_sizes<4, 0, tamis::q8_0, tamis::int8_by_row, tamis::f32>();
}
