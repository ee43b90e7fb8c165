#include "kernels.hpp"

#include <tamis/ffn/site_rules.hpp>
#include <tamis/study/calibrate/calibration_json.hpp>

#include <tamis_levels.hpp> // written by tamis_compile_for_levels

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

// The functions of tamis.h: every pointer, size and stride is checked, the kernels of the best level are called, and what they
// throw becomes a code and a text.

namespace tamis_c {

TAMIS_CHOOSE_LEVEL(kernels, kernels_of_level)

const kernels* best_kernels() {
    static const kernels* const best = best_level().object;
    return best;
}

namespace {

struct failure : std::exception {
    failure(tamis_result c, std::string t) : code{c}, text{std::move(t)} {}
    const char* what() const noexcept override { return text.c_str(); }
    tamis_result code;
    std::string text;
};
[[noreturn]] void wrong(const std::string& text) { throw failure{TAMIS_WRONG, "tamis: " + text}; }

/// What f throws as a code and a text.
template <class F>
tamis_result guarded(char* error, F&& f) noexcept {
    const auto say = [&](tamis_result code, const char* text) {
        if (error != nullptr) {
            std::snprintf(error, TAMIS_ERROR_BYTES, "%s", text);
        }
        return code;
    };
    try {
        f();
        return TAMIS_OK;
    } catch (const failure& e) {
        return say(e.code, e.what());
    } catch (const std::bad_alloc&) {
        return say(TAMIS_NO_MEMORY, "tamis: there is not enough memory");
    } catch (const std::logic_error& e) { // what tamis refuses; a length that no vector has
        return say(TAMIS_WRONG, e.what());
    } catch (const std::exception& e) {
        return say(TAMIS_INTERNAL, e.what());
    } catch (...) {
        return say(TAMIS_INTERNAL, "tamis: an unknown fault");
    }
}

const kernels& here() {
    if (best_kernels() == nullptr) {
        throw failure{TAMIS_NOT_HERE, "tamis: this processor runs none of the kernels (x86-64-v2 at least)"};
    }
    return *best_kernels();
}

// Sizes: bytes stay below what an address space has, so that no sum or product of a few of them overflows.
constexpr std::size_t most_bytes = std::size_t{1} << 46, most_entries = std::size_t{1} << 24;

std::size_t times(std::size_t a, std::size_t b, const char* name) {
    if (b != 0 && a > most_bytes / b) {
        wrong(std::string{name} + ": sizes and strides of " + std::to_string(a) + " times " +
              std::to_string(b) + " are more than memory has");
    }
    return a * b;
}
/// Bytes from the first of rows x columns to the last.
std::size_t extent(std::size_t rows, std::size_t stride, std::size_t columns, std::size_t step,
                   std::size_t each, const char* name) {
    if (rows == 0 || columns == 0) {
        return 0;
    }
    return times(times(rows - 1, stride, name) + times(columns - 1, step, name) + 1, each, name);
}
void need_most(std::size_t value, std::size_t most, const char* name) {
    if (value > most) {
        wrong(std::string{name} + " is " + std::to_string(value) + ", and may be " + std::to_string(most) +
              " at most");
    }
}
/// Memory that is there as far as its address tells.
void need_memory(const void* p, std::size_t bytes, std::size_t alignment, const char* name) {
    const auto address = reinterpret_cast<std::uintptr_t>(p);
    if (p == nullptr && bytes != 0) {
        wrong(std::string{name} + " is a null pointer");
    }
    if (address % alignment != 0) {
        wrong(std::string{name} + " lies at an address that is no multiple of " + std::to_string(alignment));
    }
    if (bytes > most_bytes || address + bytes < address) {
        wrong(std::string{name} + " has " + std::to_string(bytes) + " bytes, which reach beyond all memory");
    }
}
template <class T>
T& need_place(T* p, const char* name) {
    need_memory(p, sizeof(T), alignof(T), name);
    return *p;
}
struct region {
    const void* first;
    std::size_t bytes;
    const char* name;
};
void need_apart(const region& a, const region& b) {
    const auto i = reinterpret_cast<std::uintptr_t>(a.first);
    const auto j = reinterpret_cast<std::uintptr_t>(b.first);
    if (a.bytes != 0 && b.bytes != 0 && i < j + b.bytes && j < i + a.bytes) {
        wrong(std::string{a.name} + " and " + b.name + " overlap: give each memory of its own");
    }
}
std::string_view need_text(const char* text, const char* name) {
    if (text == nullptr) {
        wrong(std::string{name} + " is a null pointer");
    }
    return text;
}
std::span<std::byte> need_workspace(void* memory, std::size_t bytes, std::size_t needed) {
    if (bytes < needed) {
        throw failure{TAMIS_TOO_SMALL, "tamis: the workspace needs " + std::to_string(needed) +
                                           " bytes, got " + std::to_string(bytes) +
                                           "; ask the query beside the function"};
    }
    need_memory(memory, bytes, 1, "workspace");
    return {static_cast<std::byte*>(memory), bytes};
}
std::size_t bytes_of(tamis_type type) {
    switch (type) {
        case TAMIS_F32: return 4;
        case TAMIS_F64: return 8;
        case TAMIS_F16:
        case TAMIS_BF16: return 2;
        case TAMIS_INT8: return 1;
        default: wrong("there is no type " + std::to_string(type) + "; there are TAMIS_F32 to TAMIS_INT8");
    }
}
void need_layout(tamis_layout l) {
    if (l < TAMIS_NEURON_MAJOR || l > TAMIS_OUTPUT_MAJOR) {
        wrong("there is no layout " + std::to_string(l) +
              "; there are TAMIS_NEURON_MAJOR, TAMIS_INPUT_MAJOR and TAMIS_OUTPUT_MAJOR");
    }
}
/// Bytes from its first weight to its last.
std::size_t need_matrix(const tamis_matrix& m, const char* name) {
    const std::string_view format = need_text(m.format, (std::string{name} + ".format").c_str());
    need_layout(m.layout);
    need_most(m.rows, most_entries, (std::string{name} + ".rows").c_str());
    need_most(m.columns, most_entries, (std::string{name} + ".columns").c_str());
    const std::size_t row = here().row_bytes(format, m.columns);
    const std::size_t stride = m.stride == 0 ? row : m.stride;
    const std::size_t bytes = m.rows == 0 ? 0 : times(m.rows - 1, stride, name) + row;
    need_memory(m.data, row == 0 ? 0 : bytes, 1, (std::string{name} + ".data").c_str());
    return bytes;
}
void need_threads(const tamis_threads& t) {
    if (t.run != nullptr) {
        need_most(t.width, 4096, "threads.width");
    }
}
void need_size(std::size_t given, std::size_t right, const char* name) {
    if (given != right) {
        wrong(std::string{name} + ".size is " + std::to_string(given) + ", but this tamis has " +
              std::to_string(right) + ": set it to sizeof, and use the header of the library");
    }
}
void need_floats(const float* p, std::size_t n, const char* name) {
    if (p != nullptr) {
        need_memory(p, times(n, sizeof(float), name), alignof(float), name);
    }
}
std::size_t words_of(std::size_t entries) { return entries / 64 + (entries % 64 != 0 ? 1 : 0); }

constexpr std::uint64_t rule_kind = 0x656c75725f6d6174, plan_kind = 0x6e616c705f6d6174,
                        layer_kind = 0x7279616c5f6d6174;

struct plan_rule {
    std::size_t layer, where;
    std::string text;
    std::vector<float> numbers;
};

} // namespace
} // namespace tamis_c

