#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/ffn/policy.hpp>
#include <tamis/ffn/repack.hpp>
#include <tamis/ffn/turn.hpp>
#include <tamis/ffn/weights.hpp>

#include <tamis/kernel/sum_column_blocks.hpp>

#include <utility>

TAMIS_BEGIN

// Makes the layout that policies need. What already lies right stays a view of the caller's memory.

/// A matrix that is either a view of the caller's memory or a packed copy of its own, whose memory is aligned to a cache
/// line. Movable, not copyable.
template <class F, class L>
class packed_matrix {
  public:
    /// A view, which owns nothing.
    explicit packed_matrix(matrix<F, L> borrowed) : view_{borrowed} {}
    /// A copy, and the memory that it lies in.
    packed_matrix(matrix<F, L> packed, aligned_memory memory) : memory_{std::move(memory)}, view_{packed} {}

    /// The weights where they lie now; refused of a temporary.
    const matrix<F, L>& view() const& TAMIS_LIFETIMEBOUND { return view_; }
    void view() const&& = delete; // tamis: these weights go with a temporary; give the packed_matrix a name
    /// Bytes of a copy of its own; 0 for a view.
    std::size_t owned_bytes() const { return memory_.size(); }

  private:
    aligned_memory memory_;
    matrix<F, L> view_;
};

/// The weights of a gated FFN in the layout that policies need; owns what had to be copied.
template <class Gate, class Up, class Down>
struct packed_glu {
    /// Packed, or a view where it lay right.
    Gate gate;
    /// Packed, or a view where it lay right.
    Up up;
    /// Packed, or a view where it lay right.
    Down down;
    /// Of gate, up and down; empty where there is none.
    glu_biases biases;

    /// The weights where they lie now; refused of a temporary.
    auto view() const& { return glu_weights{gate.view(), up.view(), down.view(), biases}; }
    void view() const&& = delete; // tamis: these weights go with a temporary; give what pack returns a name
    /// Bytes of copies; 0 if all lay right.
    std::size_t owned_bytes() const { return gate.owned_bytes() + up.owned_bytes() + down.owned_bytes(); }
};

/// The same of an ungated FFN.
template <class Up, class Down>
struct packed_plain {
    /// Packed, or a view where it lay right.
    Up up;
    /// Packed, or a view where it lay right.
    Down down;
    /// One an output, borrowed; empty where there is none.
    std::span<const float> up_bias, down_bias;

    /// One an output, borrowed; empty where there is none.
    auto view() const& { return plain_weights{up.view(), down.view(), up_bias, down_bias}; }
    void view() const&& = delete; // tamis: these weights go with a temporary; give what pack returns a name
    /// Bytes of copies; 0 if all lay right.
    std::size_t owned_bytes() const { return up.owned_bytes() + down.owned_bytes(); }
};

/// Packing on the caller's threads, with progress(done, all) as repack has it, in bytes of all that is copied:
///     pack<bf16>(on_threads{threads, progress}, weights, policies...)
template <executor E, class Progress = no_progress>
struct on_threads {
    /// Where bands of rows are packed.
    E threads;
    /// Called with (done, all) in bytes.
    Progress progress{};
};
template <class E>
on_threads(E) -> on_threads<E>;
template <class E, class Progress>
on_threads(E, Progress) -> on_threads<E, Progress>;

/// In the place of a format: matrices that have to be transposed become F, and what lies right stays in its own format, where
/// it lies. So a checkpoint in a format that is read alone, or that loses much when it is transposed, is packed:
///     auto ffn = packed_ffn<transposed_as<q8_0>>(weights_in_q4_k, silu{}, at_intermediate(top_p{0.9}));
template <packable_format F>
struct transposed_as {};

/// In the place of a format: what has to be transposed keeps every weight as the checkpoint has it, bit for bit. Formats with
/// blocks of 32 become column_blocks (q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl, mxfp4); f32, f16 and bf16 stay what they are; others
/// are refused, or rounded, as without.
///     auto ffn = packed_ffn<transposed_exactly>(weights_in_q4_0, silu{}, at_intermediate(top_p{0.9}));
struct transposed_exactly {};

