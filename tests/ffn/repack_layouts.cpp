#include "ffn/support_repack.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>

#include <doctest/doctest.h>

// A matrix is transposed if, and only if, what a row of it is changes.

namespace {

template <class F, class L, class K>
bool holds_the_same() {
    constexpr bool transposed = !std::is_same_v<L, K>;
    const auto source = random_stored<tamis::f32, K>(67, 133, 1);
    std::vector<std::byte> memory(tamis::repacked_bytes<F, L>(source.view()));
    const tamis::matrix<F, L> result = tamis::repack<F, L>(source.view(), memory);
    bool same = result.rows() == (transposed ? 133 : 67) && result.columns() == (transposed ? 67 : 133) &&
                result.row(0) == memory.data() && result.stride_bytes() == result.row_bytes() &&
                memory.size() == result.rows() * result.row_bytes();
    for (std::size_t i = 0; same && i < 67; ++i) {
        for (std::size_t j = 0; j < 133; ++j) {
            same = same && source.view().at(i, j) == (transposed ? result.at(j, i) : result.at(i, j));
        }
    }
    return same;
}

template <class L, class K>
void check_layouts() {
    CHECK(holds_the_same<tamis::f32, L, K>());
    CHECK(holds_the_same<tamis::bf16, L, K>()); // coarse weights are not rounded
}

} // namespace

TEST_CASE_TEMPLATE("repack: every layout from every layout", L, tamis::neuron_major, tamis::input_major,
                   tamis::output_major) {
    check_layouts<L, tamis::neuron_major>();
    check_layouts<L, tamis::input_major>();
    check_layouts<L, tamis::output_major>();
}
