#include "kernels.hpp"

#include <tamis/ffn/site_rules.hpp>
#include <tamis/tamis.hpp>
#include <tamis/text_rule.hpp>

#include <cstring>
#include <limits>

// Compiled once for each level of instruction sets (TAMIS_LEVEL is its name); everything here is therefore in a namespace of the
// level, as tamis itself is.

#ifndef TAMIS_LEVEL
#error "kernels.cpp: TAMIS_LEVEL names the level of instruction sets; see tamis_compile_for_levels"
#endif
#ifndef TAMIS_C_FORMATS
#define TAMIS_C_FORMATS                                                                                     \
    f32, f16, bf16, int8_by_row, q8_0, q5_1, q5_0, q4_1, q4_0, q6_k, q5_k, q4_k, q3_k, q2_k, iq4_nl, mxfp4, \
        tq2_0
#endif

namespace tamis_c {
namespace TAMIS_LEVEL {

/// Numbers of 16 bits in memory.
struct binary16 {
    std::uint16_t bits;
    explicit operator float() const { return tamis::f16::widen(bits); }
};
struct bfloat16 {
    std::uint16_t bits;
    explicit operator float() const { return tamis::bf16::at(reinterpret_cast<const std::byte*>(&bits), 0); }
};

} // namespace TAMIS_LEVEL
} // namespace tamis_c

// By which tamis knows them.
template <>
struct std::numeric_limits<tamis_c::TAMIS_LEVEL::binary16> {
    static constexpr bool is_specialized = true;
    static constexpr int digits = 11, max_exponent = 16;
};
template <>
struct std::numeric_limits<tamis_c::TAMIS_LEVEL::bfloat16> {
    static constexpr bool is_specialized = true;
    static constexpr int digits = 8, max_exponent = 128;
};

namespace tamis_c {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;

using all_formats = formats<TAMIS_C_FORMATS>;
using all_gatings =
    gatings<silu, gelu, gelu_tanh, relu, relu2, linear, clipped_swiglu, limited_silu, sparse_gelu, xielu>;
using any = any_ffn<all_formats, all_gatings>;

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
/// Calls f with a format of the list; refuses what is none.
template <class... Fs, class Call>
void with_format(formats<Fs...>, std::string_view name, Call&& f) {
    const detail::listed_matrix<all_formats> known{"it", {name, weight_layout::neuron_major, nullptr, 0, 0}};
    known.as_it_is(f);
}

text_rule read(const worded_rule& r) {
    rule_reading reading = read_rule(r.text, r.numbers);
    if (!reading) {
        fail(reading.error.c_str());
    }
    return *reading.value;
}

struct rule_maker final : mask_maker {
    explicit rule_maker(const worded_rule& r) : rule{read(r)} {}

    std::size_t bytes(tamis_type type, std::size_t columns) const override {
        std::size_t copy = 0;
        with_type(type, [&]<class T>(T) { copy = workspace_bytes_of<real_of<T>>(columns); });
        return workspace_alignment + copy + selection_bytes(rule, columns);
    }
    std::uint64_t mask(const values& v, std::span<std::uint64_t> words,
                       std::span<std::byte> memory) const override {
        std::uint64_t active = 0;
        with_type(v.type, [&]<class T>(T) {
            for (std::size_t i = 0; i < v.rows; ++i) {
                workspace rest{memory};
                const auto row = row_of(static_cast<const T*>(v.data) + i * v.row_stride, v, rest);
                const mask_span out{words.subspan(i * mask_words(v.columns), mask_words(v.columns)),
                                    v.columns};
                select(rule, row, out, rest);
                active += out.count();
            }
        });
        return active;
    }
    /// Reals where they lie, or a copy of what is none.
    template <class T>
    static std::span<const real_of<T>> row_of(const T* first, const values& v, workspace& w) {
        if constexpr (std::is_same_v<T, real_of<T>>) {
            if (v.step == 1) {
                return {first, v.columns};
            }
        }
        const auto copy = w.take<real_of<T>>(v.columns);
        if (v.step == 1) {
            detail::to_reals(first, v.columns, copy.data());
        } else {
            for (std::size_t j = 0; j < v.columns; ++j) {
                copy[j] = to_real(first[j * v.step]);
            }
        }
        return copy;
    }

    text_rule rule;
};

/// The caller's threads as an executor.
struct threads_of {
    const tamis_threads* threads;

    std::size_t width() const { return threads->run == nullptr ? 1 : threads->width; }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        if (threads->run == nullptr) {
            return serial{}.run(count, task);
        }
        using type = std::remove_reference_t<Task>;
        threads->run(
            threads->context, count, [](void* held, std::size_t i) { (*static_cast<type*>(held))(i); },
            const_cast<void*>(static_cast<const void*>(&task)));
    }
};

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

template <class Ffn>
struct layer_of final : layer {
    template <class... Args>
    explicit layer_of(const Args&... args) : ffn{args...} {}

