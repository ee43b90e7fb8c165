#include "kernels.hpp"

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <atomic>
#include <stdexcept>

// torch.ops.tamis.mask, glu_ffn and linear, by torch's stable ABI: schemas, checks of what comes, and torch's threads. Every tensor is
// read where it lies; the layout of a weight is what its strides say, so there is no packed copy that could be older than it.

namespace tamis_torch {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

[[noreturn]] void refuse(const std::string& what) { throw std::runtime_error("tamis::" + what); }

const char* format_of(const Tensor& t, const std::string& name) {
    switch (t.scalar_type()) {
        case ScalarType::Float: return "f32";
        case ScalarType::Half: return "f16";
        case ScalarType::BFloat16: return "bf16";
        default: refuse(name + " is neither float32, float16 nor bfloat16; convert it: .to(torch.float32)");
    }
}
std::string shape_of(const Tensor& t) {
    std::string text = "[";
    for (std::int64_t i = 0; i < t.dim(); ++i) {
        text += (i == 0 ? "" : ", ") + std::to_string(t.size(i));
    }
    return text + "]";
}
std::size_t unsigned_of(std::int64_t n) { return static_cast<std::size_t>(n); }

/// Floats of a tensor, contiguous: it itself, or a copy.
Tensor as_floats(const Tensor& t) {
    return torch::stable::contiguous(
        t.scalar_type() == ScalarType::Float ? t : torch::stable::to(t, std::optional{ScalarType::Float}));
}
floats_2d rows_of(const Tensor& floats) {
    const std::size_t columns = unsigned_of(floats.size(floats.dim() - 1));
    return {static_cast<float*>(floats.data_ptr()), columns == 0 ? 0 : unsigned_of(floats.numel()) / columns,
            columns};
}
/// x as rows of floats. Refuses what is no block of vectors of so many numbers.
Tensor input_of(const std::string& name, const Tensor& x, std::int64_t columns, const Tensor* weight) {
    format_of(x, name);
    if (x.dim() == 0 || (columns >= 0 && x.size(x.dim() - 1) != columns)) {
        refuse(name + " has the shape " + shape_of(x) + "; its last size has to be " +
               (columns < 0 ? "that of a vector" : std::to_string(columns)));
    }
    if (weight != nullptr && x.scalar_type() != weight->scalar_type()) {
        refuse(name + " and the weights have different dtypes (" + format_of(x, name) + ", " +
               format_of(*weight, name) + "); convert one: x.to(weight.dtype)");
    }
    return as_floats(x);
}

/// A weight where it lies. `columns_wanted`: what is meant where both orders are possible.
matrix_2d matrix_of(const std::string& name, const Tensor& w, bool columns_wanted) {
    const char* const format = format_of(w, name);
    if (w.dim() != 2) {
        refuse(name + " has the shape " + shape_of(w) + "; it is a matrix, outputs x inputs");
    }
    const std::int64_t rows = w.size(0);
    const std::int64_t columns = w.size(1);
    if (rows == 0 || columns == 0) {
        refuse(name + " has the shape " + shape_of(w) + ": it is empty");
    }
    // a size of 1 has any stride: rows then lie as if directly behind each other
    const auto fits = [](std::int64_t inner, std::int64_t of_inner, std::int64_t outer,
                         std::int64_t of_outer) {
        return (inner == 1 || of_inner == 1) && (outer == 1 || of_outer >= inner);
    };
    const bool by_rows = fits(columns, w.stride(1), rows, w.stride(0));
    const bool by_columns = fits(rows, w.stride(0), columns, w.stride(1));
    if (!by_rows && !by_columns) {
        refuse(name + " has the strides (" + std::to_string(w.stride(0)) + ", " +
               std::to_string(w.stride(1)) +
               "); its rows or its columns have to be contiguous: .contiguous()");
    }
    const bool transposed = by_columns && (columns_wanted || !by_rows);
    const std::int64_t stride =
        transposed ? (columns == 1 ? rows : w.stride(1)) : (rows == 1 ? columns : w.stride(0));
    return {"",        format, w.data_ptr(), unsigned_of(rows), unsigned_of(columns), unsigned_of(stride),
            transposed};
}
/// The floats of an optional vector, kept in `held`.
std::span<const float> vector_of(const std::string& name, const std::optional<Tensor>& t, Tensor& held) {
    if (!t) {
        return {};
    }
    format_of(*t, name);
    if (t->dim() != 1) {
        refuse(name + " has the shape " + shape_of(*t) + "; it is a vector");
    }
    held = as_floats(*t);
    return {static_cast<const float*>(held.data_ptr()), unsigned_of(held.numel())};
}
void need_size(const std::string& name, std::span<const float> v, std::size_t n) {
    if (!v.empty() && v.size() != n) {
        refuse(name + " has " + std::to_string(v.size()) + " entries; it needs " + std::to_string(n));
    }
}

/// torch's threads, as many as the caller set: each takes tasks as long as there are any.
void run_on_torch(std::size_t width, std::size_t count, void (*task)(void*, std::size_t), void* held) {
    const std::size_t workers = width < count ? width : count;
    if (workers < 2) {
        for (std::size_t i = 0; i < count; ++i) {
            task(held, i);
        }
        return;
    }
    std::atomic<std::size_t> next{0};
    torch::stable::parallel_for(0, static_cast<std::int64_t>(workers), 1, [&](std::int64_t, std::int64_t) {
        for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
            task(held, i);
        }
    });
}
crew torch_threads() { return {torch::stable::get_num_threads(), run_on_torch}; }

