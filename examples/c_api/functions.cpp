#include "functions.hpp"
#include "checks.hpp"

#include <tamis/ffn/text_gating.hpp>
#include <tamis/ffn/text_policies.hpp>
#include <tamis/sixteen_bits.hpp>
#include <tamis/study/calibrate/calibration_json.hpp>
#include <tamis/tamis.hpp>

#include <cstring>
#include <memory>
#include <variant>

// What tamis.h declares: every pointer, size and stride is checked, and what tamis throws becomes a code and a text. Compiled once for
// each level of instruction sets, whose name is TAMIS_LEVEL; everything is therefore in a namespace of the level.

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
using ffn_type = any_ffn<all_formats, all_gatings>;
using projection_type = any_projection<all_formats>;

any_matrix matrix_of(const tamis_matrix& m) {
    return {m.format, static_cast<weight_layout>(m.layout), m.data, m.rows, m.columns, m.stride};
}
/// Checks one, and that all of its bytes may be there.
any_matrix need_matrix(const tamis_matrix& m, const std::string& name) {
    const std::string_view format = need_text(m.format, (name + ".format").c_str());
    need_layout(m.layout);
    need_most(m.rows, most_entries, (name + ".rows").c_str());
    need_most(m.columns, most_entries, (name + ".columns").c_str());
    const std::size_t row = any_row_bytes<all_formats>(format, m.columns);
    const std::size_t stride = m.stride == 0 ? row : m.stride;
    const std::size_t bytes = m.rows == 0 ? 0 : times(m.rows - 1, stride, name.c_str()) + row;
    need_memory(m.data, row == 0 ? 0 : bytes, 1, (name + ".data").c_str());
    return matrix_of(m);
}

// Handles: each begins with what it is, so that one is not taken for another.

struct rule_handle {
    static constexpr std::uint64_t right = 0x656c75725f6d6174;
    std::uint64_t kind = right;
    text_rule rule;
};
struct plan_rule {
    std::size_t layer, where;
    std::string text;
    std::vector<float> numbers;
};
struct plan_handle {
    static constexpr std::uint64_t right = 0x6e616c705f6d6174;
    std::uint64_t kind = right;
    std::size_t layers = 0;
    std::vector<plan_rule> rules{};
};
struct layer_handle {
    static constexpr std::uint64_t right = 0x7279616c5f6d6174;
    std::uint64_t kind = right;
    std::variant<ffn_type, projection_type> held;
    const std::uint64_t* masks = nullptr; // over neurons
    std::size_t masks_given = 0, neurons = 0;

    std::size_t inputs() const {
        return std::visit([](const auto& f) { return f.width(); }, held);
    }
    std::size_t outputs() const {
        const auto* const alone = std::get_if<projection_type>(&held);
        return alone != nullptr ? alone->outputs() : inputs();
    }
    std::size_t memory(std::size_t tokens, std::size_t width) const {
        const callback threads{width, [](void*, std::size_t, callback::task, void*) {}, nullptr};
        return workspace_alignment +
               std::visit([&](const auto& f) { return f.workspace_bytes(threads, tokens); }, held);
    }
};

template <class Held>
bool is(const void* h) {
    std::uint64_t found = 0;
    std::memcpy(&found, h, sizeof found);
    return found == Held::right;
}
template <class Held>
const Held& need_handle(const void* h, const char* name) {
    need_memory(h, sizeof(Held), alignof(Held), name);
    if (!is<Held>(h)) {
        wrong(std::string{name} + " is no handle of this kind, or was freed");
    }
    return *static_cast<const Held*>(h);
}
/// Gives one away.
template <class Handle, class Held>
void give(Handle** to, Held&& made) {
    *to = reinterpret_cast<Handle*>(new Held{std::move(made)});
}
template <class Handle, class Held>
void free_handle(Handle* h) {
    if (h != nullptr && is<Held>(h)) {
        auto* const held = reinterpret_cast<Held*>(h);
        held->kind = 0;
        delete held;
    }
}

// Masks.

text_rule read(std::string_view text, std::span<const float> numbers) {
    rule_reading reading = read_rule(text, numbers);
    if (!reading) {
        fail(reading.error.c_str());
    }
    return *reading.value;
}

