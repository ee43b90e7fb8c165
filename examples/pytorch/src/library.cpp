#include <tamis_levels.hpp> // written by tamis_compile_for_levels

#include <torch/csrc/stable/library.h>

#include <cstdlib>
#include <string>
#include <utility>

// Tells torch the schemas, and of the operators those of the best level that this machine runs.

namespace tamis_torch {
using boxed = void (*)(StableIValue*, std::uint64_t, std::uint64_t);
#define TAMIS_DECLARE(name, runs)    \
    namespace name {                 \
    extern const boxed operators[3]; \
    }
TAMIS_FOR_EACH_LEVEL(TAMIS_DECLARE)

namespace {

/// Those of the newest level that this machine runs; TAMIS_MOST_LEVEL measures an older machine's on it.
std::pair<const boxed*, std::string> best() {
    std::pair<const boxed*, std::string> found{nullptr, "none: this processor has no SSE4.2"};
    const char* most = std::getenv("TAMIS_MOST_LEVEL");
#define TAMIS_TRY(name, runs)                                \
    if (runs && (most == nullptr || found.second != most)) { \
        found = {name::operators, #name};                    \
    }
    TAMIS_FOR_EACH_LEVEL(TAMIS_TRY)
    return found;
}
std::string level() { return best().second; }

} // namespace
} // namespace tamis_torch

STABLE_TORCH_LIBRARY(tamis, m) {
    m.def("mask(Tensor x, str rule, Tensor? values=None) -> Tensor");
    m.def(
        "glu_ffn(Tensor x, Tensor gate, Tensor up, Tensor down, str rule=\"\", str activation=\"silu\", "
        "Tensor? gate_bias=None, Tensor? up_bias=None, Tensor? down_bias=None, Tensor? norms=None, "
        "Tensor? thresholds=None) -> Tensor");
    m.def("linear(Tensor x, Tensor weight, str rule=\"\", Tensor? bias=None, Tensor? values=None) -> Tensor");
    m.def("level() -> str");
}
STABLE_TORCH_LIBRARY_IMPL(tamis, CPU, m) {
    if (const tamis_torch::boxed* const best = tamis_torch::best().first) {
        m.impl("mask", best[0]);
        m.impl("glu_ffn", best[1]);
        m.impl("linear", best[2]);
    }
}
STABLE_TORCH_LIBRARY_IMPL(tamis, CompositeExplicitAutograd, m) {
    m.impl("level", TORCH_BOX(&tamis_torch::level));
}