// Each begins with what it is, so that one is not taken for another.
struct tamis_rule {
    std::uint64_t kind = tamis_c::rule_kind;
    std::unique_ptr<tamis_c::mask_maker> held;
};
struct tamis_plan {
    std::uint64_t kind = tamis_c::plan_kind;
    std::size_t layers = 0;
    std::vector<tamis_c::plan_rule> rules;
};
struct tamis_layer {
    std::uint64_t kind = tamis_c::layer_kind;
    std::unique_ptr<tamis_c::layer> held;
    const std::uint64_t* masks = nullptr; // over neurons
    std::size_t masks_given = 0, neurons = 0;
};

namespace tamis_c {
namespace {

template <class Handle>
bool is(const Handle* h, std::uint64_t kind) {
    std::uint64_t found = 0;
    std::memcpy(&found, static_cast<const void*>(h), sizeof found);
    return found == kind;
}
template <class Handle>
const Handle& need_handle(const Handle* h, std::uint64_t kind, const char* name) {
    need_memory(h, sizeof(Handle), alignof(Handle), name);
    if (!is(h, kind)) {
        wrong(std::string{name} + " is no handle of this kind, or was freed");
    }
    return *h;
}
template <class Handle>
void free_handle(Handle* h, std::uint64_t kind) {
    if (h != nullptr && is(h, kind)) {
        h->kind = 0;
        delete h;
    }
}

ffn_parts need_parts(const tamis_ffn_parts& p) {
    need_size(p.size, sizeof p, "parts");
    need_text(p.gating, "parts.gating");
    if (p.gate.format != nullptr) {
        need_matrix(p.gate, "gate");
    }
    need_matrix(p.up, "up");
    need_matrix(p.down, "down");
    const bool by_neurons = p.up.layout == TAMIS_NEURON_MAJOR;
    const std::size_t neurons = by_neurons ? p.up.rows : p.up.columns;
    const std::size_t width = by_neurons ? p.up.columns : p.up.rows;
    need_floats(p.gate_bias, neurons, "parts.gate_bias");
    need_floats(p.up_bias, neurons, "parts.up_bias");
    need_floats(p.down_bias, width, "parts.down_bias");
    for (std::size_t i = 0; i < TAMIS_SITES; ++i) {
        need_floats(p.numbers[i], i == TAMIS_INPUT ? width : neurons, "parts.numbers");
    }
    if (p.neurons != nullptr) {
        need_most(p.neuron_masks, most_entries, "parts.neuron_masks");
        need_memory(p.neurons,
                    times(times(words_of(neurons), std::max<std::size_t>(p.neuron_masks, 1), "parts.neurons"),
                          sizeof(std::uint64_t), "parts.neurons"),
                    alignof(std::uint64_t), "parts.neurons");
    }
    ffn_parts result{&p, {}};
    const bool has_rules = p.rules != nullptr && *p.rules != 0;
    if (p.plan != nullptr) {
        const tamis_plan& plan = need_handle(p.plan, plan_kind, "parts.plan");
        if (has_rules) {
            wrong("parts.rules and parts.plan are both given: leave one of them NULL");
        }
        if (p.layer >= plan.layers) {
            wrong("parts.layer is " + std::to_string(p.layer) + ", but the plan has " +
                  std::to_string(plan.layers) + " layers, from 0 on");
        }
        for (const plan_rule& r : plan.rules) {
            if (r.layer == p.layer) {
                result.rules[r.where] = {r.text, r.numbers};
            }
        }
    }
    return result;
}

/// Masks that are known before: bits behind the last would be neurons that there are not, in masks and in what is written over
/// them.
void need_masks(const tamis_layer& l, const region& y, const region& memory) {
    const std::size_t each = words_of(l.neurons);
    const std::size_t masks = (std::max)(l.masks_given, std::size_t{1});
    const region of_masks{l.masks, each * masks * sizeof(std::uint64_t), "parts.neurons"};
    need_apart(of_masks, y);
    need_apart(of_masks, memory);
    for (std::size_t i = 0; i < masks && l.neurons % 64 != 0; ++i) {
        if (l.masks[(i + 1) * each - 1] >> (l.neurons % 64) != 0) {
            wrong("parts.neurons: bits behind the last of " + std::to_string(l.neurons) +
                  " neurons have to be 0");
        }
    }
}

} // namespace
} // namespace tamis_c

