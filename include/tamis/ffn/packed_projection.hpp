#pragma once

#include <tamis/ffn/pack.hpp>
#include <tamis/ffn/packed_ffn.hpp>
#include <tamis/ffn/projection.hpp>

TAMIS_BEGIN

/// The weights of linear layers in the layout that their mask needs; owns what had to be copied.
template <class... Packed>
struct packed_linear {
    /// Packed, or views where they lay right.
    std::tuple<Packed...> matrices;
    /// Of each matrix; empty where there is none.
    std::array<std::span<const float>, sizeof...(Packed)> biases{};

    /// The weights where they lie now; refused of a temporary.
    auto view() const& {
        auto weights = std::apply([](const auto&... m) { return linear_weights{m.view()...}; }, matrices);
        weights.biases = biases;
        return weights;
    }
    void view() const&& = delete; // tamis: these weights go with a temporary; give what owns them a name
    /// Bytes of copies; 0 if all lay right.
    std::size_t owned_bytes() const {
        return std::apply([](const auto&... m) { return (m.owned_bytes() + ...); }, matrices);
    }
};

namespace detail {

template <class Packed>
using weights_of_linear = decltype(std::declval<const Packed&>().view());
template <bool Skips, class M>
using layout_if = std::conditional_t<Skips, input_major, typename M::layout_type>;
template <class F, bool Skips, class M>
using format_if = format_or<F, M, layout_if<Skips, M>>;

} // namespace detail

/// A projection that owns its packed weights, as owning_ffn does: movable, not copyable.
template <class Packed, class Projection>
class owning_projection : private detail::holds<Packed>, public Projection {
  public:
    /// Takes the packed weights.
    template <class... Policies>
    explicit owning_projection(Packed packed, Policies... policies)
        : detail::holds<Packed>{std::move(packed)},
          Projection{static_cast<const Packed&>(this->held).view(), std::move(policies)...} {}

    /// Bytes of copies of its own.
    std::size_t owned_bytes() const { return this->held.owned_bytes(); }
};

/// Packs linear layers for their mask (input_major where there is one at the input to skip by, else as they are) and makes
/// the projection:
///     auto qkv = packed_projection(linear_weights{w_q, w_k, w_v}, at_input(top_p{0.9}));
/// With a format to convert to, and on the caller's threads, as packed_ffn: packed_projection<bf16>(on_threads{threads}, ...).
template <class F = detail::as_it_is, executor E, class Progress, class... Matrices, class... Policies>
auto packed_projection(on_threads<E, Progress> on, const linear_weights<Matrices...>& weights,
                       Policies... policies) {
    using policies_type =
        typename detail::checked_policies<detail::explain_policies<Policies...>(), Policies...>::type;
    constexpr bool skips = policies_type::template has_to_skip<site::input>;
    return std::apply(
        [&](const auto&... m) {
            detail::shown_progress shown{on.progress,
                                         (detail::bytes_to_pack<detail::format_if<F, skips, Matrices>,
                                                                detail::layout_if<skips, Matrices>>(m) +
                                          ...)};
            using packed = packed_linear<
                packed_matrix<detail::format_if<F, skips, Matrices>, detail::layout_if<skips, Matrices>>...>;
            packed made{{detail::pack_matrix<detail::format_if<F, skips, Matrices>,
                                             detail::layout_if<skips, Matrices>>(m, on.threads, shown)...},
                        weights.biases};
            using made_projection = projection<detail::weights_of_linear<packed>, Policies...>;
            return owning_projection<packed, made_projection>{std::move(made), std::move(policies)...};
        },
        weights.matrices);
}
/// The same on the calling thread.
template <class F = detail::as_it_is, class... Matrices, class... Policies>
auto packed_projection(const linear_weights<Matrices...>& weights, Policies... policies) {
    return packed_projection<F>(on_threads{serial{}}, weights, std::move(policies)...);
}

TAMIS_END
