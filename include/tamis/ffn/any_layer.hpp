#pragma once

#include <tamis/any_block.hpp>
#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/any_format.hpp>
#include <tamis/ffn/any_projection.hpp>
#include <tamis/ffn/layer_parts.hpp>
#include <tamis/ffn/text_gating.hpp>
#include <tamis/ffn/text_policies.hpp>
#include <tamis/text_error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

TAMIS_BEGIN

/// Rows or columns of a matrix of any model are fewer.
inline constexpr std::size_t most_rows = std::size_t{1} << 24;

/// A matrix from another language, of a format of the list. Refuses one that is not in it, weights at a null pointer, and sizes or a stride
/// that overflow; rows of no weights have no stride.
template <class Formats>
any_matrix checked_matrix(const char* name, const any_matrix& m) {
    const std::string text{name};
    need_layout(m.layout());
    need_at_most(text + ".rows", m.rows(), most_rows);
    need_at_most(text + ".columns", m.columns(), most_rows);
    const std::size_t row = any_row_bytes<Formats>(m.format(), m.columns());
    const std::size_t stride = row == 0 || m.stride_bytes() == 0 ? row : m.stride_bytes();
    const std::size_t all = m.rows() == 0 || row == 0 ? 0 : checked_product(name, m.rows() - 1, stride) + row;
    (void)foreign_memory{name, m.data(), all};
    return {m.format(), m.layout(), m.data(), m.rows(), m.columns(), stride};
}

/// One layer of a model, an FFN with or without a gate or a linear layer, of which all is chosen at run time: formats, layouts, gating and
/// rules by their names, the type of x and y by a number_type. For interfaces to other languages and runtimes of graphs, whose
/// descriptions are words, pointers and sizes.
///
///     using layer_of_model = any_layer<formats<f32, bf16, q8_0>, gatings<silu, gelu_tanh>>;
///     layer_of_model ffn{ffn_parts{.gate = gate, .up = up, .down = down, .gating = "silu", .rules = read_site_rules("top_p=.9")}};
///     owned_workspace memory{ffn.workspace_bytes(threads, tokens)};
///     ffn(any_block{number_type::bf16, x, tokens, h, h}, any_output{number_type::bf16, y, tokens, h, h}, memory, threads);
///
/// It is an any_ffn or an any_projection inside, with their bits, their checks and what they promise: making one may allocate, calling does
/// not. Refuses, by name, what these and read_gating, read_rule and read_policies find wrong, and memory that can not be right as far as
/// addresses and sizes tell (foreign_memory.hpp).
template <class Formats, class Gatings>
class any_layer;
/// Of these formats and gatings.
template <class... Fs, class... Gs>
class any_layer<formats<Fs...>, gatings<Gs...>> {
    using all_formats = formats<Fs...>;
    using ffn_type = any_ffn<all_formats, gatings<Gs...>>;
    using linear_type = any_projection<all_formats>;

  public:
    /// An FFN.
    explicit any_layer(const ffn_parts& p)
        : held_{ffn_of(p)}, masks_{masks_of(p)}, neurons_{neurons_of(p.up)} {}
    /// A linear layer.
    explicit any_layer(const linear_parts& p) : held_{linear_of(p)} {}

    /// The length of x.
    std::size_t width() const {
        return ask([](const auto& l) { return l.width(); });
    }
    /// The length of y.
    std::size_t outputs() const {
        const auto* const alone = std::get_if<linear_type>(&held_);
        return alone != nullptr ? alone->outputs() : width();
    }
    /// Bytes of all weights.
    std::uint64_t bytes() const {
        return ask([](const auto& l) { return l.bytes(); });
    }
    /// Bytes of workspace for calls with so many tokens (at a time).
    template <executor E = serial>
    std::size_t workspace_bytes(const E& threads = {}, std::size_t tokens = 1) const {
        return ask([&](const auto& l) { return l.workspace_bytes(threads, tokens); });
    }

