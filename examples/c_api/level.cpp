#include "level.hpp"

#include <tamis/any_select.hpp>
#include <tamis/ffn/any_layer.hpp>
#include <tamis/tamis.hpp>

// What needs kernels: compiled once for each level of instruction sets, whose name is TAMIS_LEVEL; everything is therefore in a namespace of
// the level.

#ifndef TAMIS_C_FORMATS
#define TAMIS_C_FORMATS                                                                                     \
    f32, f16, bf16, int8_by_row, q8_0, q5_1, q5_0, q4_1, q4_0, q6_k, q5_k, q4_k, q3_k, q2_k, iq4_nl, mxfp4, \
        tq2_0
#endif

namespace tamis_c {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;

using all_formats = formats<TAMIS_C_FORMATS>;
using all_gatings =
    gatings<silu, gelu, gelu_tanh, relu, relu2, linear, clipped_swiglu, limited_silu, sparse_gelu, xielu>;

callback threads_of(const tamis_threads& t) { return {t.width, t.run, t.context}; }

class rule_of_text final : public rule {
  public:
    explicit rule_of_text(text_rule r) : rule_{std::move(r)} {}
    std::size_t bytes(tamis_type type, std::size_t columns) const override {
        return workspace_alignment + any_selection_bytes(rule_, number_type{type}, columns);
    }
    void mask(tamis_type type, const void* values, std::size_t rows, std::size_t columns,
              std::size_t row_stride, std::size_t step, std::span<std::uint64_t> words,
              std::span<std::byte> memory) const override {
        any_select_rows(rule_, any_block{number_type{type}, values, rows, columns, row_stride, step},
                        mask_block_span{words, rows, columns}, workspace{memory});
    }

  private:
    text_rule rule_;
};
std::unique_ptr<const rule> make_rule(std::string_view text, std::span<const float> numbers) {
    rule_reading read = read_rule(text, numbers);
    fail_if(read.error);
    return std::make_unique<rule_of_text>(std::move(*read.value));
}

any_matrix matrix_of(const char* name, const tamis_matrix& m) {
    return {need_text(std::string{name} + ".format", m.format),
            weight_layout{m.layout},
            m.data,
            m.rows,
            m.columns,
            m.stride};
}
any_matrix checked(const tamis_matrix& m) {
    return checked_matrix<all_formats>("from", matrix_of("from", m));
}
std::size_t packed_bytes(const tamis_matrix& from, std::string_view format, tamis_layout layout) {
    need_layout(weight_layout{layout});
    return any_repacked_bytes<all_formats>(checked(from), format, weight_layout{layout});
}
tamis_matrix pack(const tamis_matrix& from, std::string_view format, tamis_layout layout,
                  std::span<std::byte> memory, const tamis_threads& threads) {
    const any_matrix made =
        any_repack<all_formats>(checked(from), format, weight_layout{layout}, memory, threads_of(threads));
    return {all_formats::name_at(all_formats::index_of(format)),
            layout,
            memory.data(),
            made.rows(),
            made.columns(),
            0};
}

/// Shows the caller what it wants to see.
struct shown {
    const tamis_call* c;

    void operator()(const sighting& s) const {
        const std::size_t active = s.has_policy ? s.mask.count() : s.values.size();
        const auto where = static_cast<std::size_t>(s.where);
        if (s.has_policy && c->counts != nullptr) {
            c->counts->entries[where] += s.mask.size();
            c->counts->active[where] += active;
        }
        if (c->observer != nullptr) {
            const tamis_sighting seen{static_cast<int>(where),
                                      s.token,
                                      s.values.data(),
                                      s.values.size(),
                                      s.has_policy ? s.mask.words().data() : nullptr,
                                      active};
            c->observer(c->observer_context, &seen);
        }
    }
};

class any_kind_of_layer final : public layer {
  public:
    template <class Parts>
    explicit any_kind_of_layer(const Parts& p) : layer_{p} {
        inputs = layer_.width();
        outputs = layer_.outputs();
        weight_bytes = layer_.bytes();
    }
    std::size_t bytes(std::size_t tokens, std::size_t width) const override {
        const callback threads{width, [](void*, std::size_t, callback::task, void*) {}, nullptr};
        return workspace_alignment + layer_.workspace_bytes(threads, tokens);
    }
    void run(const tamis_call& c) const override {
        const any_block x{number_type{c.type}, c.x, c.tokens, inputs, c.x_stride, 1, "call.x"};
        const any_output y{number_type{c.type}, c.y, c.tokens, outputs, c.y_stride, 1, "call.y"};
        const workspace memory{{static_cast<std::byte*>(c.workspace), c.workspace_bytes}};
        const tokens_at_a_time some{c.tokens_at_a_time, memory};
        const bool is_seen = c.counts != nullptr || c.observer != nullptr;
        const traffic read = is_seen ? layer_(x, y, some, threads_of(c.threads), shown{&c})
                                     : layer_(x, y, some, threads_of(c.threads));
        if (c.counts != nullptr) {
            c.counts->bytes_read += read.bytes_read;
            c.counts->bytes_dense += read.bytes_dense - read.bytes_shared;
        }
    }

  private:
    any_layer<all_formats, all_gatings> layer_;
};

std::unique_ptr<const layer> make_ffn(const tamis_ffn_parts& p, const rules_of_sites& rules) {
    ffn_parts parts{.up = matrix_of("up", p.up),
                    .down = matrix_of("down", p.down),
                    .gate_bias = p.gate_bias,
                    .up_bias = p.up_bias,
                    .down_bias = p.down_bias,
                    .gating = p.gating,
                    .rules = {rules.text},
                    .numbers = rules.numbers,
                    .neurons = p.neurons,
                    .neuron_masks = p.neuron_masks,
                    .masks_only = p.masks_only != 0};
    if (p.gate.format != nullptr) {
        parts.gate = matrix_of("gate", p.gate);
    }
    for (std::size_t i = 0; i < TAMIS_SITES; ++i) {
        const std::size_t count = i == TAMIS_INPUT ? inputs_of(parts.up) : neurons_of(parts.up);
        const auto here = need_objects_or_none("parts.numbers", p.numbers[i], count);
        parts.numbers[i] = parts.numbers[i].empty() ? here : parts.numbers[i];
    }
    return std::make_unique<any_kind_of_layer>(parts);
}
std::unique_ptr<const layer> make_linear(const tamis_matrix& matrix, const float* bias, std::string_view rule,
                                         const float* numbers, bool masks_only) {
    const any_matrix w = matrix_of("w", matrix);
    return std::make_unique<any_kind_of_layer>(
        linear_parts{w, bias, rule, need_objects_or_none("numbers", numbers, inputs_of(w)), masks_only});
}

} // namespace

extern const level of_level;
const level of_level{make_rule,    make_ffn, make_linear, all_formats::name_at, any_row_bytes<all_formats>,
                     packed_bytes, pack};

} // namespace TAMIS_LEVEL
} // namespace tamis_c
