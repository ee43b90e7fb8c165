#include <tamis/ffn/any_ffn.hpp>
#include <tamis/study/calibrate/rules_as_text.hpp>
#include <tamis/tamis.hpp>

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <atomic>
#include <cmath>
#include <map>
#include <stdexcept>

// torch.ops.tamis.mask, glu_ffn and linear. Compiled once for each level of instruction sets, whose name is TAMIS_LEVEL. Every tensor is
// read where it lies; the layout of a weight is what its strides say, so there is no packed copy that could be older than it.

namespace tamis_torch {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;
using tamis::study::calibrated_rule;
using torch::headeronly::ScalarType;
using torch::stable::Tensor;

using readable = formats<f32, f16, bf16>;
using any_gates = any_ffn<readable, gatings<silu, gelu_tanh, gelu, relu>>;

[[noreturn]] void refuse(const std::string& what) { throw std::runtime_error("tamis::" + what); }
std::size_t unsigned_of(std::int64_t n) { return static_cast<std::size_t>(n); }

std::vector<calibrated_rule> read_rules(std::string_view text, site without_place) {
    study::rules_as_text read = study::read_calibrated_rules(text, without_place, true);
    if (!read.error.empty()) {
        throw std::invalid_argument(read.error);
    }
    return std::move(read.rules);
}
/// The selector of a rule for n values; it borrows norms, or thresholds.
any_selector selector_of(const calibrated_rule& r, std::size_t n, std::span<const float> norms,
                         std::span<const float> thresholds) {
    if (r.rule == study::exact_zeros) {
        return nonzero{};
    }
    const bool by_channels = r.rule == study::of_channels;
    const std::span<const float> with = by_channels ? thresholds : norms;
    if ((by_channels || r.rule == "cett") && with.size() != n) {
        refuse(r.rule + " needs " + (by_channels ? "thresholds" : "norms") + ", " + std::to_string(n) +
               " numbers, got " + std::to_string(with.size()));
    }
    return by_channels ? any_selector{channel_thresholds{with}} : study::selector_of(r, with);
}

const char* format_of(const Tensor& t, const std::string& name) {
    switch (t.scalar_type()) {
        case ScalarType::Float: return "f32";
        case ScalarType::Half: return "f16";
        case ScalarType::BFloat16: return "bf16";
        default: refuse(name + " is neither float32, float16 nor bfloat16; convert it: .to(torch.float32)");
    }
}
std::string shape_of(const Tensor& t) {
    std::string text;
    for (const std::int64_t n : t.sizes()) {
        text += (text.empty() ? "[" : ", ") + std::to_string(n);
    }
    return text + "]";
}
/// Floats of a tensor, contiguous: it itself, or a copy.
Tensor as_floats(const Tensor& t) {
    return torch::stable::contiguous(
        t.scalar_type() == ScalarType::Float ? t : torch::stable::to(t, std::optional{ScalarType::Float}));
}
block<float> rows_of(const Tensor& floats) {
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
any_matrix matrix_of(const std::string& name, const Tensor& w, weight_layout by_row, weight_layout by_column,
                     bool columns_wanted) {
    const char* const format = format_of(w, name);
    if (w.dim() != 2 || w.numel() == 0) {
        refuse(name + " has the shape " + shape_of(w) + "; it is a matrix, outputs x inputs, not empty");
    }
    const std::int64_t rows = w.size(0);
    const std::int64_t columns = w.size(1);
    // a size of 1 has any stride: rows then lie as if directly behind each other
    const std::int64_t down = rows == 1 ? columns : w.stride(0);
    const std::int64_t right = columns == 1 ? rows : w.stride(1);
    const bool by_rows = (columns == 1 || right == 1) && down >= columns;
    const bool by_columns = (rows == 1 || down == 1) && right >= rows;
    if (!by_rows && !by_columns) {
        refuse(name + " has the strides (" + std::to_string(w.stride(0)) + ", " +
               std::to_string(w.stride(1)) +
               "); its rows or its columns have to be contiguous: .contiguous()");
    }
    const bool transposed = by_columns && (columns_wanted || !by_rows);
    const std::size_t bytes =
        unsigned_of(transposed ? right : down) * (w.scalar_type() == ScalarType::Float ? 4u : 2u);
    const std::size_t lines = unsigned_of(transposed ? columns : rows);
    return {format, transposed ? by_column : by_row, w.data_ptr(),
            lines,  unsigned_of(w.numel()) / lines,  bytes};
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

/// torch's threads, as many as the caller set: each takes tasks as long as there are any.
auto torch_threads() {
    const std::size_t width = torch::stable::get_num_threads();
    return executor_of{width, [width](std::size_t count, auto&& task) {
                           if ((std::min)(width, count) < 2) {
                               return serial{}.run(count, task);
                           }
                           const auto workers = static_cast<std::int64_t>((std::min)(width, count));
                           std::atomic<std::size_t> taken{0};
                           torch::stable::parallel_for(0, workers, 1, [&](std::int64_t, std::int64_t) {
                               for (std::size_t i;
                                    (i = taken.fetch_add(1, std::memory_order_relaxed)) < count;) {
                                   task(i);
                               }
                           });
                       }};
}

/// What the sizes of x become, with another last one.
Tensor output_for(const Tensor& x, std::size_t columns) {
    std::vector<std::int64_t> sizes(x.sizes().begin(), x.sizes().end());
    sizes.back() = static_cast<std::int64_t>(columns);
    return torch::stable::new_empty(x, {sizes.data(), sizes.size()});
}
Tensor rounded_to(const Tensor& y, const Tensor& x) {
    return x.scalar_type() == ScalarType::Float ? y : torch::stable::to(y, std::optional{x.scalar_type()});
}

/// Calls write(row, its mask) for each vector of x's last dimension, on torch's threads.
template <class Write>
void for_each_mask(const Tensor& x, const std::string& text, const std::optional<Tensor>& values,
                   Write&& write) {
    const std::vector<calibrated_rule> rules = read_rules(text, site::intermediate);
    if (rules.size() != 1) {
        refuse("mask: rule '" + text + "' has to be one rule: top_p=0.9, for example");
    }
    const Tensor floats = input_of("mask: x", x, -1, nullptr);
    const block<float> rows = rows_of(floats);
    Tensor held;
    const std::span<const float> with = vector_of("mask: values", values, held);
    const auto threads = torch_threads();
    const std::size_t n = rows.columns();
    const any_selector selects = selector_of(rules[0], n, with, with);
    const std::size_t parts = std::clamp<std::size_t>(rows.rows(), 1, threads.width());
    const std::size_t bytes = workspace_bytes_of<std::uint64_t>(mask_words(n)) + selects.selection_bytes(n);
    owned_workspace memory{parts * bytes};
    const auto each = memory.view().take<std::byte>(parts * bytes);
    threads.run(parts, [&](std::size_t part) {
        for (std::size_t row = part; row < rows.rows(); row += parts) {
            workspace w{each.subspan(part * bytes, bytes)};
            const mask_span active{w.take<std::uint64_t>(mask_words(n)), n};
            selects.select(rows.row(row), active, w);
            write(row, active);
        }
    });
}
Tensor mask_of(const Tensor& x, const std::string& text, const std::optional<Tensor>& values) {
    const Tensor out = torch::stable::new_empty(x, x.sizes(), std::optional{ScalarType::Bool});
    bool* const to = static_cast<bool*>(out.data_ptr());
    for_each_mask(x, text, values, [&](std::size_t row, mask_span active) {
        for (std::size_t i = 0; i < active.size(); ++i) {
            to[row * active.size() + i] = active[i];
        }
    });
    return out;
}
/// x with zeros for what is not active.
Tensor masked_of(const Tensor& x, const std::string& text, const std::optional<Tensor>& values) {
    const Tensor from = torch::stable::contiguous(x);
    const Tensor out = torch::stable::new_empty(from, from.sizes());
    const auto as_bits = [&]<class Bits>(Bits) {
        for_each_mask(from, text, values, [&](std::size_t row, mask_span active) {
            const std::size_t n = active.size();
            Bits* const to = static_cast<Bits*>(out.data_ptr()) + row * n;
            std::copy_n(static_cast<const Bits*>(from.data_ptr()) + row * n, n, to);
            zero_inactive(std::span{to, n}, active);
        });
    };
    x.scalar_type() == ScalarType::Float ? as_bits(std::int32_t{}) : as_bits(std::int16_t{});
    return out;
}

/// Norms are another tensor than the weights that they are of: a few of them are looked at, so that those of weights as they
/// once were (an adapter was merged since) are refused.
void need_norms_of(const any_matrix& down, std::span<const float> norms) {
    const tamis::detail::listed_matrix<readable> listed{"W_down", down};
    listed.as_it_is([&]<class F>(F) {
        for (std::size_t i = 0; i < 16; ++i) {
            const std::size_t row = (down.rows() - 1) * i / 15;
            float now = 0;
            neuron_norms(matrix<F, neuron_major>{listed.data() + row * listed.stride_bytes(), 1,
                                                 down.columns(), listed.stride_bytes()},
                         {&now, 1});
            if (!(std::fabs(now - norms[row]) <= 1e-2f * now) && magnitude_bits(now) < infinity_bits<float>) {
                refuse(
                    "glu_ffn: norms are not those of W_down: the weights were changed; compute them anew: "
                    "down.float().norm(dim=0), or tamis_torch.refresh(model)");
            }
        }
    });
}

Tensor glu_ffn_of(const Tensor& x, const Tensor& gate, const Tensor& up, const Tensor& down,
                  const std::string& text, const std::string& activation,
                  const std::optional<Tensor>& gate_bias, const std::optional<Tensor>& up_bias,
                  const std::optional<Tensor>& down_bias, const std::optional<Tensor>& norms_or_none,
                  const std::optional<Tensor>& thresholds_or_none) {
    using enum weight_layout;
    const std::vector<calibrated_rule> rules = read_rules(text, site::intermediate);
    const auto at_input = [](const calibrated_rule& r) { return r.where == site::input; };
    const bool to_input = std::any_of(rules.begin(), rules.end(), at_input);
    const bool to_neurons = !std::all_of(rules.begin(), rules.end(), at_input);
    using gating_type = any_gates::gating_type;
    const std::map<std::string, gating_type> known{{"silu", silu{}},
                                                   {"gelu_tanh", gelu_tanh{}},
                                                   {"gelu", gelu{}},
                                                   {"relu", relu{}}};
    const auto sigma = known.find(activation);
    if (sigma == known.end()) {
        refuse("glu_ffn: there is no activation '" + activation + "'; there are silu, gelu_tanh, gelu, relu");
    }
    const any_matrix w_gate = matrix_of("glu_ffn: gate", gate, neuron_major, input_major, to_input);
    const any_matrix w_up = matrix_of("glu_ffn: up", up, neuron_major, input_major, to_input);
    const any_matrix w_down = matrix_of("glu_ffn: down", down, output_major, neuron_major, to_neurons);
    const std::size_t d = unsigned_of(gate.size(0));
    const std::size_t h = unsigned_of(gate.size(1));
    const Tensor floats = input_of("glu_ffn: x", x, gate.size(1), &gate);
    Tensor held[5];
    const glu_biases biases{vector_of("glu_ffn: gate_bias", gate_bias, held[0]),
                            vector_of("glu_ffn: up_bias", up_bias, held[1]),
                            vector_of("glu_ffn: down_bias", down_bias, held[2])};
    const auto norms = vector_of("glu_ffn: norms", norms_or_none, held[3]);
    const auto thresholds = vector_of("glu_ffn: thresholds", thresholds_or_none, held[4]);
    std::vector<any_policy> policies;
    for (const calibrated_rule& r : rules) {
        policies.emplace_back(r.where, selector_of(r, at_input(r) ? h : d, norms, thresholds));
    }
    const Tensor y = output_for(floats, h);
    try {
        const any_gates ffn{any_glu_weights{w_gate, w_up, w_down, biases}, sigma->second,
                            std::span<const any_policy>{policies}};
        if (text.find("cett") != text.npos) {
            need_norms_of(w_down, norms);
        }
        const auto threads = torch_threads();
        owned_workspace memory{ffn.workspace_bytes(threads, rows_of(floats).rows())};
        ffn(rows_of(floats), rows_of(y), memory, threads);
    } catch (const std::invalid_argument& e) {
        const bool lies_wrong = std::string_view{e.what()}.find("saves nothing") != std::string_view::npos;
        throw std::invalid_argument(
            e.what() +
            std::string{lies_wrong ? ". In torch: weight.t().contiguous().t() lies transposed" : ""});
    }
    return rounded_to(y, x);
}

Tensor linear_of(const Tensor& x, const Tensor& weight, const std::string& text,
                 const std::optional<Tensor>& bias, const std::optional<Tensor>& values) {
    const std::vector<calibrated_rule> rules = read_rules(text, site::input);
    if (rules.size() > 1 || (!rules.empty() && rules[0].where != site::input)) {
        refuse("linear: rule '" + text + "' has to be one rule, at the input: top_p=0.9, for example");
    }
    const any_matrix w = matrix_of("linear: weight", weight, weight_layout::output_major,
                                   weight_layout::input_major, !rules.empty());
    const bool by_columns = w.layout() == weight_layout::input_major;
    if (!rules.empty() && !by_columns) {
        refuse(
            "linear: a mask at the input saves nothing where weight has a row an output; lay it out: "
            "weight.t().contiguous().t()");
    }
    const Tensor floats = input_of("linear: x", x, weight.size(1), &weight);
    Tensor held[2];
    const auto of_bias = vector_of("linear: bias", bias, held[0]);
    const auto with = vector_of("linear: values", values, held[1]);
    const Tensor y = output_for(floats, unsigned_of(weight.size(0)));
    const auto threads = torch_threads();
    const auto call = [&](const auto& product) {
        owned_workspace memory{product.workspace_bytes(threads, rows_of(floats).rows())};
        product(rows_of(floats), rows_of(y), memory, threads);
    };
    const tamis::detail::listed_matrix<readable> listed{"weight", w};
    listed.as_it_is([&]<class F>(F) {
        if (!by_columns) {
            const matrix<F, output_major> rows{w.data(), w.rows(), w.columns(), w.stride_bytes()};
            return call(projection{linear_weights{rows}.biased(of_bias)});
        }
        const auto columns =
            linear_weights{matrix<F, input_major>{w.data(), w.rows(), w.columns(), w.stride_bytes()}}.biased(
                of_bias);
        if (rules.empty()) {
            return call(projection{columns});
        }
        call(projection{columns, at_input(selector_of(rules[0], w.rows(), with, with))});
    });
    return rounded_to(y, x);
}

} // namespace

extern void (*const operators[4])(StableIValue*, std::uint64_t, std::uint64_t);
void (*const operators[4])(StableIValue*, std::uint64_t,
                           std::uint64_t) = {TORCH_BOX(&mask_of), TORCH_BOX(&masked_of),
                                             TORCH_BOX(&glu_ffn_of),
                                             TORCH_BOX(&linear_of)}; // as torch calls them

} // namespace TAMIS_LEVEL
} // namespace tamis_torch
