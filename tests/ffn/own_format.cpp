#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"
#include "format/own_formats.hpp"

#include <tamis/ffn/pack.hpp>

#include <doctest/doctest.h>

namespace own_format_test {

// Formats of the user's own, which know nothing of vectors, in a whole FFN: alone, and mixed with the
// library's.

namespace {

template <std::size_t Subset, std::size_t Layouts, class Gate, class Up, class Down>
void check() {
    for (const auto& size : {std::pair{1, 1}, {17, 33}, {67, 133}}) {
        const auto width = static_cast<std::size_t>(size.first);
        const auto neurons = static_cast<std::size_t>(size.second);
        CAPTURE(width);
        const problem p = random_problem(width, neurons, true, 1);
        const auto weights = store_glu<Layouts, Gate, Up, Down>(p, 5);
        const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
        recorder seen;
        std::vector<float> y(p.width());
        tamis::owned_workspace memory{ffn.workspace_bytes()};
        const tamis::traffic told = ffn(p.x, y, memory, seen);
        CHECK(differences(reference_glu(p, exact_silu, seen.masks()), seen, y) == "");
        CHECK(told.bytes_dense == weights.view().bytes());
    }
}

} // namespace

TEST_CASE("glu_ffn: integers with a scale by row") {
    check<0, 0, int8_by_row, int8_by_row, int8_by_row>();
    check<9, 7, int8_by_row, int8_by_row, int8_by_row>();
    check<6, 4, int8_by_row, int8_by_row, int8_by_row>();
}

TEST_CASE("glu_ffn: three bytes a weight") {
    check<9, 7, three_bytes, three_bytes, three_bytes>();
    check<15, 2, three_bytes, three_bytes, three_bytes>();
}

TEST_CASE("glu_ffn: a format of one's own for each matrix") {
    check<9, 7, int8_by_row, tamis::bf16, three_bytes>();
    check<2, 4, tamis::f32, three_bytes, int8_by_row>();
}

TEST_CASE("pack converts to a format of the user's, rows of which have a head") {
    const problem p = random_problem(17, 33, true, 2);
    const auto weights = store_glu<0, 0>(p);
    const auto packed = tamis::pack<int8_by_row>(weights.view(), tamis::at_intermediate(tamis::top_p{0.9}));
    CHECK(packed.owned_bytes() == 2 * 33 * (4 + 17) + 33 * (4 + 17));
    const tamis::glu_ffn ffn{packed.view(), tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    recorder seen;
    std::vector<float> y(17);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    const tamis::traffic told = ffn(p.x, y, memory, seen);
    CHECK(differences(reference_glu(p, exact_silu, seen.masks()), seen, y) == "");
    CHECK(told.bytes_dense == packed.owned_bytes());
}

TEST_CASE("glu_ffn and pack: blocks with a scale and a minimum that kernels know nothing of") {
    check<9, 7, scale_and_minimum<256>, scale_and_minimum<256>, scale_and_minimum<256>>();
    const problem p = random_problem(67, 133, true, 3);
    const auto weights =
        store_glu<0, scale_and_minimum<256>, scale_and_minimum<256>, scale_and_minimum<256>>(p, 5);
    const auto packed =
        tamis::pack(weights.view(), tamis::at_intermediate(tamis::top_p{0.9})); // transposes down
    CHECK(packed.owned_bytes() == 133 * 264);
    const tamis::glu_ffn ffn{packed.view(), tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    recorder seen;
    std::vector<float> y(67);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory, seen);
    CHECK(differences(reference_glu(p, exact_silu, seen.masks()), seen, y) == "");
}

} // namespace own_format_test
