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
#include <stdexcept>

// The functions of tamis.h: what is passed is checked as far as addresses and sizes tell, what is wrong becomes a code and a text, and the
// rest is for the best level that this machine runs.

namespace tamis_c {

TAMIS_CHOOSE_LEVEL(level, of_level)

namespace {

using namespace tamis;

// Errors.

struct failure : std::runtime_error {
    failure(tamis_result c, const std::string& text) : runtime_error{"tamis: " + text}, code{c} {}
    tamis_result code;
};
[[noreturn]] void wrong(const std::string& text) { throw failure{TAMIS_WRONG, text}; }

/// What f throws as a code and a text.
template <class F>
tamis_result guarded(char* error, F&& f) noexcept {
    constexpr tamis_result codes[]{TAMIS_OK, TAMIS_WRONG, TAMIS_NO_MEMORY, TAMIS_INTERNAL}; // of an ending
    tamis_result own = TAMIS_OK;
    const ending end = ending_of(
        [&] {
            try {
                f();
            } catch (const failure& e) {
                own = e.code;
                throw;
            }
        },
        error, TAMIS_ERROR_BYTES);
    return own != TAMIS_OK ? own : codes[static_cast<int>(end)];
}

const tamis_level_of<level>& best() {
    static const tamis_level_of<level> found = best_level();
    return found;
}
const level& kernels() {
    if (best().object == nullptr) {
        throw failure{TAMIS_NOT_HERE, "this processor runs none of the kernels (x86-64-v2 at least)"};
    }
    return *best().object;
}

} // namespace
} // namespace tamis_c

struct tamis_rule
    : tamis::foreign_handle<tamis::kind_of_handle("rule"), std::unique_ptr<const tamis_c::rule>> {
    using foreign_handle::foreign_handle;
};
struct tamis_plan : tamis::foreign_handle<tamis::kind_of_handle("plan"), tamis::study::calibration> {
    using foreign_handle::foreign_handle;
};
struct tamis_layer
    : tamis::foreign_handle<tamis::kind_of_handle("layer"), std::unique_ptr<const tamis_c::layer>> {
    using foreign_handle::foreign_handle;
};

namespace tamis_c {
namespace {

/// Gives away what `make` makes, or null.
template <class Handle, class Make>
tamis_result give(Handle** made, char* error, Make&& make) {
    return guarded(error, [&] {
        need_object("made", made) = nullptr;
        *made = new Handle{make()};
    });
}
// What is passed.

void need_enough(const char* name, std::size_t bytes, std::size_t needed) {
    if (bytes < needed) {
        throw failure{TAMIS_TOO_SMALL, std::string{name} + " needs " + std::to_string(needed) +
                                           " bytes, got " + std::to_string(bytes) +
                                           "; ask the query beside the function"};
    }
}
const tamis_matrix& need_matrix(const char* name, const tamis_matrix* m,
                                tamis_layout to = TAMIS_NEURON_MAJOR) {
    for (const tamis_layout l : {need_object(name, m).layout, to}) {
        if (l < TAMIS_NEURON_MAJOR || l > TAMIS_OUTPUT_MAJOR) {
            wrong("there is no layout " + std::to_string(l) +
                  "; there are TAMIS_NEURON_MAJOR, TAMIS_INPUT_MAJOR and TAMIS_OUTPUT_MAJOR");
        }
    }
    return *m;
}
const tamis_threads& need_threads(const tamis_threads* t) {
    static constexpr tamis_threads none{0, nullptr, nullptr};
    const tamis_threads& threads = t == nullptr ? none : need_object("threads", t);
    need_at_most("threads.width", threads.run == nullptr ? 0 : threads.width, 4096);
    return threads;
}
/// A struct of this header's size.
template <class T>
const T& need_sized(const char* name, const T* p) {
    if (need_object(name, p).size != sizeof(T)) {
        wrong(std::string{name} + ".size is " + std::to_string(p->size) + ", but this tamis has " +
              std::to_string(sizeof(T)) + ": set it to sizeof, and use the header of the library");
    }
    return *p;
}

/// The rules of the parts, or of their plan.
rules_of_sites rules_of(const tamis_ffn_parts& p) {
    study::layer_rules read;
    if (p.plan == nullptr) {
        read.rules = read_site_rules(p.rules == nullptr ? "" : p.rules);
    } else if (p.rules != nullptr && *p.rules != 0) {
        wrong("parts.rules and parts.plan are both given: leave one of them NULL");
    } else {
        read = study::rules_of_layer(need_handle("parts.plan", p.plan), p.layer);
    }
    if (!read.rules.error.empty()) {
        fail(read.rules.error.c_str());
    }
    return {std::move(read.rules.at), read.numbers};
}

} // namespace
} // namespace tamis_c

