#include <tamis_levels.hpp> // written by tamis_compile_for_levels

#include <torch/csrc/stable/library.h>

#include <string>

// Tells torch the schemas, and of the operators those of the best level that this machine runs.

namespace tamis_torch {

using boxed = void (*)(StableIValue*, std::uint64_t, std::uint64_t);
using all_boxed = boxed[4];
TAMIS_CHOOSE_LEVEL(all_boxed, operators)

namespace {

std::string level() {
    const auto best = best_level();
    return best.object != nullptr ? best.name : "none: this processor has no SSE4.2";
}

} // namespace
} // namespace tamis_torch

STABLE_TORCH_LIBRARY(tamis, m) {
    m.def("mask(Tensor x, str rule, Tensor? values=None) -> Tensor");
    m.def("masked(Tensor x, str rule, Tensor? values=None) -> Tensor");
    m.def(
        "glu_ffn(Tensor x, Tensor gate, Tensor up, Tensor down, str rule=\"\", str activation=\"silu\", "
        "Tensor? gate_bias=None, Tensor? up_bias=None, Tensor? down_bias=None, Tensor? norms=None, "
        "Tensor? thresholds=None) -> Tensor");
    m.def("linear(Tensor x, Tensor weight, str rule=\"\", Tensor? bias=None, Tensor? values=None) -> Tensor");
    m.def("level() -> str");
}
STABLE_TORCH_LIBRARY_IMPL(tamis, CPU, m) {
    if (const auto* const best = tamis_torch::best_level().object) {
        m.impl("mask", (*best)[0]);
        m.impl("masked", (*best)[1]);
        m.impl("glu_ffn", (*best)[2]);
        m.impl("linear", (*best)[3]);
    }
}
STABLE_TORCH_LIBRARY_IMPL(tamis, CompositeExplicitAutograd, m) {
    m.impl("level", TORCH_BOX(&tamis_torch::level));
}