tamis_result rule_new(const char* text, const float* numbers, std::size_t count, tamis_rule** made,
                      char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        const std::string_view words = need_text(text, "text");
        need_memory(numbers, times(count, sizeof(float), "numbers"), alignof(float), "numbers");
        give(made, rule_handle{.rule = read(words, {numbers, count})});
    });
}

/// Calls f with a type of numbers in memory.
template <class Call>
void with_type(tamis_type type, Call&& f) {
    switch (type) {
        case TAMIS_F32: return f(float{});
        case TAMIS_F64: return f(double{});
        case TAMIS_F16: return f(binary16{});
        case TAMIS_BF16: return f(bfloat16{});
        default: return f(std::int8_t{});
    }
}
std::size_t rule_bytes(const rule_handle& r, tamis_type type, std::size_t columns) {
    std::size_t copy = 0;
    with_type(type, [&]<class T>(T) { copy = workspace_bytes_of<real_of<T>>(columns); });
    return workspace_alignment + copy + selection_bytes(r.rule, columns);
}
tamis_result rule_workspace(const tamis_rule* rule, tamis_type type, std::size_t columns, std::size_t* bytes,
                            char* error) {
    return guarded(error, [&] {
        const auto& r = need_handle<rule_handle>(rule, "rule");
        times(columns, bytes_of(type) * 64, "columns");
        need_place(bytes, "bytes") = rule_bytes(r, type, columns);
    });
}

/// Reals where they lie, or a copy of what is none.
template <class T>
std::span<const real_of<T>> row_of(const T* first, std::size_t columns, std::size_t step, workspace& w) {
    if constexpr (std::is_same_v<T, real_of<T>>) {
        if (step == 1) {
            return {first, columns};
        }
    }
    const auto copy = w.take<real_of<T>>(columns);
    if (step == 1) {
        detail::to_reals(first, columns, copy.data());
    } else {
        for (std::size_t j = 0; j < columns; ++j) {
            copy[j] = to_real(first[j * step]);
        }
    }
    return copy;
}

tamis_result rule_mask(const tamis_rule* rule, tamis_type type, const void* data, size_t rows, size_t columns,
                       size_t row_stride, size_t step, uint64_t* words, size_t count, void* memory,
                       size_t memory_bytes, uint64_t* active, char* error) {
    return guarded(error, [&] {
        const auto& r = need_handle<rule_handle>(rule, "rule");
        const std::size_t each = bytes_of(type);
        times(columns, each * 64, "columns");
        const std::size_t bytes = extent(rows, row_stride, columns, step, each, "values");
        need_memory(data, bytes, each, "values");
        const std::size_t needed = times(rows, mask_words(columns), "rows");
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
        const auto scratch = need_workspace(memory, memory_bytes, rule_bytes(r, type, columns));
        const region of_values{data, bytes, "values"};
        const region of_words{words, needed * sizeof(std::uint64_t), "words"};
        const region of_workspace{memory, memory_bytes, "workspace"};
        need_apart(of_values, of_words);
        need_apart(of_values, of_workspace);
        need_apart(of_words, of_workspace);
        std::uint64_t kept = 0;
        with_type(type, [&]<class T>(T) {
            for (std::size_t i = 0; i < rows; ++i) {
                workspace rest{scratch};
                const auto row = row_of(static_cast<const T*>(data) + i * row_stride, columns, step, rest);
                const mask_span out{{words + i * mask_words(columns), mask_words(columns)}, columns};
                select(r.rule, row, out, rest);
                kept += out.count();
            }
        });
        if (active != nullptr) {
            *active = kept;
        }
    });
}

// Weights.