using namespace tamis_c;

extern "C" {

#define TAMIS_DIGITS_(x) #x
#define TAMIS_DIGITS(x) TAMIS_DIGITS_(x)
const char* tamis_version(void) {
    return TAMIS_DIGITS(TAMIS_VERSION_MAJOR) "." TAMIS_DIGITS(TAMIS_VERSION_MINOR) "." TAMIS_DIGITS(
        TAMIS_VERSION_PATCH);
}
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
        need_enough("words", count * sizeof *words, needed * sizeof *words);
        const std::span<std::uint64_t> masks{words, needed};
        if (active != nullptr) {
            need_object("active", active) = 0;
        }
        if (rows == 0 || columns == 0) {
            return;
        }
        need_enough("the workspace", workspace_bytes, r.bytes(type, columns));
        need_apart({from.memory(),
                    foreign_memory::of("words", words, needed),
                    {"workspace", workspace, workspace_bytes}});
        r.mask(type, values, rows, columns, row_stride, step, masks,
               {static_cast<std::byte*>(workspace), workspace_bytes});
        if (active != nullptr) {
            for (const std::uint64_t word : masks) {
                *active += static_cast<std::uint64_t>(std::popcount(word));
            }
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
        const tamis_matrix& source = need_matrix("from", from, layout);
        need_object("bytes", bytes) = kernels().packed_bytes(source, need_text("format", format), layout);
    });
}
tamis_result tamis_pack(const tamis_matrix* from, const char* format, tamis_layout layout, void* memory,
                        size_t bytes, const tamis_threads* threads, tamis_matrix* packed, char* error) {
    return guarded(error, [&] {
        const tamis_matrix& source = need_matrix("from", from, layout);
        const std::string_view name = need_text("format", format);
        const tamis_threads& run_on = need_threads(threads);
        need_enough("the packed matrix", bytes, kernels().packed_bytes(source, name, layout));
        (void)foreign_memory{"memory", memory, bytes};
        need_object("packed", packed) =
            kernels().pack(source, name, layout, {static_cast<std::byte*>(memory), bytes}, run_on);
    });
}

tamis_result tamis_plan_new(const char* json, size_t bytes, tamis_plan** made, char* error) {
    return give(made, error, [&] {
        (void)foreign_memory{"json", json, bytes};
        auto read = study::read_calibration({json, bytes});
        if (!read) {
            fail(read.error.c_str());
        }
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
        if (p.gate.format != nullptr) {
            need_matrix("gate", &p.gate);
        }
        need_matrix("up", &p.up);
        need_matrix("down", &p.down);
        (void)need_text("parts.gating", p.gating);
        return kernels().make_ffn(p, rules_of(p));
    });
}
tamis_result tamis_linear_new(const tamis_matrix* w, const float* bias, const char* rule,
                              const float* numbers, int masks_only, tamis_layer** made, char* error) {
    return give(made, error, [&] {
        return kernels().make_linear(need_matrix("w", w), bias, rule == nullptr ? "" : rule, numbers,
                                     masks_only != 0);
    });
}
void tamis_layer_free(tamis_layer* layer) { free_handle(layer); }
tamis_result tamis_layer_sizes(const tamis_layer* layer, size_t* inputs, size_t* outputs,
                               uint64_t* weight_bytes, char* error) {
    return guarded(error, [&] {
        const auto& l = *need_handle("layer", layer);
        const auto put = [](const char* name, auto* to, auto value) {
            if (to != nullptr) {
                need_object(name, to) = value;
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
            wrong("call.type may be TAMIS_F32, TAMIS_F16 or TAMIS_BF16");
        }
        c.x_stride = c.x_stride == 0 || l.inputs == 0 ? l.inputs : c.x_stride; // of no entries: any stride
        c.y_stride = c.y_stride == 0 ? l.outputs : c.y_stride;
        const number_type type{c.type};
        (void)any_block{type, c.x, c.tokens, l.inputs, c.x_stride, 1, "call.x"};
        (void)any_block{type, c.y, c.tokens, l.outputs, c.y_stride, 1, "call.y"};
        need_threads(&c.threads);
        if (c.counts != nullptr) {
            need_object("call.counts", c.counts);
        }
        if (c.tokens == 0 || l.outputs == 0) {
            return;
        }
        c.tokens_at_a_time = c.tokens_at_a_time == 0 ? c.tokens : (std::min)(c.tokens_at_a_time, c.tokens);
        need_enough("the workspace", c.workspace_bytes,
                    l.bytes(c.tokens_at_a_time, c.threads.run == nullptr ? 1 : c.threads.width));
        (void)foreign_memory{"call.workspace", c.workspace, c.workspace_bytes};
        l.run(c);
    });
}

} // extern "C"
