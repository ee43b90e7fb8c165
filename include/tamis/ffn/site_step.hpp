#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/ffn/activate.hpp>
#include <tamis/ffn/linear.hpp>
#include <tamis/ffn/policy.hpp>
#include <tamis/mask/apply.hpp>
#include <tamis/mask/set_operations.hpp>

TAMIS_BEGIN

namespace detail {

template <site Where, class Observer>
void show([[maybe_unused]] Observer& see, [[maybe_unused]] std::span<const float> values,
          [[maybe_unused]] mask_view mask, [[maybe_unused]] bool has_policy,
          [[maybe_unused]] std::size_t token) {
    static_assert(observer<Observer>, "tamis: an observer is callable with a const tamis::sighting&");
    if constexpr (!std::is_same_v<std::remove_const_t<Observer>, no_observer>) {
        see(sighting{Where, values, mask, has_policy, token});
    }
}
/// A site without a policy, of each token.
template <site Where, class Observer>
void show_all(block<const float> values, Observer& see, std::size_t first) {
    for (std::size_t token = 0; token < values.rows(); ++token) {
        show<Where>(see, values.row(token), mask_view{}, false, first + token);
    }
}

/// Whether a site has no selector after all, where that is known at run time.
template <class S>
constexpr bool is_absent(const S& selector) {
    if constexpr (requires { selector.is_absent(); }) {
        return selector.is_absent();
    } else {
        return false;
    }
}

/// The masks of one site over the tokens that share a reading, and what is made of them, in memory of the workspace. An
/// object of it exists for every site; without a policy it takes no memory.
class site_step {
  public:
    static constexpr std::size_t bytes(std::size_t n, std::size_t tokens) {
        return (tokens + (tokens > 1 ? 1 : 0)) * workspace_bytes_of<std::uint64_t>(mask_words(n)) +
               workspace_bytes_of<std::uint32_t>(n);
    }

    /// Makes the site's masks over each token's values and sets inactive values to zero; shows both to the observer.
    /// `first` is the place of the first token in the caller's block. What `given` left out stays inactive.
    template <site Where, class Policies, class Observer>
    void run(const Policies& policies, block<float> values, workspace& w, Observer& see, std::size_t first,
             const site_step& given) {
        if constexpr (Policies::template has<Where>) {
            if (is_absent(policies.template at<Where>())) {
                return show_all<Where>(values, see, first);
            }
            const auto indices = begin(values.rows(), values.columns(), w);
            for (std::size_t token = 0; token < tokens_; ++token) {
                const auto row = values.row(token);
                const mask_span made = mask_of(token);
                select_row(policies.template at<Where>(), std::span<const float>{row}, first + token, made,
                           w);
                if (given.tokens_ != 0) {
                    intersect(made, given.mask_of(token), made);
                }
                show<Where>(see, row, made, true, first + token);
                zero_inactive(row, made);
            }
            list_union(indices);
        } else {
            show_all<Where>(values, see, first);
        }
    }

    template <site Where, class Policies, class Observer>
    void run(const Policies& policies, block<float> values, workspace& w, Observer& see, std::size_t first) {
        run<Where>(policies, values, w, see, first, site_step{});
    }

    /// Takes the masks over n neurons that are known before.
    template <class Policies>
    void take_given(const Policies& policies, std::size_t tokens, std::size_t n, workspace& w,
                    std::size_t first) {
        if constexpr (Policies::template has<before_sites>) {
            if (is_absent(policies.template at<before_sites>())) {
                return;
            }
            const auto indices = begin(tokens, n, w);
            for (std::size_t token = 0; token < tokens_; ++token) {
                policies.template at<before_sites>().give(first + token, mask_of(token));
            }
            list_union(indices);
        }
    }

    /// The rows that any token wants.
    const active_set& active() const { return active_; }

    /// Sets to zero what is not active at this site in values that were made since.
    void zero_others(block<float> values) const {
        for (std::size_t token = 0; token < tokens_; ++token) {
            zero_inactive(values.row(token), mask_of(token));
        }
    }

    /// Takes over what an earlier site left active, where this one has no policy.
    void inherit(const site_step& earlier) {
        if (active_.all) {
            *this = earlier;
        }
    }

  private:
    mask_span mask_of(std::size_t token) const { return {words_.subspan(token * stride_), size_}; }

    /// Memory for a mask a token and their union; returns that for the list.
    std::span<std::uint32_t> begin(std::size_t tokens, std::size_t n, workspace& w) {
        tokens_ = tokens;
        stride_ = workspace_bytes_of<std::uint64_t>(mask_words(n)) / sizeof(std::uint64_t);
        size_ = n;
        words_ = w.take<std::uint64_t>((tokens_ + (tokens_ > 1 ? 1 : 0)) * stride_);
        return w.take<std::uint32_t>(n);
    }
    void list_union(std::span<std::uint32_t> indices) {
        if (tokens_ > 1) {
            const mask_span all = mask_of(tokens_);
            all.fill(false);
            for (std::size_t token = 0; token < tokens_; ++token) {
                unite(all, mask_of(token), all);
            }
        }
        const std::size_t count = active_indices(mask_of(tokens_ > 1 ? tokens_ : 0), indices);
        active_ = {false, indices.first(count), {}};
        if (tokens_ > 1) {
            active_.masks = {words_.data(), stride_};
        }
    }

    std::span<std::uint64_t> words_{};
    std::size_t stride_ = 0, size_ = 0, tokens_ = 0;
    active_set active_;
};

/// A copy of the tokens' values with a site's masks applied.
template <site Where, class Policies, class Observer>
block<const float> masked_copy(const Policies& policies, block<const float> values, site_step& step,
                               workspace& w, Observer& see, std::size_t first) {
    if (is_absent(policies.template at<Where>())) {
        show_all<Where>(values, see, first);
        return values;
    }
    const block<float> masked = take_rows(w, values.rows(), values.columns());
    for (std::size_t token = 0; token < values.rows(); ++token) {
        copy_n(values.row(token).data(), values.columns(), masked.row(token).data());
    }
    step.run<Where>(policies, masked, w, see, first);
    return masked;
}

} // namespace detail

TAMIS_END
