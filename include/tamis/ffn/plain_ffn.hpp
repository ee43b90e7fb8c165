#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/ffn/calls.hpp>
#include <tamis/ffn/gating.hpp>
#include <tamis/ffn/site_step.hpp>
#include <tamis/ffn/weights.hpp>

TAMIS_BEGIN

/// An ungated FFN (OPT, Falcon, GPT-2) with masks at its two sites: input, and intermediate, which is
/// sigma(W_up x + b_up). Otherwise as glu_ffn, over plain_weights.
template <class Weights, class Activation, class... Policies>
class plain_ffn : public ffn_calls<plain_ffn<Weights, Activation, Policies...>> {
    static_assert(
        detail::is_plain_weights<Weights>,
        "tamis: a plain_ffn takes tamis::plain_weights, or what tamis::pack made of some (a gated FFN "
        "is a glu_ffn)");
    friend ffn_calls<plain_ffn>;
    friend detail::ffn_access;
    static constexpr bool is_right = detail::is_plain_weights<Weights> &&
                                     detail::explain_activation<Activation>() &&
                                     detail::explain_policies<Policies...>();
    using policy_set_type = typename detail::checked_policies<is_right, Policies...>::type;
    static_assert(!policy_set_type::template has<site::gate> && !policy_set_type::template has<site::up>,
                  "tamis: an ungated FFN has the sites input and intermediate");

    static_assert(!detail::changes_up<Activation>,
                  "tamis: an ungated FFN has no up beside the gate: its activation has no of_up");

  public:
    /// Over borrowed weights. A policy that saves nothing in their layouts does not compile.
    explicit plain_ffn(Weights weights, Activation sigma, Policies... policies)
        : weights_{weights}, sigma_{std::move(sigma)}, policies_{std::move(policies)...} {
        if constexpr (is_right) {
            static_assert(
                saves<site::input>(),
                "tamis: the mask at the input saves nothing: W_up is neuron_major. tamis::packed_ffn "
                "(or pack) makes it input_major; masks_only(at_input(...)) asks for masks alone");
            static_assert(
                saves<site::intermediate>(),
                "tamis: the mask at the intermediate saves nothing: W_down is output_major. "
                "tamis::packed_ffn (or pack) makes it neuron_major; masks_only(at_intermediate(...)) "
                "asks for masks alone");
            static_assert(!policy_set_type::template has_to_skip<detail::before_sites> ||
                              static_cast<bool>(skips_given()),
                          "tamis: the masks of at_neurons save nothing: no matrix is neuron_major. "
                          "tamis::packed_ffn (or pack) makes them so; masks_only(at_neurons(...)) asks for "
                          "masks alone");
        }
    }
    /// Refused: an activation is missing.
    explicit plain_ffn(Weights weights)
        requires std::is_same_v<Activation, detail::no_activation>
        : weights_{weights} {}
    /// Over the view of what owns the weights and outlives the FFN (packed_ffn makes one that owns them itself).
    template <detail::gives_weights Packed>
        requires std::is_same_v<detail::weights_of<Packed>, Weights>
    explicit plain_ffn(const Packed& packed, Activation sigma, Policies... policies)
        : plain_ffn{packed.view(), std::move(sigma), std::move(policies)...} {}
    template <detail::gives_weights Packed>
        requires std::is_same_v<detail::weights_of<Packed>, Weights>
    plain_ffn(const Packed&&, Activation, Policies...) = delete; // tamis: these weights go with a temporary

    /// Whether there is a policy at a site.
    template <site Where>
    static constexpr bool has = policy_set_type::template has<Where>;

    /// Which matrices the mask of a site leaves partly unread; false as a condition if none.
    template <site Where>
    static constexpr skipped_matrices skips() {
        constexpr bool up = Where == site::input && !detail::up_rows_are_outputs<decltype(Weights::up)>();
        constexpr bool down =
            Where == site::intermediate && !detail::down_rows_are_outputs<decltype(Weights::down)>();
        return {false, has<Where> && up, has<Where> && down};
    }
    /// The same of masks that are known before: at_neurons.
    static constexpr skipped_matrices skips_given() {
        constexpr bool given = has<detail::before_sites>;
        return {false, given && detail::up_rows_are_outputs<decltype(Weights::up)>(),
                given && !detail::down_rows_are_outputs<decltype(Weights::down)>()};
    }

    /// The length of x and y.
    std::size_t width() const { return weights_.width(); }
    /// How many neurons: the length of gate, up and intermediate.
    std::size_t neurons() const { return weights_.neurons(); }
    /// The weights, as they were given.
    const Weights& weights() const TAMIS_LIFETIMEBOUND { return weights_; }

  private:
    static constexpr bool reads_x_before_y = true; // see ffn_calls
    template <site Where>
    static constexpr bool saves() {
        return !policy_set_type::template has_to_skip<Where> || static_cast<bool>(skips<Where>());
    }

    template <class Products>
    std::size_t bytes_for(std::size_t tokens, std::size_t threads) const {
        const std::size_t d = weights_.neurons();
        const std::size_t h = weights_.width();
        using detail::site_step;
        return detail::bytes_of_rows(tokens, d) +
               (has<site::input> ? detail::bytes_of_rows(tokens, h) + site_step::bytes(h, tokens) : 0) +
               (has<detail::before_sites> ? site_step::bytes(d, tokens) : 0) +
               (has<site::intermediate> ? site_step::bytes(d, tokens) : 0) +
               (std::max)({Products::up_bytes(weights_.up, tokens, threads),
                           Products::down_bytes(weights_.down, tokens, threads),
                           policies_.selection_bytes(site::input, h),
                           policies_.selection_bytes(site::intermediate, d)});
    }

    template <class Products, class Executor, class Observer>
    traffic run(block<const float> x, block<float> y, workspace w, const Executor& threads, Observer& see,
                std::size_t first) const {
        traffic read = detail::traffic_of_group(weights_.bytes(), x.rows());
        detail::site_step input;
        if constexpr (has<site::input>) {
            x = detail::masked_copy<site::input>(policies_, x, input, w, see, first);
        } else {
            detail::show_all<site::input>(x, see, first);
        }
        detail::site_step given;
        given.take_given(policies_, x.rows(), weights_.neurons(), w, first);
        const block<float> i = detail::take_rows(w, x.rows(), weights_.neurons());
        detail::run_products(threads, w, read,
                             Products::up(weights_.up, x, input.active(), given.active(), weights_.up_bias,
                                          i));
        for (std::size_t token = 0; token < i.rows(); ++token) {
            detail::activate(sigma_, i.row(token));
        }
        given.zero_others(i);
        detail::site_step intermediate;
        intermediate.run<site::intermediate>(policies_, i, w, see, first, given);
        intermediate.inherit(given);
        detail::run_products(threads, w, read,
                             Products::down(weights_.down, i, intermediate.active(), weights_.down_bias, y));
        return read;
    }

    Weights weights_;
    [[no_unique_address]] Activation sigma_;
    [[no_unique_address]] policy_set_type policies_;
};
template <class Weights>
plain_ffn(Weights) -> plain_ffn<Weights, detail::no_activation>;
template <detail::gives_weights Packed, class Activation, class... Policies>
plain_ffn(const Packed&, Activation, Policies...)
    -> plain_ffn<detail::weights_of<Packed>, Activation, Policies...>;

TAMIS_END
