#include "kernels.hpp"

#include <tamis/exec/team.hpp>
#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/cett_exact.hpp>
#include <tamis/ffn/in_int8.hpp>
#include <tamis/ffn/packed_projection.hpp>
#include <tamis/study/calibrate/calibration.hpp>
#include <tamis/tamis.hpp>

#include <cstring>

// Compiled once for each level of instruction sets (TAMIS_LEVEL is its name); everything here is therefore in a namespace of the
// level, as tamis itself is.

#ifndef TAMIS_LEVEL
#error "kernels.cpp: TAMIS_LEVEL names the level of instruction sets; see tamis_compile_for_levels"
#endif

namespace tamis_ggml {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;

#ifndef TAMIS_BACKEND_FORMATS // fewer are compiled in less time; models of others run dense
#define TAMIS_BACKEND_FORMATS \
    f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, q6_k, q5_k, q4_k, q3_k, q2_k, iq4_nl, mxfp4, tq2_0
#endif
template <class...>
struct list {};
template <class... Fs, class... Gs>
list<Fs..., Gs...> operator+(list<Fs...>, list<Gs...>) {
    return {};
}
template <class F>
auto turned_of() {
    if constexpr (turnable_format<F>) {
        return list<column_blocks<F>>{};
    } else {
        return list<>{};
    }
}
template <class... Fs>
auto all_turned(list<Fs...>) {
    return (list<>{} + ... + turned_of<Fs>());
}
template <class... Fs>
formats<Fs...> formats_of(list<Fs...>);
using read_as_stored = list<TAMIS_BACKEND_FORMATS>;
using readable = decltype(formats_of(read_as_stored{}));
using kept_formats = decltype(formats_of(read_as_stored{} + all_turned(read_as_stored{})));
using laid_out_formats = decltype(formats_of(list<f32, f16, bf16, q8_0>{} + all_turned(read_as_stored{})));

/// What a matrix becomes when its rows are made inputs: blocks of 32 stay together, down the columns, so that nothing is rounded
/// anew; the K formats become q8_0.
template <class F>
struct laid_out_as {
    using type =
        std::conditional_t<std::is_same_v<F, f32> || std::is_same_v<F, f16> || std::is_same_v<F, bf16>, F,
                           q8_0>;
};
template <turnable_format F>
struct laid_out_as<F> {
    using type = column_blocks<F>;
};

/// Calls f with a format, by its name; tells whether there is one.
template <class... Fs, class Call>
bool with_format(formats<Fs...>, const char* name, Call&& f) {
    return ((std::strcmp(name, Fs::name) == 0 ? (f(Fs{}), true) : false) || ...);
}

/// The selector of a rule; cett weighs by norms, which are borrowed.
any_selector selector_of(const rule& r, std::span<const float> norms) {
    if (std::strcmp(r.name, "nonzero") == 0) {
        return nonzero{};
    }
    return study::selector_of({0, site::intermediate, r.name, r.value,
                               r.values != nullptr ? *r.values : std::vector<float>{}},
                              norms);
}
/// The norms of what each row of a laid out matrix adds to y, where a rule weighs by them.
std::vector<float> norms_for(const rule& r, const stored_matrix& m, const std::byte* laid_out);

struct team_crew final : crew {
    explicit team_crew(std::size_t most) : threads{most} {}
    team threads;
};

/// Adds masks and traffic to what was seen; a product has one place.
struct counting {
    counts* seen;
    bool is_product = false;

    void operator()(const sighting& s) const {
        if (s.has_policy) {
            const std::size_t at = is_product ? 3 : static_cast<std::size_t>(s.where);
            seen->entries[at] += s.mask.size();
            seen->active[at] += s.mask.count();
        }
    }
    void operator()(const traffic& t) const {
        seen->bytes += t.bytes_dense - t.bytes_shared;
        seen->read += t.bytes_read;
    }
};

template <class Ffn>
struct operation_of final : operation {
    operation_of(Ffn f, std::vector<float> norms_of_rules, const stored_matrix& first,
                 const stored_matrix& last, bool product)
        : ffn{std::move(f)},
          norms{std::move(norms_of_rules)}, // they stay where they are
          width_of_x{first.columns},
          width_of_y{last.rows},
          is_product{product} {}

    std::size_t memory(std::size_t threads, std::size_t tokens) const override {
        return workspace_alignment +
               ffn.workspace_bytes(executor_of{threads, [](std::size_t, auto&&) {}}, tokens);
    }
    void enter(crew& threads, std::size_t ith, std::size_t nth, const call& c) const override {
        static_cast<team_crew&>(threads).threads.enter(ith, nth, [&](const team::members& members) {
            const block<const float> x{c.x, c.tokens, width_of_x, c.x_stride};
            const block<float> y{c.y, c.tokens, width_of_y, c.y_stride};
            if (c.seen == nullptr) {
                ffn(x, y, workspace{c.memory}, members);
            } else {
                const counting see{c.seen, is_product};
                see(ffn(x, y, workspace{c.memory}, members, see));
            }
        });
    }