namespace detail {

/// Whether a matrix already is what is needed.
template <class F, class L, class M>
inline constexpr bool lies_right = std::is_same_v<matrix<F, L>, M>;

template <class F, class L, class M>
std::size_t bytes_to_pack(const M& source) {
    if constexpr (lies_right<F, L, M>) {
        return 0;
    } else if constexpr (column_blocked<F>) {
        return turned_bytes(source);
    } else {
        return repacked_bytes<F, L>(source);
    }
}

template <class F, class L, class M, executor E, class Shown>
packed_matrix<F, L> pack_matrix(const M& source, const E& threads, Shown& shown) {
    if constexpr (lies_right<F, L, M>) {
        return packed_matrix<F, L>{source};
    } else {
        aligned_memory memory{bytes_to_pack<F, L>(source)};
        if constexpr (column_blocked<F>) {
            const auto packed = turn_all<L>(source, memory.bytes().data(), threads, shown);
            return {packed, std::move(memory)};
        } else {
            const auto packed = write_all<F, L>(source, memory.bytes().data(), threads, shown);
            return {packed, std::move(memory)};
        }
    }
}

struct as_it_is {};
/// The format that a matrix has in layout L: the one that is asked for, or else its own.
template <class F, class M, class L>
struct packed_format {
    using type = F;
};
template <class M, class L>
struct packed_format<as_it_is, M, L> {
    using type = typename M::format_type;
};
template <class F, class M, class L>
struct packed_format<transposed_as<F>, M, L> {
    using type = std::conditional_t<std::is_same_v<L, typename M::layout_type>, typename M::format_type, F>;
};
/// Turned where that is possible and needed.
template <class F, bool Transposed>
struct exact_format {
    using type = F;
};
template <turnable_format F>
struct exact_format<F, true> {
    using type = column_blocks<F>;
};
template <class M, class L>
struct packed_format<transposed_exactly, M, L>
    : exact_format<typename M::format_type, !std::is_same_v<L, typename M::layout_type>> {};
template <class F, class M, class L>
using format_or = typename packed_format<F, M, L>::type;

/// The layouts that policies need: those for masks alone need none.
template <class... Policies>
class layouts_for {
    using policies = typename checked_policies<explain_policies<Policies...>(), Policies...>::type;

  public:
    using up = std::conditional_t<policies::template has_to_skip<site::input>, input_major, neuron_major>;
    template <class Down>
    using down = std::conditional_t<policies::template has_to_skip<site::gate> ||
                                        policies::template has_to_skip<site::up> ||
                                        policies::template has_to_skip<before_sites> ||
                                        policies::template has_to_skip<site::intermediate>,
                                    neuron_major, typename Down::layout_type>;
};

} // namespace detail

/// Packs for policies: gate and up by inputs where there is a policy at the input, else by neurons; down by neurons
/// where there is one at gate, up, intermediate or neurons, else as it is; one of masks_only asks for nothing. A format to
/// convert to may be given, for all or for what is transposed alone: `pack<bf16>(weights, policies...)`,
/// `pack<transposed_as<bf16>>(weights, policies...)`. What already lies right is not copied. O(weights), once; the result does
/// not depend on the threads. To pack into memory of one's own, see repack; for the FFN at once, packed_ffn.
template <class F = detail::as_it_is, executor E, class Progress, class Gate, class Up, class Down,
          class... Policies>
auto pack(on_threads<E, Progress> on, const glu_weights<Gate, Up, Down>& weights, const Policies&...) {
    using layouts = detail::layouts_for<Policies...>;
    using up_layout = typename layouts::up;
    using down_layout = typename layouts::template down<Down>;
    using gate_format = detail::format_or<F, Gate, up_layout>;
    using up_format = detail::format_or<F, Up, up_layout>;
    using down_format = detail::format_or<F, Down, down_layout>;
    detail::shown_progress shown{on.progress,
                                 detail::bytes_to_pack<gate_format, up_layout>(weights.gate) +
                                     detail::bytes_to_pack<up_format, up_layout>(weights.up) +
                                     detail::bytes_to_pack<down_format, down_layout>(weights.down)};
    return packed_glu<packed_matrix<gate_format, up_layout>, packed_matrix<up_format, up_layout>,
                      packed_matrix<down_format, down_layout>>{
        detail::pack_matrix<gate_format, up_layout>(weights.gate, on.threads, shown),
        detail::pack_matrix<up_format, up_layout>(weights.up, on.threads, shown),
        detail::pack_matrix<down_format, down_layout>(weights.down, on.threads, shown), weights.biases};
}
/// The same of an ungated FFN, for policies at the input and at the intermediate.
template <class F = detail::as_it_is, executor E, class Progress, class Up, class Down, class... Policies>
auto pack(on_threads<E, Progress> on, const plain_weights<Up, Down>& weights, const Policies&...) {
    using layouts = detail::layouts_for<Policies...>;
    using up_layout = typename layouts::up;
    using down_layout = typename layouts::template down<Down>;
    using up_format = detail::format_or<F, Up, up_layout>;
    using down_format = detail::format_or<F, Down, down_layout>;
    detail::shown_progress shown{on.progress,
                                 detail::bytes_to_pack<up_format, up_layout>(weights.up) +
                                     detail::bytes_to_pack<down_format, down_layout>(weights.down)};
    return packed_plain<packed_matrix<up_format, up_layout>, packed_matrix<down_format, down_layout>>{
        detail::pack_matrix<up_format, up_layout>(weights.up, on.threads, shown),
        detail::pack_matrix<down_format, down_layout>(weights.down, on.threads, shown), weights.up_bias,
        weights.down_bias};
}
/// The same on the calling thread.
template <class F = detail::as_it_is, class Gate, class Up, class Down, class... Policies>
auto pack(const glu_weights<Gate, Up, Down>& weights, const Policies&... policies) {
    return pack<F>(on_threads{serial{}}, weights, policies...);
}
template <class F = detail::as_it_is, class Up, class Down, class... Policies>
auto pack(const plain_weights<Up, Down>& weights, const Policies&... policies) {
    return pack<F>(on_threads{serial{}}, weights, policies...);
}

TAMIS_END