    std::size_t inputs() const override { return ffn.width(); }
    std::size_t outputs() const override {
        if constexpr (requires { ffn.outputs(); }) {
            return ffn.outputs();
        } else {
            return ffn.width();
        }
    }
    std::uint64_t weight_bytes() const override { return ffn.bytes(); }
    std::size_t memory(std::size_t tokens, std::size_t width) const override {
        return workspace_alignment +
               ffn.workspace_bytes(executor_of{width, [](std::size_t, auto&&) {}}, tokens);
    }
    void run(const tamis_call& c) const override {
        switch (c.type) {
            case TAMIS_F32: return run_as<float>(c);
            case TAMIS_F16: return run_as<binary16>(c);
            default: return run_as<bfloat16>(c);
        }
    }
    template <class T>
    void run_as(const tamis_call& c) const {
        const block<const T> x{static_cast<const T*>(c.x), c.tokens, inputs(), c.x_stride};
        const block<T> y{static_cast<T*>(c.y), c.tokens, outputs(), c.y_stride};
        const workspace memory{{static_cast<std::byte*>(c.workspace), c.workspace_bytes}};
        const tokens_at_a_time some{c.tokens_at_a_time, memory};
        const threads_of threads{&c.threads};
        traffic read;
        if (c.counts != nullptr || c.observer != nullptr) {
            read = ffn(x, y, some, threads, shown{&c});
        } else {
            read = ffn(x, y, some, threads);
        }
        if (c.counts != nullptr) {
            c.counts->bytes_read += read.bytes_read;
            c.counts->bytes_dense += read.bytes_dense - read.bytes_shared;
        }
    }

    Ffn ffn;
};

any_matrix matrix_of(const tamis_matrix& m) {
    return {m.format, static_cast<weight_layout>(m.layout), m.data, m.rows, m.columns, m.stride};
}

/// "name(1,2)": the arguments as numbers; `sample` is 1.
struct call_in_words {
    std::string_view name;
    double arguments[4] = {};
    std::size_t count = 0;

    explicit call_in_words(std::string_view text) : name{text.substr(0, text.find('('))} {
        std::string_view rest = text.substr(name.size());
        const auto wrong = [&] {
            fail(("tamis: the gating '" + std::string{text.substr(0, 60)} +
                  "' is not written as limited_silu(7) or xielu(0.8,0.8) are")
                     .c_str());
        };
        if (rest.empty()) {
            return;
        }
        if (rest.back() != ')') {
            wrong();
        }
        rest = rest.substr(1, rest.size() - 2);
        while (!rest.empty()) {
            const std::string_view one = rest.substr(0, rest.find(','));
            rest.remove_prefix((std::min)(rest.size(), one.size() + 1));
            if (count == 4 || (one != "sample" && !detail::read_double(one, arguments[count]))) {
                wrong();
            }
            arguments[count] = one == "sample" ? 1 : arguments[count];
            ++count;
        }
    }
    float at(std::size_t i) const { return static_cast<float>(arguments[i]); }
};
any::gating_type gating_of(std::string_view text) {
    const call_in_words c{text};
    const auto is = [&](const char* name, std::size_t least, std::size_t most) {
        return c.name == name && c.count >= least && c.count <= most;
    };
    if (is("silu", 0, 0)) {
        return silu{};
    }
    if (is("gelu", 0, 0)) {
        return gelu{};
    }
    if (is("gelu_tanh", 0, 0)) {
        return gelu_tanh{};
    }
    if (is("relu", 0, 0)) {
        return relu{};
    }
    if (is("relu2", 0, 0)) {
        return relu2{};
    }
    if (is("linear", 0, 0)) {
        return linear{};
    }
    if (is("clipped_swiglu", 0, 0)) {
        return clipped_swiglu{};
    }
    if (is("clipped_swiglu", 2, 2)) {
        return clipped_swiglu{c.at(0), c.at(1)};
    }
    if (is("limited_silu", 1, 1)) {
        return limited_silu{c.at(0)};
    }
    if (is("sparse_gelu", 1, 2)) {
        return sparse_gelu{c.arguments[0], c.count == 2 ? deviation::of_sample : deviation::of_population};
    }
    if (is("xielu", 2, 2)) {
        return xielu{c.at(0), c.at(1)};
    }
    fail(
        ("tamis: there is no gating '" + std::string{text.substr(0, 60)} +
         "'; there are silu, gelu, gelu_tanh, relu, relu2, linear, clipped_swiglu(alpha,limit), limited_silu(limit), "
         "sparse_gelu(target) and xielu(p,n)")
            .c_str());
}

/// neuron_norms of W_down as it lies.
std::vector<float> norms_of(const tamis_matrix& down) {
    std::vector<float> norms(down.layout == TAMIS_NEURON_MAJOR ? down.rows : down.columns);
    with_format(all_formats{}, down.format, [&]<class F>(F) {
        const std::size_t stride = down.stride == 0 ? F::row_bytes(down.columns) : down.stride;
        if (down.layout == TAMIS_NEURON_MAJOR) {
            neuron_norms(matrix<F, neuron_major>{down.data, down.rows, down.columns, stride}, norms);
        } else {
            neuron_norms(matrix<F, output_major>{down.data, down.rows, down.columns, stride}, norms);
        }
    });
    return norms;
}

