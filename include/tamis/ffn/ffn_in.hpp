#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/ffn/calls.hpp>
#include <tamis/ffn/projection.hpp>

TAMIS_BEGIN

namespace detail {

/// An FFN that multiplies otherwise: the base of in_int8 and the like. `Held` is a reference to what is borrowed, or a type.
template <class Products, class Held, class Self>
class ffn_in : public ffn_calls<Self> {
    using ffn_type = std::remove_cvref_t<Held>;
    friend ffn_calls<Self>;
    friend ffn_access;
    static constexpr bool is_right = ffn_access::is_right<ffn_type>;
    static constexpr bool reads_x_before_y = true;

  public:
    std::size_t width() const { return ffn_.width(); }
    const ffn_type& ffn() const TAMIS_LIFETIMEBOUND { return ffn_; }

  protected:
    explicit ffn_in(Held&& ffn) : ffn_{std::forward<Held>(ffn)} {}

  private:
    /// Others than the usual ones (prefill's) stay.
    template <class Asked>
    using products = std::conditional_t<std::is_same_v<Asked, by_rows>, Products, Asked>;

    template <class Asked>
    std::size_t bytes_for(std::size_t tokens, std::size_t threads) const {
        return ffn_access::bytes_for<products<Asked>>(ffn_, tokens, threads);
    }
    template <class Asked, class Executor, class Observer>
    traffic run(block<const float> x, block<float> y, workspace w, const Executor& threads, Observer& see,
                std::size_t first) const {
        return ffn_access::run<products<Asked>>(ffn_, x, y, w, threads, see, first);
    }

    Held ffn_;
};

template <class Weights, class... Policies>
void as_projection(const projection<Weights, Policies...>&);
/// Whether it is a projection; packed_projection's, which owns its weights, is one too.
template <class Ffn>
inline constexpr bool is_projection = requires(const Ffn& ffn) { as_projection(ffn); };

/// The same of a projection.
template <class Products, class Held, class Self>
    requires is_projection<std::remove_cvref_t<Held>>
class ffn_in<Products, Held, Self> {
  public:
    std::size_t width() const { return ffn_.width(); }
    const std::remove_cvref_t<Held>& ffn() const TAMIS_LIFETIMEBOUND { return ffn_; }

    template <class X, class Y, class Observer = no_observer>
        requires(!executor<std::remove_cvref_t<Observer>>)
    traffic operator()(X&& x, Y&& y, const call_memory& w, Observer&& see = {}) const {
        return (*this)(x, y, w, serial{}, see);
    }
    template <class X, class Y, executor Executor, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, const call_memory& w, const Executor& threads,
                       Observer&& see = {}) const {
        return ffn_access::call<Products>(ffn_, x, y, w, threads, see);
    }
    template <executor Executor = serial>
    std::size_t workspace_bytes(const Executor& threads = {}, std::size_t tokens = 1) const {
        return ffn_access::call_bytes<Products>(ffn_, threads, tokens);
    }

  protected:
    explicit ffn_in(Held&& ffn) : ffn_{std::forward<Held>(ffn)} {}

  private:
    Held ffn_;
};

} // namespace detail

TAMIS_END