const char* format_name(std::size_t index) {
    return []<class... Fs>(formats<Fs...>, std::size_t i) {
        constexpr const char* names[]{Fs::name...};
        return i < sizeof...(Fs) ? names[i] : nullptr;
    }(all_formats{}, index);
}
tamis_result format_bytes(const char* format, std::size_t columns, std::size_t* bytes, char* error) {
    return guarded(error, [&] {
        need_most(columns, most_entries, "columns");
        need_place(bytes, "bytes") = any_row_bytes<all_formats>(need_text(format, "format"), columns);
    });
}
tamis_result pack_bytes(const tamis_matrix* from, const char* format, tamis_layout layout, std::size_t* bytes,
                        char* error) {
    return guarded(error, [&] {
        const any_matrix source = need_matrix(need_place(from, "from"), "from");
        need_layout(layout);
        need_place(bytes, "bytes") = any_repacked_bytes<all_formats>(source, need_text(format, "format"),
                                                                     static_cast<weight_layout>(layout));
    });
}
tamis_result pack(const tamis_matrix* from, const char* format, tamis_layout layout, void* memory,
                  std::size_t bytes, const tamis_threads* threads, tamis_matrix* packed, char* error) {
    return guarded(error, [&] {
        const any_matrix source = need_matrix(need_place(from, "from"), "from");
        need_layout(layout);
        const auto to = static_cast<weight_layout>(layout);
        const std::string_view name = need_text(format, "format");
        const tamis_threads none{0, nullptr, nullptr};
        const tamis_threads& run_on = threads == nullptr ? none : need_place(threads, "threads");
        need_threads(run_on);
        need_enough("the packed matrix", bytes, any_repacked_bytes<all_formats>(source, name, to));
        need_memory(memory, bytes, 1, "memory");
        need_place(packed, "packed");
        const any_matrix made =
            any_repack<all_formats>(source, name, to, {static_cast<std::byte*>(memory), bytes},
                                    threads_of(run_on));
        *packed = {format_name(all_formats::index_of(name)), layout, memory, made.rows(), made.columns(), 0};
    });
}

// Layers.

tamis_result plan_new(const char* json, size_t bytes, tamis_plan** made, char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        need_memory(json, bytes, 1, "json");
        const auto read = study::read_calibration({json, bytes});
        if (!read) {
            wrong(read.error);
        }
        plan_handle result;
        result.layers = read.value->layers;
        for (const study::calibrated_rule& r : read.value->rules) {
            char value[64];
            std::snprintf(value, sizeof value, "=%.17g", r.value);
            result.rules.push_back({r.layer, static_cast<std::size_t>(r.where),
                                    r.values.empty() ? r.rule + value : r.rule, r.values});
        }
        give(made, std::move(result));
    });
}
std::size_t plan_layers(const tamis_plan* plan) {
    return plan != nullptr && is<plan_handle>(plan) ? need_handle<plan_handle>(plan, "plan").layers : 0;
}

/// The rules of the parts, and their numbers by site.
struct rules_of_parts {
    site_rules rules{};
    std::array<std::span<const float>, TAMIS_SITES> numbers{};
};
rules_of_parts rules_of(const tamis_ffn_parts& p, std::size_t width, std::size_t neurons) {
    rules_of_parts result;
    for (std::size_t i = 0; i < TAMIS_SITES; ++i) {
        const std::size_t n = i == TAMIS_INPUT ? width : neurons;
        need_floats(p.numbers[i], n, "parts.numbers");
        result.numbers[i] = floats_of(p.numbers[i], n);
    }
    if (p.plan == nullptr) {
        result.rules = read_site_rules(p.rules == nullptr ? "" : p.rules);
        return result;
    }
    const auto& plan = need_handle<plan_handle>(p.plan, "parts.plan");
    if (p.rules != nullptr && *p.rules != 0) {
        wrong("parts.rules and parts.plan are both given: leave one of them NULL");
    }
    if (p.layer >= plan.layers) {
        wrong("parts.layer is " + std::to_string(p.layer) + ", but the plan has " +
              std::to_string(plan.layers) + " layers, from 0 on");
    }
    for (const plan_rule& r : plan.rules) {
        if (r.layer == p.layer) {
            result.rules.at[r.where] = r.text;
            result.numbers[r.where] = r.numbers.empty() ? result.numbers[r.where] : std::span{r.numbers};
        }
    }
    return result;
}
/// Masks that are known before.
any_policy neurons_of(const tamis_ffn_parts& p, std::size_t neurons) {
    need_most(p.neuron_masks, most_entries, "parts.neuron_masks");
    const std::size_t masks = (std::max)(p.neuron_masks, std::size_t{1});
    const std::size_t words = times(mask_words(neurons), masks, "parts.neurons");
    need_memory(p.neurons, times(words, sizeof(std::uint64_t), "parts.neurons"), alignof(std::uint64_t),
                "parts.neurons");
    // tamis reads masks alone, but takes a block of them as one that may be written
    const std::span<std::uint64_t> all{const_cast<std::uint64_t*>(p.neurons), words};
    const given known = p.neuron_masks == 0 ? given{mask_view{all, neurons}}
                                            : given{mask_block_span{all, p.neuron_masks, neurons}};
    return p.masks_only != 0 ? any_policy{masks_only(at_neurons(known))} : any_policy{at_neurons(known)};
}