    Ffn ffn;
    std::vector<float> norms; // that cett borrows
    std::size_t width_of_x, width_of_y;
    bool is_product;
};

const char* laid_out_format(const char* format) {
    const char* name = nullptr;
    with_format(readable{}, format, [&]<class F>(F) { name = laid_out_as<F>::type::name; });
    return name;
}
std::size_t laid_out_bytes(const stored_matrix& m) {
    std::size_t bytes = 0;
    with_format(readable{}, m.format, [&]<class F>(F) {
        using G = typename laid_out_as<F>::type;
        if constexpr (turnable_format<F>) {
            bytes = (m.columns + G::block - 1) / G::block * G::number_bytes(m.rows) +
                    m.columns * G::row_bytes(m.rows);
        } else {
            bytes = m.columns * G::row_bytes(m.rows);
        }
    });
    return bytes;
}
void lay_out(const stored_matrix& m, std::byte* to) {
    const std::span<std::byte> memory{to, laid_out_bytes(m)};
    with_format(readable{}, m.format, [&]<class F>(F) {
        const matrix<F, output_major> source{m.data, m.rows, m.columns};
        if constexpr (turnable_format<F>) {
            turn<neuron_major>(source, memory);
        } else {
            repack<typename laid_out_as<F>::type, neuron_major>(source, memory);
        }
    });
}

crew* new_crew(std::size_t most_threads) { return new team_crew{most_threads}; }

std::vector<float> norms_for(const rule& r, const stored_matrix& m, const std::byte* laid_out) {
    std::vector<float> norms;
    if (std::strcmp(r.name, "cett") == 0) {
        norms.resize(m.columns);
        with_format(laid_out_formats{}, laid_out_format(m.format), [&]<class F>(F) {
            neuron_norms(matrix<F, neuron_major>{laid_out, m.columns, m.rows}, norms);
        });
    }
    return norms;
}

operation* new_product(const stored_matrix& m, const std::byte* laid_out, const rule& at_x) {
    operation* made = nullptr;
    with_format(laid_out_formats{}, laid_out_format(m.format), [&]<class F>(F) {
        const matrix<F, input_major> w{laid_out, m.columns, m.rows};
        std::vector<float> norms = norms_for(at_x, m, laid_out);
        projection product{linear_weights{w}, at_input(selector_of(at_x, norms))};
        const auto make = [&]<class P>(P p) {
            made = new operation_of<P>{std::move(p), std::move(norms), m, m, true};
        };
        if constexpr (detail::column_blocked<F>) {
            make(in_int8{std::move(product)}); // the integers that the host's own product is made of
        } else {
            make(std::move(product));
        }
    });
    return made;
}

operation* new_ffn(const kept_matrix& gate, const kept_matrix& up, const kept_matrix& down, gating sigma,
                   const rule (&at)[places]) {
    const auto kept = [](const kept_matrix& m, weight_layout laid_out) {
        const stored_matrix& s = m.stored;
        return m.laid_out == nullptr
                   ? any_matrix{s.format, weight_layout::neuron_major, s.data, s.rows, s.columns}
                   : any_matrix{laid_out_format(s.format), laid_out, m.laid_out, s.columns, s.rows};
    };
    const any_glu_weights weights{kept(gate, weight_layout::input_major),
                                  kept(up, weight_layout::input_major),
                                  kept(down, weight_layout::neuron_major)};
    std::vector<float> norms = norms_for(at[places - 1], down.stored, down.laid_out);
    std::vector<any_policy> policies;
    for (std::size_t i = 0; i < places; ++i) {
        if (at[i]) {
            policies.emplace_back(static_cast<site>(i), selector_of(at[i], norms));
        }
    }
    using ffn = any_ffn<kept_formats, gatings<silu, gelu_tanh, gelu, relu>>;
    const ffn::gating_type sigmas[]{silu{}, gelu_tanh{}, gelu{}, relu{}};
    auto whole =
        in_int8{ffn{weights, sigmas[static_cast<int>(sigma)], std::span<const any_policy>{policies}}};
    return new operation_of<decltype(whole)>{std::move(whole), std::move(norms), gate.stored, down.stored,
                                             false};
}

} // namespace

#define TAMIS_TEXT_(x) #x
#define TAMIS_TEXT(x) TAMIS_TEXT_(x)
extern const kernels kernels_of_level;
const kernels kernels_of_level{
    TAMIS_TEXT(TAMIS_LEVEL), laid_out_format, laid_out_bytes, lay_out, new_crew, new_product, new_ffn};

} // namespace TAMIS_LEVEL
} // namespace tamis_ggml
