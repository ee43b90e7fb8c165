#include "level.hpp"

#include <tamis/any_block.hpp>
#include <tamis/foreign_handle.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/study/calibrate/calibration_json.hpp>
#include <tamis/study/calibrate/rules_of_layer.hpp>
#include <tamis/text_error.hpp>
#include <tamis/version.hpp>

#include <tamis_levels.hpp> // written by tamis_compile_for_levels

#include <algorithm>
#include <bit>
#include <cstdio>

// The functions of tamis.h: what is passed is checked as far as addresses and sizes tell, what is wrong becomes a code and a text, and the
// rest is for the best level that this machine runs.

// Handles: each begins with what it is, so that one is not taken for another.
struct tamis_rule
    : tamis::foreign_handle<tamis::kind_of_handle("rule"), std::unique_ptr<const tamis_c::rule>> {};
struct tamis_plan : tamis::foreign_handle<tamis::kind_of_handle("plan"), tamis::study::calibration> {};
struct tamis_layer
    : tamis::foreign_handle<tamis::kind_of_handle("layer"), std::unique_ptr<const tamis_c::layer>> {};

namespace tamis_c {

TAMIS_CHOOSE_LEVEL(level, of_level)

namespace {

using namespace tamis;

const tamis_level_of<level>& best() {
    static const tamis_level_of<level> found = best_level();
    return found;
}
const level& kernels() { return *best().object; }

/// What f throws as a code and a text.
template <class F>
tamis_result guarded(char* error, F&& f) noexcept {
    constexpr tamis_result codes[]{TAMIS_OK, TAMIS_WRONG, TAMIS_TOO_SMALL, TAMIS_NO_MEMORY, TAMIS_INTERNAL};
    if (best().object != nullptr) {
        return codes[static_cast<int>(ending_of(f, error, TAMIS_ERROR_BYTES))];
    }
    if (error != nullptr) {
        std::snprintf(error, TAMIS_ERROR_BYTES, "%s",
                      "tamis: this processor runs none of the kernels (x86-64-v2 at least)");
    }
    return TAMIS_NOT_HERE;
}

/// Gives away what `make` makes, or null.
template <class Handle, class Make>
tamis_result give(Handle** made, char* error, Make&& make) {
    return guarded(error, [&] {
        need_object("made", made) = nullptr;
        *made = new_handle<Handle>(make());
    });
}
const tamis_threads& need_threads(const tamis_threads* t) {
    static constexpr tamis_threads none{0, nullptr, nullptr};
    const tamis_threads& threads = t == nullptr ? none : need_object("threads", t);
    need_at_most("threads.width", threads.run == nullptr ? 0 : threads.width, 4096);
    return threads;
}
/// The rules of the parts, or of their plan.
rules_of_sites rules_of(const tamis_ffn_parts& p) {
    study::layer_rules read;
    if (p.plan == nullptr) {
        read.rules = read_site_rules(p.rules == nullptr ? "" : p.rules);
    } else if (p.rules != nullptr && *p.rules != 0) {
        fail("tamis: parts.rules and parts.plan are both given: leave one of them NULL");
    } else {
        read = study::rules_of_layer(need_handle("parts.plan", p.plan), p.layer);
    }
    fail_if(read.rules.error);
    return {std::move(read.rules.at), read.numbers};
}

} // namespace
} // namespace tamis_c

using namespace tamis_c;