tamis_result ffn_new(const tamis_ffn_parts* parts, tamis_layer** made, char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        const tamis_ffn_parts& p = need_place(parts, "parts");
        need_size(p.size, sizeof p, "parts");
        const bool gated = p.gate.format != nullptr;
        const any_matrix up = need_matrix(p.up, "up");
        const any_matrix gate = gated ? need_matrix(p.gate, "gate") : up;
        const any_matrix down = need_matrix(p.down, "down");
        const bool by_neurons = up.layout() == weight_layout::neuron_major;
        const std::size_t neurons = by_neurons ? up.rows() : up.columns();
        const std::size_t width = by_neurons ? up.columns() : up.rows();
        need_floats(p.gate_bias, neurons, "parts.gate_bias");
        need_floats(p.up_bias, neurons, "parts.up_bias");
        need_floats(p.down_bias, width, "parts.down_bias");
        const auto gating = read_gating(all_gatings{}, need_text(p.gating, "parts.gating"));
        const rules_of_parts rules = rules_of(p, width, neurons);
        policies_as_text read =
            read_policies<all_formats>(rules.rules, down, rules.numbers, p.masks_only != 0);
        if (!gating.value || !read.error.empty()) {
            fail((gating.error + read.error).c_str());
        }
        if (p.neurons != nullptr) {
            read.policies.push_back(neurons_of(p, neurons));
        }
        const std::span<const any_policy> policies{read.policies};
        const auto up_bias = floats_of(p.up_bias, neurons);
        const auto down_bias = floats_of(p.down_bias, width);
        ffn_type ffn =
            gated ? ffn_type{any_glu_weights{gate, up, down,
                                             glu_biases{floats_of(p.gate_bias, neurons), up_bias, down_bias}},
                             *gating.value, policies}
                  : ffn_type{any_plain_weights{up, down, up_bias, down_bias}, *gating.value, policies};
        give(made, layer_handle{.held = std::move(ffn),
                                .masks = p.neurons,
                                .masks_given = p.neuron_masks,
                                .neurons = neurons});
    });
}
tamis_result linear_new(const tamis_matrix* w, const float* bias, const char* rule, const float* numbers,
                        int masks_alone, tamis_layer** made, char* error) {
    return guarded(error, [&] {
        need_place(made, "made") = nullptr;
        const any_matrix m = need_matrix(need_place(w, "w"), "w");
        const bool by_inputs = m.layout() == weight_layout::input_major;
        const std::size_t inputs = by_inputs ? m.rows() : m.columns();
        const std::size_t outputs = by_inputs ? m.columns() : m.rows();
        need_floats(bias, outputs, "bias");
        need_floats(numbers, inputs, "numbers");
        const auto biased = floats_of(bias, outputs);
        if (rule == nullptr || *rule == 0) {
            return give(made, layer_handle{.held = projection_type{m, biased}});
        }
        const any_policy at_x{site::input, any_selector{read(rule, floats_of(numbers, inputs))},
                              masks_alone != 0};
        give(made, layer_handle{.held = projection_type{m, biased, at_x}});
    });
}
tamis_result layer_sizes(const tamis_layer* layer, std::size_t* inputs, std::size_t* outputs,
                         std::uint64_t* weight_bytes, char* error) {
    return guarded(error, [&] {
        const auto& l = need_handle<layer_handle>(layer, "layer");
        if (inputs != nullptr) {
            need_place(inputs, "inputs") = l.inputs();
        }
        if (outputs != nullptr) {
            need_place(outputs, "outputs") = l.outputs();
        }
        if (weight_bytes != nullptr) {
            need_place(weight_bytes, "weight_bytes") =
                std::visit([](const auto& f) { return f.bytes(); }, l.held);
        }
    });
}
tamis_result layer_workspace(const tamis_layer* layer, std::size_t tokens, std::size_t threads,
                             std::size_t* bytes, char* error) {
    return guarded(error, [&] {
        const auto& l = need_handle<layer_handle>(layer, "layer");
        need_most(threads, 4096, "threads");
        need_place(bytes, "bytes") = l.memory(tokens, threads);
    });
}