const kernels& best() {
    const kernels* const found = best_kernels();
    if (found == nullptr) {
        refuse("this processor has no SSE4.2: there are no kernels for it");
    }
    return *found;
}

/// What the sizes of x become, with another last one.
Tensor output_for(const Tensor& x, std::size_t columns) {
    std::vector<std::int64_t> sizes(unsigned_of(x.dim()));
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        sizes[i] = x.size(static_cast<std::int64_t>(i));
    }
    sizes.back() = static_cast<std::int64_t>(columns);
    return torch::stable::new_empty(x, {sizes.data(), sizes.size()});
}
Tensor rounded_to(const Tensor& y, const Tensor& x) {
    return x.scalar_type() == ScalarType::Float ? y : torch::stable::to(y, std::optional{x.scalar_type()});
}

Tensor mask(const Tensor& x, const std::string& text, const std::optional<Tensor>& values) {
    const std::vector<rule> rules = read_rules(text, 3);
    if (rules.size() != 1) {
        refuse("mask: rule '" + text + "' has to be one rule: top_p=0.9, for example");
    }
    const Tensor floats = input_of("mask: x", x, -1, nullptr);
    Tensor held;
    const std::span<const float> with = vector_of("mask: values", values, held);
    const Tensor out = torch::stable::new_empty(floats, floats.sizes(), std::optional{ScalarType::Bool});
    best().mask(rows_of(floats), rules[0], {with, with}, static_cast<bool*>(out.data_ptr()), torch_threads());
    return out;
}

