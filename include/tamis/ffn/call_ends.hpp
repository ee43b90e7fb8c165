#pragma once

#include <tamis/detail/from_reals.hpp>
#include <tamis/detail/memory.hpp>
#include <tamis/values.hpp>

TAMIS_BEGIN

// The two ends of a call: where x comes from and where y goes. Rows of floats are used where they lie; of anything else a call
// makes copies in its workspace, a group of tokens at a time.

/// Some tokens of a block, by their places, in any order: those that a router sends to an expert. They are gathered from x
/// and brought back to y by the call. Refuses places that the block has not. Borrowed.
///     ffn(tokens_of{x, of_expert}, add_to{tokens_of{y, of_expert}, weights}, memory)
template <element T>
class tokens_of {
  public:
    tokens_of(block<T> all, detail::kept_span<std::uint32_t> places) : all_{all}, places_{places} {
        for (const std::uint32_t place : places_) {
            if (place >= all.rows()) {
                fail_sizes("tamis::tokens_of: the block has %zu tokens, but a place is %zu", all.rows(),
                           place);
            }
        }
    }

    /// The block that they are of.
    block<T> all() const { return all_; }
    /// How many tokens were taken.
    std::size_t rows() const { return places_.size(); }
    /// Token i of those that were taken.
    std::span<T> row(std::size_t i) const { return all_.row(places_[i]); }

  private:
    block<T> all_;
    std::span<const std::uint32_t> places_;
};

namespace detail {

/// One vector as a block of one row.
template <class T>
struct one_token {
    block<T> as_block;

    block<T> all() const { return as_block; }
    static constexpr std::size_t rows() { return 1; }
    std::span<T> row(std::size_t) const { return as_block.row(0); }
};
template <class T>
struct all_tokens {
    block<T> as_block;

    block<T> all() const { return as_block; }
    std::size_t rows() const { return as_block.rows(); }
    std::span<T> row(std::size_t i) const { return as_block.row(i); }
};

template <class E>
inline constexpr bool is_one_token = false;
template <class T>
inline constexpr bool is_one_token<one_token<T>> = true;
template <class E>
inline constexpr bool is_plain_end = false;
template <class T>
inline constexpr bool is_plain_end<one_token<T>> = std::is_same_v<std::remove_const_t<T>, float>;
template <class T>
inline constexpr bool is_plain_end<all_tokens<T>> = std::is_same_v<std::remove_const_t<T>, float>;

/// What is no vector and no block of activations.
struct no_end {};

template <class V>
inline constexpr bool is_block = false;
template <class T>
inline constexpr bool is_block<block<T>> = true;
template <class V>
inline constexpr bool is_tokens_of = false;
template <class T>
inline constexpr bool is_tokens_of<tokens_of<T>> = true;

template <class V>
auto end_of(V& v) {
    using given = std::remove_const_t<V>;
    if constexpr (is_tokens_of<given>) {
        return v;
    } else if constexpr (is_block<given>) {
        return all_tokens<std::remove_reference_t<decltype(v.row(0)[0])>>{v};
    } else if constexpr (std::is_convertible_v<V&, block<float>>) {
        return all_tokens<float>{v};
    } else if constexpr (std::is_convertible_v<V&, block<const float>>) {
        return all_tokens<const float>{v};
    } else {
        const auto view = view_of(v);
        using type = view_element<decltype(view)>;
        if constexpr (requires { view.data(); }) {
            return one_token<type>{{view.data(), 1, view.size()}};
        } else {
            return no_end{};
        }
    }
}
/// What an end is made of, where it is a vector, a block, or some of a block's tokens.
template <class V>
using end_type = std::remove_const_t<decltype(end_of(std::declval<std::remove_reference_t<V>&>()))>;

/// Factors of an end's tokens: one for all, or one each.
class factors {
  public:
    template <class W>
        requires std::is_arithmetic_v<W>
    constexpr factors(W one) : one_{static_cast<float>(one)} {}
    template <class R>
        requires std::is_convertible_v<R, kept_span<float>>
    constexpr factors(R&& each) : each_{kept_span<float>(std::forward<R>(each))}, many_{true} {}

    float of(std::size_t token) const { return many_ ? each_[token] : one_; }
    void need_for(std::size_t tokens) const {
        if (many_) {
            need("tamis: %zu tokens need as many weights, got %zu", tokens, each_.size());
        }
    }

