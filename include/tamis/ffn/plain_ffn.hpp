#pragma once

#include <tamis/ffn/activation.hpp>
#include <tamis/ffn/calls.hpp>
#include <tamis/ffn/site_step.hpp>
#include <tamis/ffn/weights.hpp>

TAMIS_BEGIN

/// The weights of an ungated FFN: y = W_down sigma(W_up x + b_up) + b_down. Sizes that do not fit are refused.
template <class Up, class Down>
class plain_weights {
  public:
    plain_weights(Up up_matrix, Down down_matrix, std::span<const float> up_bias_or_none = {},
                  std::span<const float> down_bias_or_none = {})
        : up{up_matrix}, down{down_matrix}, up_bias{up_bias_or_none}, down_bias{down_bias_or_none} {
        detail::need("tamis::plain_weights: W_up has %zu neurons, W_down %zu", neurons(),
                     detail::down_neurons(down));
        detail::need("tamis::plain_weights: W_up has %zu inputs, W_down %zu outputs", width(),
                     detail::down_width(down));
        detail::need("tamis::plain_weights: the up bias needs %zu entries, got %zu", neurons(),
                     up_bias.empty() ? neurons() : up_bias.size());
        detail::need("tamis::plain_weights: the down bias needs %zu entries, got %zu", width(),
                     down_bias.empty() ? width() : down_bias.size());
    }

    std::size_t neurons() const { return detail::up_neurons(up); }
    std::size_t width() const { return detail::up_width(up); }
    std::uint64_t bytes() const {
        return std::uint64_t{up.rows()} * up.row_bytes() + std::uint64_t{down.rows()} * down.row_bytes();
    }

    Up up;
    Down down;
    std::span<const float> up_bias, down_bias;
};

/// An ungated FFN (OPT, Falcon, GPT-2) with masks at its two sites: input, and intermediate, which is
/// sigma(W_up x + b_up). Otherwise as glu_ffn.
template <class Weights, class Activation, class... Policies>
class plain_ffn : public ffn_calls<plain_ffn<Weights, Activation, Policies...>> {
    static_assert(activation<Activation>, "tamis: an activation is callable as `float sigma(float) const`");
    using policy_set_type = policy_set<Policies...>;
    static_assert(!policy_set_type::template has<site::gate> && !policy_set_type::template has<site::up>,
                  "tamis: an ungated FFN has the sites input and intermediate");

  public:
    explicit plain_ffn(Weights weights, Activation sigma, Policies... policies)
        : weights_{weights}, sigma_{std::move(sigma)}, policies_{std::move(policies)...} {}

    template <site Where>
    static constexpr bool has = policy_set_type::template has<Where>;

    /// Which matrices the mask of a site leaves partly unread.
    template <site Where>
    static constexpr skipped_matrices skips() {
        constexpr bool up = Where == site::input && !detail::up_rows_are_outputs<decltype(Weights::up)>();
        constexpr bool down =
            Where == site::intermediate && !detail::down_rows_are_outputs<decltype(Weights::down)>();
        return {false, has<Where> && up, has<Where> && down};
    }

    std::size_t width() const { return weights_.width(); }
    std::size_t neurons() const { return weights_.neurons(); }
    const Weights& weights() const { return weights_; }

  private:
    friend ffn_calls<plain_ffn>;

    template <class Products>
    std::size_t bytes_for(std::size_t tokens, std::size_t threads) const {
        const std::size_t d = weights_.neurons();
        const std::size_t h = weights_.width();
        using detail::site_step;
        return detail::bytes_of_rows(tokens, d) +
               (has<site::input> ? detail::bytes_of_rows(tokens, h) + site_step::bytes(h, tokens) : 0) +
               (has<site::intermediate> ? site_step::bytes(d, tokens) : 0) +
               (std::max)({Products::up_bytes(weights_.up, tokens, threads),
                           Products::down_bytes(weights_.down, tokens, threads),
                           policies_.selection_bytes(site::input, h),
                           policies_.selection_bytes(site::intermediate, d)});
    }

    template <class Products, class Executor, class Observer>
    traffic run(block<const float> x, block<float> y, workspace w, const Executor& threads, Observer& see,
                std::size_t first) const {
        traffic read{0, weights_.bytes()};
        detail::site_step input;
        if constexpr (has<site::input>) {
            x = detail::masked_copy<site::input>(policies_, x, input, w, see, first);
        } else {
            detail::show_all<site::input>(x, see, first);
        }
        const block<float> i = detail::take_rows(w, x.rows(), weights_.neurons());
        detail::run_products(threads, w, read,
                             Products::up(weights_.up, x, input.active(), detail::active_set{},
                                          weights_.up_bias, i));
        for (std::size_t token = 0; token < i.rows(); ++token) {
            detail::activate(sigma_, i.row(token));
        }
        detail::site_step intermediate;
        intermediate.run<site::intermediate>(policies_, i, w, see, first);
        detail::run_products(threads, w, read,
                             Products::down(weights_.down, i, intermediate.active(), weights_.down_bias, y));
        return read;
    }

    Weights weights_;
    [[no_unique_address]] Activation sigma_;
    [[no_unique_address]] policy_set_type policies_;
};

TAMIS_END