Tensor glu_ffn(const Tensor& x, const Tensor& gate, const Tensor& up, const Tensor& down,
               const std::string& text, const std::string& activation, const std::optional<Tensor>& gate_bias,
               const std::optional<Tensor>& up_bias, const std::optional<Tensor>& down_bias,
               const std::optional<Tensor>& norms, const std::optional<Tensor>& thresholds) {
    const std::vector<rule> rules = read_rules(text, 3);
    bool at_input = false;
    bool at_neurons = false;
    std::size_t by_channels = 0;
    for (const rule& r : rules) {
        (r.where == 0 ? at_input : at_neurons) = true;
        by_channels += r.name == "channel_thresholds" ? 1 : 0;
    }
    if (by_channels > 1) {
        refuse("glu_ffn: rule '" + text +
               "' has channel_thresholds at more than one place; thresholds are of one");
    }
    if (activation != "silu" && activation != "gelu_tanh" && activation != "gelu" && activation != "relu") {
        refuse("glu_ffn: there is no activation '" + activation +
               "'; there are silu, gelu_tanh, gelu and relu");
    }
    const matrix_2d weights[3] = {matrix_of("glu_ffn: gate", gate, at_input),
                                  matrix_of("glu_ffn: up", up, at_input),
                                  matrix_of("glu_ffn: down", down, at_neurons)};
    const std::size_t h = weights[0].inputs;
    const std::size_t d = weights[0].outputs;
    if (weights[1].outputs != d || weights[1].inputs != h || weights[2].outputs != h ||
        weights[2].inputs != d) {
        refuse("glu_ffn: gate is " + shape_of(gate) + ", up " + shape_of(up) + " and down " + shape_of(down) +
               "; they have to be [d, h], [d, h] and [h, d]");
    }
    const Tensor floats = input_of("glu_ffn: x", x, static_cast<std::int64_t>(h), &gate);
    Tensor held[5];
    const std::span<const float> biases[3] = {vector_of("glu_ffn: gate_bias", gate_bias, held[0]),
                                              vector_of("glu_ffn: up_bias", up_bias, held[1]),
                                              vector_of("glu_ffn: down_bias", down_bias, held[2])};
    need_size("glu_ffn: gate_bias", biases[0], d);
    need_size("glu_ffn: up_bias", biases[1], d);
    need_size("glu_ffn: down_bias", biases[2], h);
    const numbers with{vector_of("glu_ffn: norms", norms, held[3]),
                       vector_of("glu_ffn: thresholds", thresholds, held[4])};
    const Tensor y = output_for(floats, h);
    try {
        best().glu_ffn(rows_of(floats), rows_of(y), weights, biases, activation, rules, with,
                       torch_threads());
    } catch (const std::invalid_argument& e) {
        const std::string what = e.what();
        throw std::invalid_argument(what.find("saves nothing") == what.npos
                                        ? what
                                        : what + ". In torch: weight.t().contiguous().t() lies transposed");
    }
    return rounded_to(y, x);
}

Tensor linear(const Tensor& x, const Tensor& weight, const std::string& text,
              const std::optional<Tensor>& bias, const std::optional<Tensor>& values) {
    const std::vector<rule> rules = read_rules(text, 0);
    if (rules.size() > 1 || (!rules.empty() && rules[0].where != 0)) {
        refuse("linear: rule '" + text + "' has to be one rule, at the input: top_p=0.9, for example");
    }
    const matrix_2d w = matrix_of("linear: weight", weight, !rules.empty());
    if (!rules.empty() && !w.by_columns) {
        refuse(
            "linear: a mask at the input saves nothing where weight has a row an output; lay it out: "
            "weight.t().contiguous().t()");
    }
    const Tensor floats = input_of("linear: x", x, static_cast<std::int64_t>(w.inputs), &weight);
    Tensor held[2];
    const std::span<const float> of_bias = vector_of("linear: bias", bias, held[0]);
    need_size("linear: bias", of_bias, w.outputs);
    const std::span<const float> with = vector_of("linear: values", values, held[1]);
    const Tensor y = output_for(floats, w.outputs);
    best().linear(rows_of(floats), rows_of(y), w, of_bias, rules.empty() ? nullptr : &rules[0], {with, with},
                  torch_threads());
    return rounded_to(y, x);
}

/// Which kernels were chosen.
std::string level() { return best().level; }

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
    m.impl("mask", TORCH_BOX(&tamis_torch::mask));
    m.impl("glu_ffn", TORCH_BOX(&tamis_torch::glu_ffn));
    m.impl("linear", TORCH_BOX(&tamis_torch::linear));
}
STABLE_TORCH_LIBRARY_IMPL(tamis, CompositeExplicitAutograd, m) {
    m.impl("level", TORCH_BOX(&tamis_torch::level));
}