using namespace tamis_c;

extern "C" {

const char* tamis_version(void) {
#define TAMIS_DIGITS_(x) #x
#define TAMIS_DIGITS(x) TAMIS_DIGITS_(x)
    return TAMIS_DIGITS(TAMIS_VERSION_MAJOR) "." TAMIS_DIGITS(TAMIS_VERSION_MINOR) "." TAMIS_DIGITS(
        TAMIS_VERSION_PATCH);
}
const char* tamis_level(void) { return best_kernels() == nullptr ? "none" : best_kernels()->level; }

tamis_result tamis_rule_new(const char* text, const float* numbers, size_t count, tamis_rule** made,
                            char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        const std::string_view words = need_text(text, "text");
        need_memory(numbers, times(count, sizeof(float), "numbers"), alignof(float), "numbers");
        auto result = std::make_unique<tamis_rule>();
        result->held = here().new_rule({words, {numbers, count}});
        *made = result.release();
    });
}
void tamis_rule_free(tamis_rule* rule) { free_handle(rule, rule_kind); }

tamis_result tamis_rule_workspace(const tamis_rule* rule, tamis_type type, size_t columns, size_t* bytes,
                                  char* error) {
    return guarded(error, [&] {
        const tamis_rule& r = need_handle(rule, rule_kind, "rule");
        times(columns, bytes_of(type) * 64, "columns");
        need_place(bytes, "bytes") = r.held->bytes(type, columns);
    });
}
tamis_result tamis_rule_mask(const tamis_rule* rule, tamis_type type, const void* data, size_t rows,
                             size_t columns, size_t row_stride, size_t step, uint64_t* words, size_t count,
                             void* memory, size_t memory_bytes, uint64_t* active, char* error) {
    return guarded(error, [&] {
        const tamis_rule& r = need_handle(rule, rule_kind, "rule");
        const std::size_t each = bytes_of(type);
        times(columns, each * 64, "columns");
        const std::size_t bytes = extent(rows, row_stride, columns, step, each, "values");
        need_memory(data, bytes, each, "values");
        const std::size_t needed = times(rows, words_of(columns), "rows");
        need_memory(words, times(count, sizeof(std::uint64_t), "count"), alignof(std::uint64_t), "words");
        if (count < needed) {
            throw failure{TAMIS_TOO_SMALL, "tamis: masks of " + std::to_string(rows) + " rows take " +
                                               std::to_string(needed) + " words, got " +
                                               std::to_string(count)};
        }
        if (active != nullptr) {
            need_place(active, "active") = 0;
        }
        if (rows == 0 || columns == 0) {
            return;
        }
        const auto workspace = need_workspace(memory, memory_bytes, r.held->bytes(type, columns));
        const region of_values{data, bytes, "values"};
        const region of_words{words, needed * sizeof(std::uint64_t), "words"};
        const region of_workspace{memory, memory_bytes, "workspace"};
        need_apart(of_values, of_words);
        need_apart(of_values, of_workspace);
        need_apart(of_words, of_workspace);
        const std::uint64_t kept =
            r.held->mask({type, data, rows, columns, row_stride, step}, {words, needed}, workspace);
        if (active != nullptr) {
            *active = kept;
        }
    });
}