  private:
    float one_ = 1;
    std::span<const float> each_{};
    bool many_ = false;
};

} // namespace detail

/// The x of a call times a weight, FFN(w x): one weight, or one a token. Masks at the input are over the products.
///     ffn(scaled{x, weight}, y, memory);
template <class End>
struct scaled {
    template <class X>
    scaled(X&& x, detail::factors w) : end{detail::end_of(x)}, weights{w} {}

    /// x or y.
    End end;
    /// What they are multiplied by: one number, or one a token.
    detail::factors weights;
};
template <class X, class W>
scaled(X&&, W&&) -> scaled<detail::end_type<X>>;

/// The y of a call that adds to what is there, y += w FFN(x): one weight, or one a token, and 1 without any.
///     ffn(x, add_to{y, weight}, memory);
template <class End>
struct add_to {
    template <class Y>
    explicit add_to(Y&& y, detail::factors w = 1.0f) : end{detail::end_of(y)}, weights{w} {}

    /// x or y.
    End end;
    /// What they are multiplied by: one number, or one a token.
    detail::factors weights;
};
template <class Y>
add_to(Y&&) -> add_to<detail::end_type<Y>>;
template <class Y, class W>
add_to(Y&&, W&&) -> add_to<detail::end_type<Y>>;

namespace detail {

template <class V>
inline constexpr bool is_scaled = false;
template <class End>
inline constexpr bool is_scaled<scaled<End>> = true;
template <class V>
inline constexpr bool is_added = false;
template <class End>
inline constexpr bool is_added<add_to<End>> = true;

/// An end with its weights, as a call takes it.
template <class End, bool Weighted>
struct call_end {
    static constexpr bool is_block = !is_one_token<End>;
    static constexpr bool is_plain = !Weighted && is_plain_end<End>;
    using type = std::remove_reference_t<decltype(std::declval<const End&>().row(0)[0])>;
    static constexpr bool is_right = activation_type<std::remove_const_t<type>>;
    static constexpr bool writes = !std::is_const_v<type>;

    End end;
    factors weights;

    block<type> all() const { return end.all(); }
    std::size_t rows() const { return end.rows(); }
    byte_rows bytes() const {
        return {all().row(0).data(), all().rows(), all().columns() * sizeof(type),
                all().stride() * sizeof(type)};
    }

    /// A token's values as floats, times its weight.
    void read(std::size_t token, std::span<float> to) const {
        to_reals(static_cast<const type*>(end.row(token).data()), to.size(), to.data());
        if constexpr (Weighted) {
            const float weight = weights.of(token);
            for (float& value : to) {
                value *= weight;
            }
        }
    }
    /// Sets a token's values, or adds to them; rounded once.
    void write(std::size_t token, std::span<float> from) const {
        type* const to = end.row(token).data();
        if constexpr (Weighted) {
            constexpr std::size_t piece = 64;
            const float weight = weights.of(token);
            for (std::size_t first = 0; first < from.size(); first += piece) {
                const std::size_t count = smaller(piece, from.size() - first);
                float old[piece];
                to_reals(to + first, count, old);
                for (std::size_t i = 0; i < count; ++i) {
                    from[first + i] = old[i] + weight * from[first + i];
                }
            }
        }
        from_reals(from.data(), from.size(), to);
    }
};
/// What is no vector and no block.
template <bool Weighted>
struct call_end<no_end, Weighted> {
    static constexpr bool is_block = false, is_right = false, writes = true;
};

/// x or y of a call; what it can not be is refused with the way out.
template <bool IsX, class V>
auto call_end_of(V& v) {
    using given = std::remove_const_t<V>;
    static_assert(IsX ? !is_added<given> : !is_scaled<given>,
                  "tamis: an FFN's x may be scaled{x, weight}, its y add_to{y, weight}");
    if constexpr (is_scaled<given> || is_added<given>) {
        using end = call_end<decltype(v.end), true>;
        static_assert(end::is_right,
                      "tamis: an FFN takes and gives contiguous floats, or numbers of binary16 or "
                      "bfloat16; convert other types first");
        v.weights.need_for(v.end.rows());
        return end{v.end, v.weights};
    } else {
        using end = call_end<end_type<V>, false>;
        static_assert(end::is_right,
                      "tamis: an FFN takes and gives contiguous floats, or numbers of binary16 or "
                      "bfloat16; convert other types first");
        return end{end_of(v), 1.0f};
    }
}

} // namespace detail

TAMIS_END