std::unique_ptr<layer> new_ffn(const ffn_parts& parts) {
    const tamis_ffn_parts& p = *parts.given;
    const bool gated = p.gate.format != nullptr;
    const any_matrix up = matrix_of(p.up);
    const any_matrix down = matrix_of(p.down);
    const bool by_neurons = up.layout() == weight_layout::neuron_major;
    const std::size_t neurons = by_neurons ? up.rows() : up.columns();
    const std::size_t width = by_neurons ? up.columns() : up.rows();
    const auto bias = [](const float* data, std::size_t n) {
        return data == nullptr ? std::span<const float>{} : std::span{data, n};
    };
    std::vector<any_policy> policies;
    for (std::size_t i = 0; i < TAMIS_SITES; ++i) {
        worded_rule r = parts.rules[i];
        if (r.text.empty()) {
            continue;
        }
        std::vector<float> norms;
        if (r.numbers.empty()) {
            if (p.numbers[i] != nullptr) {
                r.numbers = {p.numbers[i], i == TAMIS_INPUT ? width : neurons};
            } else if (i == TAMIS_INTERMEDIATE && read_rule(r.text).wants_numbers) {
                norms = norms_of(p.down);
                r.numbers = norms;
            }
        }
        policies.emplace_back(static_cast<site>(i), any_selector{read(r)}, p.masks_only != 0);
    }
    if (p.neurons != nullptr) {
        const std::size_t words = mask_words(neurons);
        // tamis reads masks alone, but takes a block of them as one that may be written
        const std::span<std::uint64_t> all{const_cast<std::uint64_t*>(p.neurons),
                                           words * (p.neuron_masks == 0 ? 1 : p.neuron_masks)};
        const given masks = p.neuron_masks == 0 ? given{mask_view{all, neurons}}
                                                : given{mask_block_span{all, p.neuron_masks, neurons}};
        if (p.masks_only != 0) {
            policies.emplace_back(masks_only(at_neurons(masks)));
        } else {
            policies.emplace_back(at_neurons(masks));
        }
    }
    const std::span<const any_policy> all{policies};
    if (gated) {
        const glu_biases biases{bias(p.gate_bias, neurons), bias(p.up_bias, neurons),
                                bias(p.down_bias, width)};
        return std::make_unique<layer_of<any>>(any_glu_weights{matrix_of(p.gate), up, down, biases},
                                               gating_of(p.gating), all);
    }
    return std::make_unique<layer_of<any>>(any_plain_weights{up, down, bias(p.up_bias, neurons),
                                                             bias(p.down_bias, width)},
                                           gating_of(p.gating), all);
}

std::unique_ptr<layer> new_linear(const tamis_matrix& w, std::span<const float> bias, const worded_rule& r,
                                  bool masks_only) {
    using projection_type = any_projection<all_formats>;
    if (r.text.empty()) {
        return std::make_unique<layer_of<projection_type>>(matrix_of(w), bias);
    }
    return std::make_unique<layer_of<projection_type>>(matrix_of(w), bias,
                                                       any_policy{site::input, any_selector{read(r)},
                                                                  masks_only});
}

const char* format_name(std::size_t index) {
    return []<class... Fs>(formats<Fs...>, std::size_t i) {
        constexpr const char* names[]{Fs::name...};
        return i < sizeof...(Fs) ? names[i] : nullptr;
    }(all_formats{}, index);
}
std::size_t row_bytes(std::string_view format, std::size_t columns) {
    std::size_t bytes = 0;
    with_format(all_formats{}, format, [&]<class F>(F) {
        detail::need_whole_blocks<F>(columns);
        bytes = F::row_bytes(columns);
    });
    return bytes;
}
std::size_t packed_bytes(const tamis_matrix& from, std::string_view format, tamis_layout l) {
    return any_repacked_bytes<all_formats>(matrix_of(from), format, static_cast<weight_layout>(l));
}
void pack(const tamis_matrix& from, std::string_view format, tamis_layout l, std::span<std::byte> memory,
          const tamis_threads& threads) {
    any_repack<all_formats>(matrix_of(from), format, static_cast<weight_layout>(l), memory,
                            threads_of{&threads});
}
std::unique_ptr<mask_maker> new_rule(const worded_rule& r) { return std::make_unique<rule_maker>(r); }

} // namespace

#define TAMIS_TEXT_(x) #x
#define TAMIS_TEXT(x) TAMIS_TEXT_(x)
extern const kernels kernels_of_level;
const kernels kernels_of_level{
    TAMIS_TEXT(TAMIS_LEVEL), format_name, row_bytes, packed_bytes, pack, new_rule, new_ffn, new_linear};

} // namespace TAMIS_LEVEL
} // namespace tamis_c
