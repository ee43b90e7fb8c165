// FFNs of any shape, format, layout, activation, policies, number of tokens and of threads, against plain loops in double over
// the weights as they are stored, and against themselves with other threads.

#include "ffn/support_reference.hpp"
#include "fuzz/target.hpp"

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/select.hpp>

#include <vector>

namespace {

using any_formats = tamis::formats<tamis::f32, tamis::bf16, tamis::q8_0, tamis::q4_0>;
using any_type = tamis::any_ffn<any_formats, tamis::gatings<tamis::silu, tamis::gelu_tanh, tamis::relu2>>;

/// A matrix in one of the formats and layouts; `m` becomes what was stored.
struct packed_matrix {
    std::vector<std::byte> bytes;
    const char* format = "";
    tamis::weight_layout layout{};
    std::size_t rows = 0, columns = 0, stride = 0;

    packed_matrix(fuzz::input& in, dense& m, tamis::weight_layout other) {
        const auto how = in.take<std::uint8_t>();
        const bool by_outputs = (how & 1) != 0;
        layout = other == tamis::weight_layout::output_major
                     ? (by_outputs ? tamis::weight_layout::output_major : tamis::weight_layout::neuron_major)
                     : (by_outputs ? tamis::weight_layout::neuron_major : other);
        switch ((how >> 1) & 3) {
            case 0: pack<tamis::f32>(m, by_outputs, how >> 3); break;
            case 1: pack<tamis::bf16>(m, by_outputs, how >> 3); break;
            case 2: pack<tamis::q8_0>(m, by_outputs, how >> 3); break;
            default: pack<tamis::q4_0>(m, by_outputs, how >> 3); break;
        }
    }
    template <class F>
    void pack(dense& m, bool by_outputs, std::size_t gap) {
        format = F::name;
        rows = by_outputs ? m.outputs : m.inputs;
        columns = by_outputs ? m.inputs : m.outputs;
        stride = F::row_bytes(columns) + gap * sizeof(typename F::storage);
        bytes.assign(rows * stride + 1, std::byte{0xff});
        std::vector<float> row(columns);
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                row[j] = by_outputs ? m.at(i, j) : m.at(j, i);
            }
            F::pack(row, bytes.data() + i * stride);
            for (std::size_t j = 0; j < columns; ++j) {
                (by_outputs ? m.values[i * m.inputs + j] : m.values[j * m.inputs + i]) =
                    F::at(bytes.data() + i * stride, j);
            }
        }
    }
    tamis::any_matrix view() const { return {format, layout, bytes.data(), rows, columns, stride}; }
};

tamis::any_selector selector_of(fuzz::input& in) {
    const auto which = in.take<std::uint8_t>();
    const double share = in.take<std::uint8_t>() / 255.0;
    switch (which % 4) {
        case 0: return tamis::top_p{share};
        case 1: return tamis::top_k{static_cast<std::size_t>(share * 70)};
        case 2: return tamis::max_p{share};
        default: return tamis::threshold{share};
    }
}

/// Three threads whose tasks come in another order.
struct backwards {
    static constexpr std::size_t width() { return 3; }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        while (count > 0) {
            task(--count);
        }
    }
};

} // namespace

void fuzz::ffns(input in) {
    const std::size_t width = 1 + in.below(97), neurons = 1 + in.below(131),
                      tokens = 1 + in.below(57) % (1 + in.below(19));
    const auto flags = in.take<std::uint8_t>();
    const bool gated = (flags & 1) != 0;
    problem p = random_problem(width, neurons, (flags & 2) != 0, in.take<std::uint16_t>());
    const packed_matrix gate{in, p.gate, tamis::weight_layout::input_major};
    const packed_matrix up{in, p.up, tamis::weight_layout::input_major};
    const packed_matrix down{in, p.down, tamis::weight_layout::output_major};
    std::vector<tamis::any_policy> policies;
    for (const tamis::site where :
         {tamis::site::input, tamis::site::gate, tamis::site::up, tamis::site::intermediate}) {
        const bool there = where == tamis::site::input || where == tamis::site::intermediate || gated;
        if (there && (flags >> (4 + static_cast<int>(where)) & 1) != 0) {
            policies.push_back({where, selector_of(in), true});
        }
    }
    constexpr exact_sigma sigmas[] = {exact_silu, exact_gelu_tanh, exact_relu2};
    const std::size_t which = in.below(3);
    any_type::gating_type sigma;
    which == 0 ? sigma = tamis::silu{} : which == 1 ? sigma = tamis::gelu_tanh{} : sigma = tamis::relu2{};

    const any_type ffn =
        gated ? any_type{tamis::any_glu_weights{gate.view(), up.view(), down.view(), p.biases()}, sigma,
                         policies}
              : any_type{tamis::any_plain_weights{up.view(), down.view(), p.up_bias, p.down_bias}, sigma,
                         policies};

    engine random{in.take<std::uint16_t>()};
    const std::vector<float> x = coarse_values(tokens * width, random);
    std::vector<float> y(tokens * width), z(tokens * width);
    const tamis::block<const float> from{x.data(), tokens, width};
    recorder seen, ignored;
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, tokens)};
    tamis::owned_workspace threads_memory{ffn.workspace_bytes(backwards{}, tokens)};
    ffn(from, tamis::block<float>{y.data(), tokens, width}, memory, seen);
    ffn(from, tamis::block<float>{z.data(), tokens, width}, threads_memory, backwards{}, ignored);
    need(std::memcmp(y.data(), z.data(), y.size() * sizeof(float)) == 0, "y depends on the threads");

    for (std::size_t token = 0; token < tokens; ++token) {
        recorder of_token;
        site_masks masks;
        for (const auto& r : seen.seen) {
            if (r.token == token) {
                of_token.seen.push_back(r);
                if (r.has_policy) {
                    masks[static_cast<std::size_t>(r.where)] = r.mask;
                }
            }
        }
        for (const auto& r : of_token.seen) {
            for (const tamis::any_policy& one : policies) {
                if (one.where() == r.where) {
                    need(same_mask(r.mask, tamis::select(*one.selector(), r.values)),
                         "a mask is not its values'");
                }
            }
        }
        p.x.assign(x.begin() + static_cast<std::ptrdiff_t>(token * width),
                   x.begin() + static_cast<std::ptrdiff_t>((token + 1) * width));
        const auto expected =
            gated ? reference_glu(p, sigmas[which], masks) : reference_plain(p, sigmas[which], masks);
        const std::string what = differences(expected, of_token, std::span{y}.subspan(token * width, width));
        if (!what.empty()) {
            wrong("token " + std::to_string(token) + ": " + what);
        }
    }
}