const char* tamis_format(size_t index) {
    return best_kernels() == nullptr ? nullptr : best_kernels()->format(index);
}
tamis_result tamis_format_bytes(const char* format, size_t columns, size_t* bytes, char* error) {
    return guarded(error, [&] {
        need_most(columns, most_entries, "columns");
        need_place(bytes, "bytes") = here().row_bytes(need_text(format, "format"), columns);
    });
}

tamis_result tamis_pack_bytes(const tamis_matrix* from, const char* format, tamis_layout layout,
                              size_t* bytes, char* error) {
    return guarded(error, [&] {
        need_matrix(need_place(from, "from"), "from");
        need_layout(layout);
        need_place(bytes, "bytes") = here().packed_bytes(*from, need_text(format, "format"), layout);
    });
}
tamis_result tamis_pack(const tamis_matrix* from, const char* format, tamis_layout layout, void* memory,
                        size_t bytes, const tamis_threads* threads, tamis_matrix* packed, char* error) {
    return guarded(error, [&] {
        const tamis_matrix source = need_place(from, "from");
        need_matrix(source, "from");
        need_layout(layout);
        const std::string_view name = need_text(format, "format");
        const tamis_threads none{0, nullptr, nullptr};
        const tamis_threads& run_on = threads == nullptr ? none : need_place(threads, "threads");
        need_threads(run_on);
        const std::size_t needed = here().packed_bytes(source, name, layout);
        if (bytes < needed) {
            throw failure{TAMIS_TOO_SMALL, "tamis: the packed matrix takes " + std::to_string(needed) +
                                               " bytes, got " + std::to_string(bytes)};
        }
        need_memory(memory, bytes, 1, "memory");
        need_place(packed, "packed");
        here().pack(source, name, layout, {static_cast<std::byte*>(memory), bytes}, run_on);
        std::size_t index = 0; // the library's own copy of the name
        while (name != here().format(index)) {
            ++index;
        }
        const bool turned = source.layout != layout;
        *packed = {here().format(index),
                   layout,
                   memory,
                   turned ? source.columns : source.rows,
                   turned ? source.rows : source.columns,
                   0};
    });
}

tamis_result tamis_plan_new(const char* json, size_t bytes, tamis_plan** made, char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        need_memory(json, bytes, 1, "json");
        const auto read = tamis::study::read_calibration({json, bytes});
        if (!read) {
            wrong(read.error);
        }
        auto result = std::make_unique<tamis_plan>();
        result->layers = read.value->layers;
        for (const tamis::study::calibrated_rule& r : read.value->rules) {
            char value[64];
            std::snprintf(value, sizeof value, "=%.17g", r.value);
            result->rules.push_back({r.layer, static_cast<std::size_t>(r.where),
                                     r.values.empty() ? r.rule + value : r.rule, r.values});
        }
        *made = result.release();
    });
}
size_t tamis_plan_layers(const tamis_plan* plan) {
    return plan != nullptr && is(plan, plan_kind) ? plan->layers : 0;
}
void tamis_plan_free(tamis_plan* plan) { free_handle(plan, plan_kind); }