    /// y = layer(x): blocks of one type, f32, f16 or bf16. Refuses others, what the calls of any_ffn refuse, and masks over the neurons that
    /// lie in y or the workspace, or have bits behind the last neuron.
    template <executor E = serial, class Observer = no_observer>
    traffic operator()(const any_block& x, const any_output& y, const detail::call_memory& w,
                       const E& threads = {}, Observer&& see = {}) const {
        if (x.type() != y.type() || x.type() == number_type::f64 || x.type() == number_type::int8) {
            fail("tamis::any_layer: x and y are both f32, both f16 or both bf16; convert them");
        }
        if (!masks_.empty()) {
            const auto masks = foreign_memory::of("neurons", masks_.data(), masks_.size());
            const auto left = w.memory.memory_left();
            need_apart({masks, y.memory()});
            need_apart({masks, foreign_memory::of("workspace", left.data(), left.size())});
            need_clear_behind("neurons", masks_, neurons_);
        }
        return with_number(x.type(), [&]<class T>(T) {
            if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::int8_t>) {
                return traffic{};
            } else {
                return ask([&](const auto& l) {
                    return l(x.template as<const T>(), y.template as<T>(), w, threads, see);
                });
            }
        });
    }

  private:
    template <class Call>
    auto ask(Call&& call) const {
        return std::visit(call, held_);
    }
    /// Masks over the neurons, one at least.
    static std::span<const std::uint64_t> masks_of(const ffn_parts& p) {
        need_at_most("neuron_masks", p.neuron_masks, most_rows);
        const std::size_t words = mask_words(neurons_of(p.up)) * (std::max)(p.neuron_masks, std::size_t{1});
        return need_objects_or_none("neurons", p.neurons, words);
    }
    static given known_before(const ffn_parts& p) {
        const std::span<const std::uint64_t> words = masks_of(p);
        const std::size_t neurons = neurons_of(p.up);
        if (p.neuron_masks == 0) {
            return given{mask_view{words, neurons}};
        }
        // given reads alone, but takes a block of masks as one that may be written
        return given{mask_block_span{{const_cast<std::uint64_t*>(words.data()), words.size()},
                                     p.neuron_masks,
                                     neurons}};
    }

    static ffn_type ffn_of(const ffn_parts& p) {
        const any_matrix up = checked_matrix<all_formats>("up", p.up);
        const any_matrix down = checked_matrix<all_formats>("down", p.down);
        const std::size_t d = neurons_of(up);
        const std::size_t h = inputs_of(up);
        const glu_biases biases{need_objects_or_none("gate_bias", p.gate_bias, d),
                                need_objects_or_none("up_bias", p.up_bias, d),
                                need_objects_or_none("down_bias", p.down_bias, h)};
        auto gating = read_gating(gatings<Gs...>{}, p.gating);
        policies_as_text read = read_policies<all_formats>(p.rules, down, p.numbers, p.masks_only);
        fail_if(gating.error + read.error);
        if (p.neurons != nullptr && p.masks_only) {
            read.policies.emplace_back(masks_only(at_neurons(known_before(p))));
        } else if (p.neurons != nullptr) {
            read.policies.emplace_back(at_neurons(known_before(p)));
        }
        const std::span<const any_policy> policies{read.policies};
        if (!p.gate) {
            return {any_plain_weights{up, down, biases.up, biases.down}, std::move(*gating.value), policies};
        }
        const any_matrix gate = checked_matrix<all_formats>("gate", *p.gate);
        return {any_glu_weights{gate, up, down, biases}, std::move(*gating.value), policies};
    }
    static linear_type linear_of(const linear_parts& p) {
        const any_matrix w = checked_matrix<all_formats>("w", p.w);
        const auto bias = need_objects_or_none("bias", p.bias, outputs_of(w));
        if (p.rule.empty()) {
            return linear_type{w, bias};
        }
        rule_reading read = read_rule(p.rule, p.numbers);
        fail_if(read.error);
        return {w, bias, any_policy{site::input, any_selector{std::move(*read.value)}, p.masks_only}};
    }

    std::variant<ffn_type, linear_type> held_;
    std::span<const std::uint64_t> masks_{}; // over the neurons, known before
    std::size_t neurons_ = 0;
};

TAMIS_END