// A call.

/// Shows the caller what it wants to see.
struct shown {
    const tamis_call* c;

    void operator()(const sighting& s) const {
        const std::size_t active = s.has_policy ? s.mask.count() : s.values.size();
        if (s.has_policy && c->counts != nullptr) {
            c->counts->entries[static_cast<std::size_t>(s.where)] += s.mask.size();
            c->counts->active[static_cast<std::size_t>(s.where)] += active;
        }
        if (c->observer != nullptr) {
            const tamis_sighting seen{static_cast<int>(s.where),
                                      s.token,
                                      s.values.data(),
                                      s.values.size(),
                                      s.has_policy ? s.mask.words().data() : nullptr,
                                      active};
            c->observer(c->observer_context, &seen);
        }
    }
};

/// Masks that are known before: bits behind the last would be neurons that there are not, in masks and in what is written over
/// them.
void need_masks(const layer_handle& l, const region& y, const region& memory) {
    const std::size_t each = mask_words(l.neurons);
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

template <class T>
void run_as(const layer_handle& l, const tamis_call& c) {
    const block<const T> x{static_cast<const T*>(c.x), c.tokens, l.inputs(), c.x_stride};
    const block<T> y{static_cast<T*>(c.y), c.tokens, l.outputs(), c.y_stride};
    const workspace memory{{static_cast<std::byte*>(c.workspace), c.workspace_bytes}};
    const tokens_at_a_time some{c.tokens_at_a_time, memory};
    const bool seen = c.counts != nullptr || c.observer != nullptr;
    const traffic read = std::visit(
        [&](const auto& f) {
            return seen ? f(x, y, some, threads_of(c.threads), shown{&c})
                        : f(x, y, some, threads_of(c.threads));
        },
        l.held);
    if (c.counts != nullptr) {
        c.counts->bytes_read += read.bytes_read;
        c.counts->bytes_dense += read.bytes_dense - read.bytes_shared;
    }
}
tamis_result layer_run(const tamis_layer* layer, const tamis_call* call, char* error) {
    return guarded(error, [&] {
        const auto& l = need_handle<layer_handle>(layer, "layer");
        tamis_call c = need_place(call, "call");
        need_size(c.size, sizeof c, "call");
        const std::size_t each = bytes_of(c.type);
        if (c.type == TAMIS_F64 || c.type == TAMIS_INT8) {
            wrong("call.type may be TAMIS_F32, TAMIS_F16 or TAMIS_BF16");
        }
        const std::size_t inputs = l.inputs();
        const std::size_t outputs = l.outputs();
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
                       l.memory(c.tokens_at_a_time, c.threads.run == nullptr ? 1 : c.threads.width));
        if (l.masks != nullptr) {
            need_masks(l, {c.y, extent(c.tokens, c.y_stride, outputs, 1, each, "call.y"), "call.y"},
                       {c.workspace, c.workspace_bytes, "call.workspace"});
        }
        switch (c.type) {
            case TAMIS_F32: return run_as<float>(l, c);
            case TAMIS_F16: return run_as<binary16>(l, c);
            default: return run_as<bfloat16>(l, c);
        }
    });
}

} // namespace

extern const functions functions_of_level;
const functions functions_of_level{rule_new,
                                   free_handle<tamis_rule, rule_handle>,
                                   rule_workspace,
                                   rule_mask,
                                   format_name,
                                   format_bytes,
                                   pack_bytes,
                                   pack,
                                   plan_new,
                                   plan_layers,
                                   free_handle<tamis_plan, plan_handle>,
                                   ffn_new,
                                   linear_new,
                                   free_handle<tamis_layer, layer_handle>,
                                   layer_sizes,
                                   layer_workspace,
                                   layer_run};

} // namespace TAMIS_LEVEL
} // namespace tamis_c
