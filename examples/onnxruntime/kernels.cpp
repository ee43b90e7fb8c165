#include "nbits.hpp"

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/cett_exact.hpp>
#include <tamis/ffn/in_int8.hpp>
#include <tamis/study/calibrate/rules_as_text.hpp>

#include <limits>
#include <string_view>
#include <vector>

// Compiled once for each level of instruction sets (TAMIS_LEVEL is its name); everything here is therefore in a namespace of the
// level, as tamis itself is.

#ifndef TAMIS_LEVEL
#error "kernels.cpp: TAMIS_LEVEL names the level of instruction sets; see tamis_compile_for_levels"
#endif

namespace tamis_onnx {
namespace TAMIS_LEVEL {

/// Activations of sixteen bits; numeric_limits tell tamis which they are.
template <class F>
struct sixteen_bits {
    std::uint16_t bits;
    explicit operator float() const { return F::at(reinterpret_cast<const std::byte*>(&bits), 0); }
};

} // namespace TAMIS_LEVEL
} // namespace tamis_onnx

template <>
class std::numeric_limits<tamis_onnx::TAMIS_LEVEL::sixteen_bits<tamis::f16>> {
  public:
    static constexpr bool is_specialized = true;
    static constexpr int digits = 11, max_exponent = 16;
};
template <>
class std::numeric_limits<tamis_onnx::TAMIS_LEVEL::sixteen_bits<tamis::bf16>> {
  public:
    static constexpr bool is_specialized = true;
    static constexpr int digits = 8, max_exponent = 128;
};

namespace tamis_onnx {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;

using nbits_formats =
    formats<int4_groups<32>, int4_groups<64>, int4_groups<128>, byte_groups<16>, byte_groups<32>>;
using readable = formats<f32, f16, bf16, q8_0, int4_groups<32>, int4_groups<64>, int4_groups<128>,
                         byte_groups<16>, byte_groups<32>>;
using laid_formats = formats<f32, f16, bf16, q8_0>;

/// Calls f with the format of a list that has this name.
template <class... Fs, class Call>
void with_format(formats<Fs...>, std::string_view name, Call&& f) {
    (void)((name == Fs::name ? (f(Fs{}), true) : false) || ...);
}

/// A matrix, and memory of its own where it had to be copied.
struct laid_matrix {
    any_matrix view;
    aligned_memory memory;
};

/// A layer's weights: floats where they lie, others in rows of one format.
laid_matrix read(const linear_layer& l, weight_layout by_inputs, weight_layout by_outputs) {
    if (l.bits == 0) {
        constexpr const char* names[] = {"f32", "f16", "bf16"};
        const std::size_t size = l.weights.type == element::f32 ? 4 : 2;
        const auto* data = static_cast<const std::byte*>(l.weights.data);
        const char* name = names[static_cast<int>(l.weights.type)];
        return l.by_outputs
                   ? laid_matrix{{name, by_outputs, data + l.first * l.inputs * size, l.outputs, l.inputs},
                                 aligned_memory{0}}
                   : laid_matrix{{name, by_inputs, data + l.first * size, l.inputs, l.outputs,
                                  l.all_outputs * size},
                                 aligned_memory{0}};
    }
    const char* name = l.block == 16   ? "byte_groups<16>"
                       : l.bits == 8   ? "byte_groups<32>"
                       : l.block == 32 ? "int4_groups<32>"
                       : l.block == 64 ? "int4_groups<64>"
                                       : "int4_groups<128>";
    laid_matrix made{{name, by_outputs, nullptr, 0, l.inputs}, aligned_memory{0}};
    with_format(nbits_formats{}, name, [&]<class F>(F) {
        made.memory = aligned_memory{l.outputs * F::row_bytes(l.inputs)};
        write_rows<F>(l, made.memory.bytes().data());
        made.view = {name, by_outputs, made.memory.bytes().data(), l.outputs, l.inputs};
    });
    return made;
}

/// A matrix whose types are known, of one that is known by its names.
template <class F, layout L>
matrix<F, L> typed(const any_matrix& m) {
    const std::size_t stride = m.stride_bytes() == 0 ? F::row_bytes(m.columns()) : m.stride_bytes();
    return {m.data(), m.rows(), m.columns(), stride};
}

/// The same weights with rows and columns exchanged: floats stay what they are.
template <layout To>
void transpose(laid_matrix& m, const std::string& laid_as) {
    constexpr weight_layout to = value_of_layout<To>;
    if (m.view.layout() == to) {
        return;
    }
    const any_matrix from = m.view;
    const bool floats = from.format() == "f32" || from.format() == "f16" || from.format() == "bf16";
    with_format(readable{}, from.format(), [&]<class F>(F) {
        with_format(laid_formats{}, floats ? from.format() : laid_as, [&]<class G>(G) {
            if constexpr (std::is_same_v<F, G> || std::is_same_v<G, q8_0> || std::is_same_v<G, f16>) {
                const auto exchange = [&]<layout From>(From) {
                    const matrix<F, From> source = typed<F, From>(from);
                    aligned_memory memory{repacked_bytes<G, To>(source)};
                    m.view = repack<G, To>(source, memory.bytes());
                    m.memory = std::move(memory);
                };
                if constexpr (std::is_same_v<To, input_major>) {
                    exchange(neuron_major{});
                } else if (from.layout() == weight_layout::output_major) {
                    exchange(output_major{});
                } else {
                    exchange(input_major{});
                }
            }
        });
    });
}

using ffn_of_graph = any_ffn<readable, gatings<silu, gelu, gelu_tanh, relu, relu2, linear>>;

class made_ffn final : public ffn {
  public:
    explicit made_ffn(const description& d)
        : gate_{read(d.gate, weight_layout::input_major, weight_layout::neuron_major)},
          up_{read(d.up, weight_layout::input_major, weight_layout::neuron_major)},
          down_{read(d.down, weight_layout::neuron_major, weight_layout::output_major)},
          biases_{floats(d.gate), floats(d.up), floats(d.down)},
          ffn_{whole(d)},
          in_int8_{d.in_int8} {}