extern "C" {

const char* tamis_version(void) { return TAMIS_VERSION; }
const char* tamis_level(void) { return best().name; }

tamis_result tamis_rule_new(const char* text, const float* numbers, size_t count, tamis_rule** made,
                            char* error) {
    return give(made, error, [&] {
        const std::string_view words = need_text("text", text);
        (void)foreign_memory::of("numbers", numbers, count);
        return kernels().make_rule(words, {numbers, count});
    });
}
void tamis_rule_free(tamis_rule* rule) { free_handle(rule); }
tamis_result tamis_rule_workspace(const tamis_rule* rule, tamis_type type, size_t columns, size_t* bytes,
                                  char* error) {
    return guarded(error, [&] {
        const auto& r = *need_handle("rule", rule);
        checked_product("columns", columns, bytes_of(number_type{type}) * 64);
        need_object("bytes", bytes) = r.bytes(type, columns);
    });
}
tamis_result tamis_rule_mask(const tamis_rule* rule, tamis_type type, const void* values, size_t rows,
                             size_t columns, size_t row_stride, size_t step, uint64_t* words, size_t count,
                             void* workspace, size_t workspace_bytes, uint64_t* active, char* error) {
    return guarded(error, [&] {
        const auto& r = *need_handle("rule", rule);
        checked_product("columns", columns, std::size_t{8} * 64);
        const any_block from{number_type{type}, values, rows, columns, row_stride, step};
        const std::size_t needed = checked_product("rows", rows, mask_words(columns));
        (void)foreign_memory::of("words", words, count);
        need_room("words", count * sizeof *words, needed * sizeof *words);
        const std::span<std::uint64_t> masks{words, needed};
        const auto count_of_active = need_objects_or_none("active", active, 1);
        std::fill(count_of_active.begin(), count_of_active.end(), 0);
        if (rows == 0 || columns == 0) {
            return;
        }
        need_room("the workspace", workspace_bytes, r.bytes(type, columns));
        need_apart({from.memory(),
                    foreign_memory::of("words", words, needed),
                    {"workspace", workspace, workspace_bytes}});
        r.mask(type, values, rows, columns, row_stride, step, masks,
               {static_cast<std::byte*>(workspace), workspace_bytes});
        for (std::size_t i = 0; i < masks.size() && active != nullptr; ++i) {
            *active += static_cast<std::uint64_t>(std::popcount(masks[i]));
        }
    });
}

const char* tamis_format(size_t index) {
    return best().object == nullptr ? nullptr : best().object->format(index);
}
tamis_result tamis_format_bytes(const char* format, size_t columns, size_t* bytes, char* error) {
    return guarded(error, [&] {
        need_at_most("columns", columns, std::size_t{1} << 24);
        need_object("bytes", bytes) = kernels().row_bytes(need_text("format", format), columns);
    });
}
tamis_result tamis_pack_bytes(const tamis_matrix* from, const char* format, tamis_layout layout,
                              size_t* bytes, char* error) {
    return guarded(error, [&] {
        const tamis_matrix& source = need_object("from", from);
        need_object("bytes", bytes) = kernels().packed_bytes(source, need_text("format", format), layout);
    });
}
tamis_result tamis_pack(const tamis_matrix* from, const char* format, tamis_layout layout, void* memory,
                        size_t bytes, const tamis_threads* threads, tamis_matrix* packed, char* error) {
    return guarded(error, [&] {
        const tamis_matrix& source = need_object("from", from);
        const std::string_view name = need_text("format", format);
        const tamis_threads& run_on = need_threads(threads);
        need_room("the packed matrix", bytes, kernels().packed_bytes(source, name, layout));
        (void)foreign_memory{"memory", memory, bytes};
        need_object("packed", packed) =
            kernels().pack(source, name, layout, {static_cast<std::byte*>(memory), bytes}, run_on);
    });
}

tamis_result tamis_plan_new(const char* json, size_t bytes, tamis_plan** made, char* error) {
    return give(made, error, [&] {
        (void)foreign_memory{"json", json, bytes};
        auto read = study::read_calibration({json, bytes});
        fail_if(read.error);
        return std::move(*read.value);
    });
}
size_t tamis_plan_layers(const tamis_plan* plan) {
    return plan != nullptr && is_handle(plan) ? plan->held.layers : 0;
}
void tamis_plan_free(tamis_plan* plan) { free_handle(plan); }

tamis_result tamis_ffn_new(const tamis_ffn_parts* parts, tamis_layer** made, char* error) {
    return give(made, error, [&] {
        const tamis_ffn_parts& p = need_sized("parts", parts);
        (void)need_text("parts.gating", p.gating);
        return kernels().make_ffn(p, rules_of(p));
    });
}
tamis_result tamis_linear_new(const tamis_matrix* w, const float* bias, const char* rule,
                              const float* numbers, int masks_only, tamis_layer** made, char* error) {
    return give(made, error, [&] {
        return kernels().make_linear(need_object("w", w), bias, rule == nullptr ? "" : rule, numbers,
                                     masks_only != 0);
    });
}
void tamis_layer_free(tamis_layer* layer) { free_handle(layer); }
tamis_result tamis_layer_sizes(const tamis_layer* layer, size_t* inputs, size_t* outputs,
                               uint64_t* weight_bytes, char* error) {
    return guarded(error, [&] {
        const auto& l = *need_handle("layer", layer);
        const auto put = [](const char* name, auto* to, auto value) {
            for (auto& place : need_objects_or_none(name, to, 1)) {
                place = value;
            }
        };
        put("inputs", inputs, l.inputs);
        put("outputs", outputs, l.outputs);
        put("weight_bytes", weight_bytes, l.weight_bytes);
    });
}
tamis_result tamis_layer_workspace(const tamis_layer* layer, size_t tokens, size_t threads, size_t* bytes,
                                   char* error) {
    return guarded(error, [&] {
        const auto& l = *need_handle("layer", layer);
        need_at_most("threads", threads, 4096);
        need_object("bytes", bytes) = l.bytes(tokens, threads);
    });
}
tamis_result tamis_layer_run(const tamis_layer* layer, const tamis_call* call, char* error) {
    return guarded(error, [&] {
        const auto& l = *need_handle("layer", layer);
        tamis_call c = need_sized("call", call);
        if (c.type == TAMIS_F64 || c.type == TAMIS_INT8) {
            fail("tamis: call.type may be TAMIS_F32, TAMIS_F16 or TAMIS_BF16");
        }
        c.x_stride = c.x_stride == 0 || l.inputs == 0 ? l.inputs : c.x_stride; // of no entries: any stride
        c.y_stride = c.y_stride == 0 ? l.outputs : c.y_stride;
        const number_type type{c.type};
        (void)any_block{type, c.x, c.tokens, l.inputs, c.x_stride, 1, "call.x"};
        (void)any_block{type, c.y, c.tokens, l.outputs, c.y_stride, 1, "call.y"};
        need_threads(&c.threads);
        (void)need_objects_or_none("call.counts", c.counts, 1);
        if (c.tokens == 0 || l.outputs == 0) {
            return;
        }
        c.tokens_at_a_time = c.tokens_at_a_time == 0 ? c.tokens : (std::min)(c.tokens_at_a_time, c.tokens);
        need_room("the workspace", c.workspace_bytes,
                  l.bytes(c.tokens_at_a_time, c.threads.run == nullptr ? 1 : c.threads.width));
        (void)foreign_memory{"call.workspace", c.workspace, c.workspace_bytes};
        l.run(c);
    });
}

} // extern "C"
