#pragma once

#include <tamis/ffn/linear.hpp>
#include <tamis/ffn/policy.hpp>
#include <tamis/mask/apply.hpp>

TAMIS_BEGIN

namespace detail {

/// The mask of one site and what is made of it, in memory of the workspace. An object of it exists for every site;
/// without a policy it takes no memory.
class site_step {
  public:
    static constexpr std::size_t bytes(std::size_t n) {
        return workspace_bytes_of<std::uint64_t>(mask_words(n)) + workspace_bytes_of<std::uint32_t>(n);
    }

    /// Makes the site's mask over `values` and sets inactive values to zero; shows both to the observer.
    template <site Where, class Policies, class Observer>
    void run(const Policies& policies, std::span<float> values, workspace& w, Observer& see,
             std::size_t token) {
        if constexpr (Policies::template has<Where>) {
            const mask_span made{w.take<std::uint64_t>(mask_words(values.size())), values.size()};
            const auto indices = w.take<std::uint32_t>(values.size());
            select(policies.template at<Where>(), std::span<const float>{values}, made, w);
            show<Where>(see, values, made, true, token);
            zero_inactive(values, made);
            mask_ = made;
            active_ = {false, indices.first(active_indices(made, indices))};
        } else {
            show<Where>(see, values, mask_view{}, false, token);
        }
    }

    const active_set& active() const { return active_; }
    mask_view mask() const { return mask_; }

    /// Takes over what an earlier site left active, where this one has no policy.
    void inherit(const site_step& earlier) {
        if (active_.all) {
            *this = earlier;
        }
    }

  private:
    template <site Where, class Observer>
    static void show([[maybe_unused]] Observer& see, [[maybe_unused]] std::span<const float> values,
                     [[maybe_unused]] mask_view mask, [[maybe_unused]] bool has_policy,
                     [[maybe_unused]] std::size_t token) {
        static_assert(observer<Observer>, "tamis: an observer is callable with a const tamis::sighting&");
        if constexpr (!std::is_same_v<std::remove_const_t<Observer>, no_observer>) {
            see(sighting{Where, values, mask, has_policy, token});
        }
    }

    mask_view mask_;
    active_set active_;
};

/// Float vectors of the caller as spans; anything else is refused with the way out.
template <class V>
auto float_span(V&& v) {
    const auto view = view_of(v);
    static_assert(
        std::is_same_v<std::remove_cv_t<view_element<decltype(view)>>, float> && requires { view.data(); },
        "tamis: an FFN takes and gives contiguous floats (activations stay float32); convert other types first");
    return view;
}

} // namespace detail

TAMIS_END