    std::size_t memory(std::size_t threads, std::size_t tokens) const override {
        const executor_of some{threads, [](std::size_t, auto&&) {}};
        return workspace_alignment +
               (in_int8_ ? in_int8{ffn_}.workspace_bytes(some, tokens) : ffn_.workspace_bytes(some, tokens));
    }
    bytes_of_call run(const call& c) const override {
        switch (c.type) {
            case element::f32: return run_on<float>(c);
            case element::f16: return run_on<sixteen_bits<f16>>(c);
            default: return run_on<sixteen_bits<bf16>>(c);
        }
    }

  private:
    static std::vector<float> floats(const linear_layer& l) {
        std::vector<float> all(l.bias ? l.outputs : 0);
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i] = number_at(l.bias, l.bias_first + i);
        }
        return all;
    }
    /// Lays out what the rules skip, and puts all together.
    ffn_of_graph whole(const description& d) {
        const study::rules_as_text read = study::read_calibrated_rules(d.rules);
        if (!read.error.empty()) {
            fail(read.error.c_str());
        }
        const auto& rules = read.rules;
        const auto has = [&](site where) {
            return std::any_of(rules.begin(), rules.end(), [&](const auto& r) { return r.where == where; });
        };
        if (has(site::input)) {
            transpose<input_major>(gate_, d.laid_as);
            transpose<input_major>(up_, d.laid_as);
        } else if (has(site::gate)) {
            transpose<neuron_major>(up_, d.laid_as);
        } else if (has(site::up)) {
            transpose<neuron_major>(gate_, d.laid_as);
        }
        if (has(site::gate) || has(site::up) || has(site::intermediate)) {
            transpose<neuron_major>(down_, d.laid_as);
        }
        if (std::any_of(rules.begin(), rules.end(), [](const auto& r) { return r.rule == "cett"; })) {
            norms_.resize(d.down.inputs);
            with_format(laid_formats{}, down_.view.format(),
                        [&]<class F>(F) { neuron_norms(typed<F, neuron_major>(down_.view), norms_); });
        }
        std::vector<any_policy> policies;
        for (const study::calibrated_rule& r : rules) {
            policies.emplace_back(r.where, r.rule == study::exact_zeros ? any_selector{nonzero{}}
                                                                        : study::selector_of(r, norms_));
        }
        const ffn_of_graph::gating_type sigmas[]{silu{}, gelu{}, gelu_tanh{}, relu{}, relu2{}, linear{}};
        return {any_glu_weights{gate_.view, up_.view, down_.view,
                                glu_biases{biases_[0], biases_[1], biases_[2]}},
                sigmas[static_cast<int>(d.sigma)], std::span<const any_policy>{policies}};
    }

    template <class T>
    bytes_of_call run_on(const call& c) const {
        const executor_of threads{c.threads->width, [&]<class Task>(std::size_t count, Task&& task) {
                                      using kind = std::remove_reference_t<Task>;
                                      c.threads->run(
                                          *c.threads, count,
                                          [](void* user, std::size_t i) { (*static_cast<kind*>(user))(i); },
                                          const_cast<void*>(static_cast<const void*>(&task)));
                                  }};
        const block<const T> x{static_cast<const T*>(c.x), c.tokens, ffn_.width()};
        const block<T> y{static_cast<T*>(c.y), c.tokens, ffn_.width()};
        const traffic t = in_int8_ ? in_int8{ffn_}(x, y, workspace{c.memory}, threads)
                                   : ffn_(x, y, workspace{c.memory}, threads);
        return {static_cast<std::int64_t>(t.bytes_read), static_cast<std::int64_t>(t.bytes_dense)};
    }

    laid_matrix gate_, up_, down_;
    std::vector<float> biases_[3], norms_; // borrowed by ffn_
    ffn_of_graph ffn_;
    bool in_int8_;
};

std::unique_ptr<ffn> make(const description& d) { return std::make_unique<made_ffn>(d); }

} // namespace

#define TAMIS_TEXT_(x) #x
#define TAMIS_TEXT(x) TAMIS_TEXT_(x)
extern const kernels kernels_of_level;
const kernels kernels_of_level{TAMIS_TEXT(TAMIS_LEVEL), make};

} // namespace TAMIS_LEVEL
} // namespace tamis_onnx