tamis_result tamis_ffn_new(const tamis_ffn_parts* parts, tamis_layer** made, char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        const tamis_ffn_parts& p = need_place(parts, "parts");
        ffn_parts checked = need_parts(p);
        tamis::site_rules rules;
        if (p.plan == nullptr && p.rules != nullptr) {
            rules = tamis::read_site_rules(p.rules);
            if (!rules.error.empty()) {
                wrong(rules.error);
            }
            for (std::size_t i = 0; i < TAMIS_SITES; ++i) {
                checked.rules[i].text = rules.at[i];
            }
        }
        auto result = std::make_unique<tamis_layer>();
        result->held = here().new_ffn(checked);
        result->masks = p.neurons;
        result->masks_given = p.neuron_masks;
        result->neurons = p.up.layout == TAMIS_NEURON_MAJOR ? p.up.rows : p.up.columns;
        *made = result.release();
    });
}
tamis_result tamis_linear_new(const tamis_matrix* w, const float* bias, const char* rule,
                              const float* numbers, int masks_only, tamis_layer** made, char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        const tamis_matrix& m = need_place(w, "w");
        need_matrix(m, "w");
        const bool by_inputs = m.layout == TAMIS_INPUT_MAJOR;
        const std::size_t inputs = by_inputs ? m.rows : m.columns;
        const std::size_t outputs = by_inputs ? m.columns : m.rows;
        need_floats(bias, outputs, "bias");
        need_floats(numbers, inputs, "numbers");
        const worded_rule r{rule == nullptr ? std::string_view{} : std::string_view{rule},
                            {numbers, numbers == nullptr ? 0 : inputs}};
        auto result = std::make_unique<tamis_layer>();
        result->held = here().new_linear(m, {bias, bias == nullptr ? 0 : outputs}, r, masks_only != 0);
        *made = result.release();
    });
}
void tamis_layer_free(tamis_layer* layer) { free_handle(layer, layer_kind); }

tamis_result tamis_layer_sizes(const tamis_layer* layer, size_t* inputs, size_t* outputs,
                               uint64_t* weight_bytes, char* error) {
    return guarded(error, [&] {
        const tamis_layer& l = need_handle(layer, layer_kind, "layer");
        if (inputs != nullptr) {
            need_place(inputs, "inputs") = l.held->inputs();
        }
        if (outputs != nullptr) {
            need_place(outputs, "outputs") = l.held->outputs();
        }
        if (weight_bytes != nullptr) {
            need_place(weight_bytes, "weight_bytes") = l.held->weight_bytes();
        }
    });
}
tamis_result tamis_layer_workspace(const tamis_layer* layer, size_t tokens, size_t threads, size_t* bytes,
                                   char* error) {
    return guarded(error, [&] {
        const tamis_layer& l = need_handle(layer, layer_kind, "layer");
        need_most(threads, 4096, "threads");
        need_place(bytes, "bytes") = l.held->memory(tokens, threads);
    });
}
tamis_result tamis_layer_run(const tamis_layer* layer, const tamis_call* call, char* error) {
    return guarded(error, [&] {
        const tamis_layer& l = need_handle(layer, layer_kind, "layer");
        tamis_call c = need_place(call, "call");
        need_size(c.size, sizeof c, "call");
        const std::size_t each = bytes_of(c.type);
        if (c.type == TAMIS_F64 || c.type == TAMIS_INT8) {
            wrong("call.type may be TAMIS_F32, TAMIS_F16 or TAMIS_BF16");
        }
        const std::size_t inputs = l.held->inputs();
        const std::size_t outputs = l.held->outputs();
        c.x_stride = c.x_stride == 0 || inputs == 0 ? inputs : c.x_stride; // of no entries: any stride
        c.y_stride = c.y_stride == 0 ? outputs : c.y_stride;
        need_memory(c.x, extent(c.tokens, c.x_stride, inputs, 1, each, "call.x"), each, "call.x");
        need_memory(c.y, extent(c.tokens, c.y_stride, outputs, 1, each, "call.y"), each, "call.y");
        need_threads(c.threads);
        if (c.counts != nullptr) {
            need_place(c.counts, "call.counts");
        }
        if (c.tokens == 0 || outputs == 0) {
            return;
        }
        c.tokens_at_a_time = c.tokens_at_a_time == 0 ? c.tokens : (std::min)(c.tokens_at_a_time, c.tokens);
        need_workspace(c.workspace, c.workspace_bytes,
                       l.held->memory(c.tokens_at_a_time, c.threads.run == nullptr ? 1 : c.threads.width));
        if (l.masks != nullptr) {
            need_masks(l, {c.y, extent(c.tokens, c.y_stride, outputs, 1, each, "call.y"), "call.y"},
                       {c.workspace, c.workspace_bytes, "call.workspace"});
        }
        l.held->run(c);
    });
}

} // extern "C"
