#pragma once

#include <tamis/ffn/activation.hpp>
#include <tamis/ffn/site_step.hpp>
#include <tamis/ffn/weights.hpp>

TAMIS_BEGIN

/// A gated FFN with masks at any of its four sites, chosen at compile time:
///
///     y = W_down (u * g) + b_down,   u = W_up x + b_up,   g = sigma(W_gate x + b_gate)
///
///     auto ffn = tamis::glu_ffn{weights, tamis::silu{}, tamis::at_input(tamis::top_p{0.9})};
///     ffn(x, y, workspace);
///
/// Sites are taken in the order input, gate, up, intermediate (up before gate where only up of the two has a policy,
/// so that it saves gate neurons), each mask made over values that the earlier ones have already set to zero. What the masks and the layouts of the weights allow is not read (see skips). The
/// weights are borrowed. A call allocates nothing, and one object serves many threads, each with its workspace.
template <class Weights, class Activation, class... Policies>
class glu_ffn {
    static_assert(activation<Activation>, "tamis: an activation is callable as `float sigma(float) const`");
    using gate_matrix = decltype(Weights::gate);
    using up_matrix = decltype(Weights::up);
    using down_matrix = decltype(Weights::down);
    using policy_set_type = policy_set<Policies...>;

  public:
    explicit glu_ffn(Weights weights, Activation sigma, Policies... policies)
        : weights_{weights}, sigma_{std::move(sigma)}, policies_{std::move(policies)...} {}

    /// Whether there is a policy at a site.
    template <site Where>
    static constexpr bool has = policy_set_type::template has<Where>;

    /// Which matrices the mask of a site leaves partly unread, with these layouts and the other policies.
    template <site Where>
    static constexpr skipped_matrices skips() {
        if constexpr (!has<Where>) {
            return {};
        } else if constexpr (Where == site::input) {
            return {!detail::up_rows_are_outputs<gate_matrix>(), !detail::up_rows_are_outputs<up_matrix>(),
                    false};
        } else {
            constexpr bool down = !detail::down_rows_are_outputs<down_matrix>();
            // A gate mask needs all of the gate, so with one an up mask saves nothing there.
            return {Where == site::up && !has<site::gate> && detail::up_rows_are_outputs<gate_matrix>(),
                    Where == site::gate && detail::up_rows_are_outputs<up_matrix>(), down};
        }
    }
    /// Whether a site's mask saves all that it could in any layout: see pack.
    template <site Where>
    static constexpr bool skips_all() {
        constexpr skipped_matrices best{Where == site::input || Where == site::up,
                                        Where == site::input || Where == site::gate, Where != site::input};
        return skips<Where>() == best;
    }

    /// y = FFN(x) for one token; x and y are contiguous floats of width() and may not overlap. Workspace:
    /// workspace_bytes(). Returns what was read of the weights.
    template <class X, class Y, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, workspace w, Observer&& see = {}) const {
        const auto in = detail::float_span(x);
        const auto out = detail::float_span(y);
        detail::need("tamis::glu_ffn: x needs %zu entries, got %zu", weights_.width(), in.size());
        detail::need("tamis::glu_ffn: y needs %zu entries, got %zu", weights_.width(), out.size());
        return run(in, out, w, see, 0);
    }

    /// A block of tokens, a row each, with masks of their own.
    template <class Observer = no_observer>
    traffic operator()(block<const float> x, block<float> y, workspace w, Observer&& see = {}) const {
        detail::need("tamis::glu_ffn: x needs %zu columns, got %zu", weights_.width(), x.columns());
        detail::need("tamis::glu_ffn: y needs %zu columns, got %zu", weights_.width(), y.columns());
        detail::need("tamis::glu_ffn: y needs %zu rows, got %zu", x.rows(), y.rows());
        traffic total;
        for (std::size_t token = 0; token < x.rows(); ++token) {
            total += run(x.row(token), y.row(token), w, see, token);
        }
        return total;
    }

    /// Bytes of workspace that a call needs, for one token or a block of any size.
    std::size_t workspace_bytes() const {
        const std::size_t d = weights_.neurons();
        const std::size_t h = weights_.width();
        std::size_t bytes = 2 * workspace_bytes_of<float>(d);
        bytes += has<site::input> ? workspace_bytes_of<float>(h) + detail::site_step::bytes(h) : 0;
        bytes += has<site::gate> ? detail::site_step::bytes(d) : 0;
        bytes += has<site::up> ? detail::site_step::bytes(d) : 0;
        bytes += has<site::intermediate> ? detail::site_step::bytes(d) : 0;
        return bytes +
               std::max({policies_.selection_bytes(site::input, h), policies_.selection_bytes(site::gate, d),
                         policies_.selection_bytes(site::up, d),
                         policies_.selection_bytes(site::intermediate, d)});
    }

    std::size_t width() const { return weights_.width(); }
    std::size_t neurons() const { return weights_.neurons(); }
    const Weights& weights() const { return weights_; }

  private:
    template <class Observer>
    traffic run(std::span<const float> x, std::span<float> y, workspace w, Observer& see,
                std::size_t token) const {
        traffic read{0, weights_.bytes()};
        detail::site_step input;
        if constexpr (has<site::input>) { // the caller's x stays as it is
            const auto masked = w.take<float>(x.size());
            std::copy(x.begin(), x.end(), masked.begin());
            input.run<site::input>(policies_, masked, w, see, token);
            x = masked;
        } else if constexpr (!std::is_same_v<std::remove_const_t<Observer>, no_observer>) {
            see(sighting{site::input, x, {}, false, token});
        }

        const auto g = w.take<float>(weights_.neurons());
        const auto u = w.take<float>(weights_.neurons());
        const auto compute_gate = [&](const detail::site_step& neurons) {
            detail::linear_up(weights_.gate, x, input.active(), neurons.active(), neurons.mask(),
                              weights_.biases.gate, g, read);
            detail::with_rows(neurons.active(), g.size(), [&](auto rows) {
                for (std::size_t k = 0; k < rows.size(); ++k) {
                    g[rows[k]] = sigma_(g[rows[k]]);
                }
            });
        };
        const auto compute_up = [&](const detail::site_step& neurons) {
            detail::linear_up(weights_.up, x, input.active(), neurons.active(), neurons.mask(),
                              weights_.biases.up, u, read);
        };

        detail::site_step gate;
        detail::site_step up;
        if constexpr (has<site::up> && !has<site::gate>) { // the up mask comes first, and saves gate neurons
            compute_up(detail::site_step{});
            up.run<site::up>(policies_, u, w, see, token);
            compute_gate(up);
            gate.run<site::gate>(policies_, g, w, see, token);
        } else {
            compute_gate(detail::site_step{});
            gate.run<site::gate>(policies_, g, w, see, token);
            compute_up(gate);
            up.run<site::up>(policies_, u, w, see, token);
        }
        up.inherit(gate);

        for (std::size_t i = 0; i < u.size(); ++i) {
            u[i] *= g[i]; // the intermediate, in place
        }
        if (!up.active().all) {
            zero_inactive(u, up.mask()); // 0 * infinity is no zero
        }
        detail::site_step intermediate;
        intermediate.run<site::intermediate>(policies_, u, w, see, token);
        intermediate.inherit(up);
        detail::linear_down(weights_.down, u, intermediate.active(), weights_.biases.down, y, read);
        return read;
    }

    Weights weights_;
    [[no_unique_address]] Activation sigma_;
    [[no_unique_address]] policy_set_type policies_;
};

TAMIS_END
