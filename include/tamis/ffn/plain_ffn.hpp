#pragma once

#include <tamis/ffn/activation.hpp>
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
class plain_ffn {
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

    /// y = FFN(x) for one token: as glu_ffn.
    template <class X, class Y, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, workspace w, Observer&& see = {}) const {
        const auto in = detail::float_span(x);
        const auto out = detail::float_span(y);
        detail::need("tamis::plain_ffn: x needs %zu entries, got %zu", weights_.width(), in.size());
        detail::need("tamis::plain_ffn: y needs %zu entries, got %zu", weights_.width(), out.size());
        return run(in, out, w, see, 0);
    }

    /// A block of tokens, a row each, with masks of their own.
    template <class Observer = no_observer>
    traffic operator()(block<const float> x, block<float> y, workspace w, Observer&& see = {}) const {
        detail::need("tamis::plain_ffn: x needs %zu columns, got %zu", weights_.width(), x.columns());
        detail::need("tamis::plain_ffn: y needs %zu columns, got %zu", weights_.width(), y.columns());
        detail::need("tamis::plain_ffn: y needs %zu rows, got %zu", x.rows(), y.rows());
        traffic total;
        for (std::size_t token = 0; token < x.rows(); ++token) {
            total += run(x.row(token), y.row(token), w, see, token);
        }
        return total;
    }

    std::size_t workspace_bytes() const {
        const std::size_t d = weights_.neurons();
        const std::size_t h = weights_.width();
        return workspace_bytes_of<float>(d) + workspace_bytes_of<float>(h) +
               (has<site::input> ? detail::site_step::bytes(h) : 0) +
               (has<site::intermediate> ? detail::site_step::bytes(d) : 0) +
               std::max(policies_.selection_bytes(site::input, h),
                        policies_.selection_bytes(site::intermediate, d));
    }

    std::size_t width() const { return weights_.width(); }
    std::size_t neurons() const { return weights_.neurons(); }
    const Weights& weights() const { return weights_; }

  private:
    template <class Observer>
    traffic run(std::span<const float> x, std::span<float> y, workspace w, Observer& see,
                std::size_t token) const {
        traffic read{0, weights_.bytes()};
        const auto masked = w.take<float>(x.size());
        std::copy(x.begin(), x.end(), masked.begin());
        detail::site_step input;
        input.run<site::input>(policies_, masked, w, see, token);

        const auto i = w.take<float>(weights_.neurons());
        detail::linear_up(weights_.up, masked, input.active(), detail::active_set{}, mask_view{},
                          weights_.up_bias, i, read);
        for (float& value : i) {
            value = sigma_(value);
        }
        detail::site_step intermediate;
        intermediate.run<site::intermediate>(policies_, i, w, see, token);
        detail::linear_down(weights_.down, i, intermediate.active(), weights_.down_bias, y, read);
        return read;
    }

    Weights weights_;
    [[no_unique_address]] Activation sigma_;
    [[no_unique_address]] policy_set_type policies_;
};

TAMIS_END
