#pragma once

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/pack.hpp>
#include <tamis/ffn/plain_ffn.hpp>

TAMIS_BEGIN

namespace detail {

/// A member that is made before the base class that looks at it.
template <class Packed>
struct holds {
    Packed held;
};

} // namespace detail

/// An FFN (glu_ffn or plain_ffn) that owns its packed weights: it is called, asked and prefilled as one that borrows them.
/// Movable, not copyable. A glu_ffn copied from it borrows, and lives no longer. What lay right in the caller's memory is
/// still a view of it.
template <class Packed, class Ffn>
class owning_ffn : private detail::holds<Packed>, public Ffn {
  public:
    /// Takes the packed weights.
    template <class Activation, class... Policies>
    owning_ffn(Packed packed, Activation sigma, Policies... policies)
        : detail::holds<Packed>{std::move(packed)},
          Ffn{static_cast<const Packed&>(this->held), std::move(sigma), std::move(policies)...} {}

    /// Bytes of copies of its own.
    std::size_t owned_bytes() const { return this->held.owned_bytes(); }
};

namespace detail {

template <template <class, class, class...> class Ffn, class Packed, class Activation, class... Policies>
auto own_ffn(Packed packed, Activation sigma, Policies... policies) {
    using ffn = Ffn<weights_of<Packed>, Activation, Policies...>;
    return owning_ffn<Packed, ffn>{std::move(packed), std::move(sigma), std::move(policies)...};
}

} // namespace detail

/// Packs the weights for the policies and makes the FFN, so that policies are written once:
///     auto ffn = packed_ffn(weights, silu{}, at_input(top_p{0.9}), at_intermediate(top_p{0.9}));
///     owned_workspace memory{ffn.workspace_bytes()};
///     ffn(x, y, memory);
/// With a format to convert to, and on the caller's threads with progress, as `pack` takes them:
///     packed_ffn<bf16>(on_threads{threads, progress}, weights, silu{}, policies...)
template <class F = detail::as_it_is, executor E, class Progress, class Gate, class Up, class Down,
          class Activation, class... Policies>
auto packed_ffn(on_threads<E, Progress> on, const glu_weights<Gate, Up, Down>& weights, Activation sigma,
                Policies... policies) {
    return detail::own_ffn<glu_ffn>(pack<F>(std::move(on), weights, policies...), std::move(sigma),
                                    std::move(policies)...);
}
template <class F = detail::as_it_is, executor E, class Progress, class Up, class Down, class Activation,
          class... Policies>
auto packed_ffn(on_threads<E, Progress> on, const plain_weights<Up, Down>& weights, Activation sigma,
                Policies... policies) {
    return detail::own_ffn<plain_ffn>(pack<F>(std::move(on), weights, policies...), std::move(sigma),
                                      std::move(policies)...);
}
/// The same on the calling thread.
template <class F = detail::as_it_is, class Gate, class Up, class Down, class Activation, class... Policies>
auto packed_ffn(const glu_weights<Gate, Up, Down>& weights, Activation sigma, Policies... policies) {
    return packed_ffn<F>(on_threads{serial{}}, weights, std::move(sigma), std::move(policies)...);
}
template <class F = detail::as_it_is, class Up, class Down, class Activation, class... Policies>
auto packed_ffn(const plain_weights<Up, Down>& weights, Activation sigma, Policies... policies) {
    return packed_ffn<F>(on_threads{serial{}}, weights, std::move(sigma), std::move(policies)...);
}

TAMIS_END
