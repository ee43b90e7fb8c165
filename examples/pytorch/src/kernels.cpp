#include "kernels.hpp"

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/study/calibrate/calibration.hpp>
#include <tamis/tamis.hpp>

#include <cmath>
#include <stdexcept>

// Compiled once for each level of instruction sets (TAMIS_LEVEL is its name); everything here is therefore in a namespace of the
// level, as tamis itself is.

#ifndef TAMIS_LEVEL
#error "kernels.cpp: TAMIS_LEVEL names the level of instruction sets; see tamis_compile_for_levels"
#endif

namespace tamis_torch {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;

using readable = formats<f32, f16, bf16>;
using gates = gatings<silu, gelu_tanh, gelu, relu>;

/// Calls f with a format, by its name.
template <class... Fs, class Call>
void with_format(formats<Fs...>, std::string_view name, Call&& f) {
    (void)((name == Fs::name ? (f(Fs{}), true) : false) || ...);
}

auto executor_on(const crew& threads) {
    return executor_of{threads.width, [&threads](std::size_t count, auto&& task) {
                           using type = std::remove_reference_t<decltype(task)>;
                           const auto one = [](void* held, std::size_t i) { (*static_cast<type*>(held))(i); };
                           threads.run(threads.width, count, one,
                                       const_cast<void*>(static_cast<const void*>(&task)));
                       }};
}

/// The selector of a rule for n values; what it borrows is `with`'s.
any_selector selector_of(const rule& r, const numbers& with, std::size_t n) {
    if (r.name == "nonzero") {
        return nonzero{};
    }
    if (r.name == study::of_channels) {
        detail::need("tamis: channel_thresholds needs %zu thresholds, a number each, got %zu", n,
                     with.thresholds.size());
        return channel_thresholds{with.thresholds};
    }
    if (r.name == "cett") {
        detail::need("tamis: cett needs %zu norms, a number for each neuron, got %zu", n, with.norms.size());
    }
    return study::selector_of({0, static_cast<site>(r.where), r.name, r.value}, with.norms);
}

void mask_rows(floats_2d x, const rule& r, const numbers& with, bool* out, const crew& threads) {
    const any_selector selects = selector_of(r, with, x.columns);
    const std::size_t parts = std::clamp<std::size_t>(x.rows, 1, threads.width);
    const std::size_t bytes =
        workspace_bytes_of<std::uint64_t>(mask_words(x.columns)) + selects.selection_bytes(x.columns);
    owned_workspace memory{parts * bytes};
    const auto each = memory.view().take<std::byte>(parts * bytes);
    executor_on(threads).run(parts, [&](std::size_t part) {
        for (std::size_t row = part; row < x.rows; row += parts) {
            workspace w{each.subspan(part * bytes, bytes)};
            const mask_span mask{w.take<std::uint64_t>(mask_words(x.columns)), x.columns};
            selects.select({x.data + row * x.columns, x.columns}, mask, w);
            for (std::size_t i = 0; i < x.columns; ++i) {
                out[row * x.columns + i] = mask[i];
            }
        }
    });
}

any_matrix view_of_matrix(const matrix_2d& m, weight_layout by_rows, weight_layout by_columns) {
    const std::size_t entry = m.format == std::string_view{"f32"} ? 4 : 2;
    return {m.format,
            m.by_columns ? by_columns : by_rows,
            m.data,
            m.by_columns ? m.inputs : m.outputs,
            m.by_columns ? m.outputs : m.inputs,
            m.stride * entry};
}

/// Norms are another tensor than the weights that they are of: a few of them are looked at, so that those of weights as they
/// once were (an adapter was merged since) are refused.
void need_norms_of(const matrix_2d& down, std::span<const float> norms) {
    with_format(readable{}, down.format, [&]<class F>(F) {
        using weight = matrix<F, neuron_major>;
        const weight w{down.data, down.inputs, down.outputs, down.stride * F::row_bytes(1)};
        for (std::size_t i = 0; i < 16; ++i) {
            const std::size_t row = (w.rows() - 1) * i / 15;
            float now = 0;
            neuron_norms(weight{w.row(row), 1, w.columns(), w.stride_bytes()}, {&now, 1});
            if (!(std::fabs(now - norms[row]) <= 1e-2f * now)) {
                throw std::invalid_argument("tamis::glu_ffn: norms are not those of W_down (neuron " +
                                            std::to_string(row) + ": " + std::to_string(norms[row]) +
                                            ", not " + std::to_string(now) +
                                            "): the weights were changed; compute them anew: "
                                            "down.float().norm(dim=0), or tamis_torch.refresh(model)");
            }
        }
    });
}

void glu(floats_2d x, floats_2d y, const matrix_2d (&w)[3], const std::span<const float> (&biases)[3],
         std::string_view activation, std::span<const rule> rules, const numbers& with, const crew& threads) {
    std::vector<any_policy> policies;
    for (const rule& r : rules) {
        if (r.name == "cett") {
            detail::need("tamis: cett needs %zu norms, a number for each neuron, got %zu", w[2].inputs,
                         with.norms.size());
            if (w[2].by_columns && w[2].inputs != 0) {
                need_norms_of(w[2], with.norms);
            }
        }
        policies.emplace_back(static_cast<site>(r.where),
                              selector_of(r, with, r.where == 0 ? x.columns : w[0].outputs));
    }
    using ffn = any_ffn<readable, gates>;
    const ffn::gating_type sigma = activation == "silu"        ? ffn::gating_type{silu{}}
                                   : activation == "gelu_tanh" ? ffn::gating_type{gelu_tanh{}}
                                   : activation == "gelu"      ? ffn::gating_type{gelu{}}
                                                               : ffn::gating_type{relu{}};
    const auto gate_or_up = [](const matrix_2d& m) {
        return view_of_matrix(m, weight_layout::neuron_major, weight_layout::input_major);
    };
    const any_glu_weights weights{gate_or_up(w[0]), gate_or_up(w[1]),
                                  view_of_matrix(w[2], weight_layout::output_major,
                                                 weight_layout::neuron_major),
                                  glu_biases{biases[0], biases[1], biases[2]}};
    const ffn whole{weights, sigma, std::span<const any_policy>{policies}};
    const auto on = executor_on(threads);
    owned_workspace memory{whole.workspace_bytes(on, x.rows)};
    whole(block<const float>{x.data, x.rows, x.columns}, block<float>{y.data, y.rows, y.columns}, memory, on);
}

void linear_layer(floats_2d x, floats_2d y, const matrix_2d& m, std::span<const float> bias, const rule* at_x,
                  const numbers& with, const crew& threads) {
    const auto on = executor_on(threads);
    const auto call = [&](const auto& product) {
        owned_workspace memory{product.workspace_bytes(on, x.rows)};
        product(block<const float>{x.data, x.rows, x.columns}, block<float>{y.data, y.rows, y.columns},
                memory, on);
    };
    with_format(readable{}, m.format, [&]<class F>(F) {
        const std::size_t stride = m.stride * F::row_bytes(1);
        if (m.by_columns) {
            const auto w =
                linear_weights{matrix<F, input_major>{m.data, m.inputs, m.outputs, stride}}.biased(bias);
            if (at_x != nullptr) {
                call(projection{w, at_input(selector_of(*at_x, with, x.columns))});
            } else {
                call(projection{w});
            }
        } else {
            call(projection{
                linear_weights{matrix<F, output_major>{m.data, m.outputs, m.inputs, stride}}.biased(bias)});
        }
    });
}

} // namespace

#define TAMIS_TEXT_(x) #x
#define TAMIS_TEXT(x) TAMIS_TEXT_(x)
extern const kernels kernels_of_level;
const kernels kernels_of_level{TAMIS_TEXT(TAMIS_LEVEL), mask_rows, glu, linear_layer};

} // namespace TAMIS_LEVEL
} // namespace tamis_torch
