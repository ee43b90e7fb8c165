#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/ffn/calls.hpp>
#include <tamis/ffn/gating.hpp>
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
/// sigma is an activation, or a gating that makes more of gate and up (see gating).
/// Sites are taken in the order input, gate, up, intermediate (up before gate where only up of the two has a policy and the
/// gating does not take the gates as a whole, so that it saves gate neurons; masks of at_neurons are known before), each mask made over values that the earlier ones have already set to zero. What the
/// masks and the layouts of the weights allow is not read (see skips). The weights are borrowed, and finite where they are
/// read: glu_weights, or what gives a view of some (tamis::pack's result). A policy that would leave nothing unread in their
/// layouts is refused: packed_ffn makes the layouts and the functor at once, masks_only asks for masks alone. A call (see
/// ffn_calls) allocates nothing, and one object serves many threads, each with its workspace.
template <class Weights, class Activation, class... Policies>
class glu_ffn : public ffn_calls<glu_ffn<Weights, Activation, Policies...>> {
    static_assert(
        detail::is_glu_weights<Weights>,
        "tamis: a glu_ffn takes tamis::glu_weights, or what tamis::pack made of some (an ungated FFN "
        "is a plain_ffn)");
    friend ffn_calls<glu_ffn>;
    friend detail::ffn_access;
    static constexpr bool is_right = detail::is_glu_weights<Weights> &&
                                     detail::explain_activation<Activation>() &&
                                     detail::explain_policies<Policies...>();
    using policy_set_type = typename detail::checked_policies<is_right, Policies...>::type;

  public:
    /// Over borrowed weights. A policy that saves nothing in their layouts does not compile.
    explicit glu_ffn(Weights weights, Activation sigma, Policies... policies)
        : weights_{weights}, sigma_{std::move(sigma)}, policies_{std::move(policies)...} {
        if constexpr (is_right) {
            static_assert(
                saves<site::input>(),
                "tamis: the mask at the input saves nothing: W_gate and W_up are neuron_major. "
                "tamis::packed_ffn (or pack) makes them input_major; masks_only(at_input(...)) asks for "
                "masks alone");
            static_assert(saves<site::gate>(),
                          "tamis: the mask at the gate saves nothing: W_up is input_major and W_down "
                          "output_major. tamis::packed_ffn (or pack) makes them neuron_major; "
                          "masks_only(at_gate(...)) asks for masks alone");
            static_assert(
                saves<site::up>(),
                "tamis: the mask at up saves nothing: W_down is output_major, and W_gate input_major "
                "or wanted in full by a mask at the gate or the gating. tamis::packed_ffn (or pack) makes them "
                "neuron_major; masks_only(at_up(...)) asks for masks alone");
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
    explicit glu_ffn(Weights weights)
        requires std::is_same_v<Activation, detail::no_activation>
        : weights_{weights} {}
    /// Over the view of what owns the weights and outlives the FFN (packed_ffn makes one that owns them itself).
    template <detail::gives_weights Packed>
        requires std::is_same_v<detail::weights_of<Packed>, Weights>
    explicit glu_ffn(const Packed& packed, Activation sigma, Policies... policies)
        : glu_ffn{packed.view(), std::move(sigma), std::move(policies)...} {}
    template <detail::gives_weights Packed>
        requires std::is_same_v<detail::weights_of<Packed>, Weights>
    glu_ffn(const Packed&&, Activation, Policies...) = delete; // tamis: these weights go with a temporary

    /// Whether there is a policy at a site.
    template <site Where>
    static constexpr bool has = policy_set_type::template has<Where>;

    /// Which matrices the mask of a site leaves partly unread, with these layouts and the other policies; false as a
    /// condition if none.
    template <site Where>
    static constexpr skipped_matrices skips() {
        if constexpr (!has<Where>) {
            return {};
        } else if constexpr (Where == site::input) {
            using gate_matrix = decltype(Weights::gate);
            using up_matrix = decltype(Weights::up);
            return {!detail::up_rows_are_outputs<gate_matrix>(), !detail::up_rows_are_outputs<up_matrix>(),
                    false};
        } else {
            using gate_matrix = decltype(Weights::gate);
            using up_matrix = decltype(Weights::up);
            constexpr bool down = !detail::down_rows_are_outputs<decltype(Weights::down)>();
            return {Where == site::up && !all_gates && detail::up_rows_are_outputs<gate_matrix>(),
                    Where == site::gate && detail::up_rows_are_outputs<up_matrix>(), down};
        }
    }
    /// The same of masks that are known before: at_neurons.
    static constexpr skipped_matrices skips_given() {
        constexpr bool given = has<detail::before_sites>;
        return {given && !whole_gate && detail::up_rows_are_outputs<decltype(Weights::gate)>(),
                given && detail::up_rows_are_outputs<decltype(Weights::up)>(),
                given && !detail::down_rows_are_outputs<decltype(Weights::down)>()};
    }
    /// Whether a site's mask saves all that it could in any layout: see pack.
    template <site Where>
    static constexpr bool skips_all() {
        constexpr skipped_matrices best{Where == site::input || (Where == site::up && !whole_gate),
                                        Where == site::input || Where == site::gate, Where != site::input};
        return skips<Where>() == best;
    }

    /// The length of x and y.
    std::size_t width() const { return weights_.width(); }
    /// How many neurons: the length of gate, up and intermediate.
    std::size_t neurons() const { return weights_.neurons(); }
    /// The weights, as they were given.
    const Weights& weights() const TAMIS_LIFETIMEBOUND { return weights_; }

  private:
    static constexpr bool reads_x_before_y = true; // see ffn_calls
    static constexpr bool whole_gate = detail::takes_whole<Activation>;
    /// A mask at the gate needs all of the gate, as does a gating of the whole: an up mask then saves nothing there.
    static constexpr bool all_gates = has<site::gate> || whole_gate;

    template <site Where>
    static constexpr bool saves() {
        return !policy_set_type::template has_to_skip<Where> || static_cast<bool>(skips<Where>());
    }

    template <class Products>
    std::size_t bytes_for(std::size_t tokens, std::size_t threads) const {
        const std::size_t d = weights_.neurons();
        const std::size_t h = weights_.width();
        using detail::site_step;
        std::size_t bytes = 2 * detail::bytes_of_rows(tokens, d);
        bytes += has<site::input> ? detail::bytes_of_rows(tokens, h) + site_step::bytes(h, tokens) : 0;
        bytes += has<detail::before_sites> ? site_step::bytes(d, tokens) : 0;
        bytes += has<site::gate> ? site_step::bytes(d, tokens) : 0;
        bytes += has<site::up> ? site_step::bytes(d, tokens) : 0;
        bytes += has<site::intermediate> ? site_step::bytes(d, tokens) : 0;
        const std::size_t up = Products::up_bytes(weights_.gate, tokens, threads) +
                               Products::up_bytes(weights_.up, tokens, threads);
        return bytes +
               (std::max)({up, Products::down_bytes(weights_.down, tokens, threads),
                           policies_.selection_bytes(site::input, h),
                           policies_.selection_bytes(site::gate, d), policies_.selection_bytes(site::up, d),
                           policies_.selection_bytes(site::intermediate, d)});
    }

    /// The tokens of x together. A workspace is passed on by value: what a step takes of it is free again behind it.
    template <class Products, class Executor, class Observer>
    traffic run(block<const float> x, block<float> y, workspace w, const Executor& threads, Observer& see,
                std::size_t first) const {
        const std::size_t tokens = x.rows();
        traffic read = detail::traffic_of_group(weights_.bytes(), tokens);
        detail::site_step input;
        if constexpr (has<site::input>) { // the caller's x stays as it is
            x = detail::masked_copy<site::input>(policies_, x, input, w, see, first);
        } else {
            detail::show_all<site::input>(x, see, first);
        }

        detail::site_step given;
        given.take_given(policies_, tokens, weights_.neurons(), w, first);
        const block<float> g = detail::take_rows(w, tokens, weights_.neurons());
        const block<float> u = detail::take_rows(w, tokens, weights_.neurons());
        const auto gate_of = [&](const detail::site_step& neurons) {
            return Products::up(weights_.gate, x, input.active(), neurons.active(), weights_.biases.gate, g);
        };
        const auto up_of = [&](const detail::site_step& neurons) {
            return Products::up(weights_.up, x, input.active(), neurons.active(), weights_.biases.up, u);
        };
        const auto activate = [&](const detail::site_step& neurons) {
            for (std::size_t token = 0; token < tokens; ++token) {
                detail::activate(sigma_, g.row(token));
            }
            neurons.zero_others(g);
        };
        const auto activate_up = [&] {
            for (std::size_t token = 0; token < tokens; ++token) {
                detail::activate_up(sigma_, u.row(token));
            }
        };

        const detail::site_step for_gate =
            detail::needs_all_gates(sigma_) ? detail::site_step{} : given; // the mask of the gate product
        detail::site_step gate;
        detail::site_step up;
        if constexpr (has<site::gate>) {
            detail::run_products(threads, w, read, gate_of(for_gate));
            activate(given);
            gate.run<site::gate>(policies_, g, w, see, first, given);
            gate.inherit(given);
            detail::run_products(threads, w, read, up_of(gate));
            activate_up();
            gate.zero_others(u);
            up.run<site::up>(policies_, u, w, see, first, given);
        } else if constexpr (has<site::up> && !all_gates) { // the up mask comes first, and saves gate neurons
            detail::run_products(threads, w, read, up_of(given));
            activate_up();
            given.zero_others(u);
            up.run<site::up>(policies_, u, w, see, first, given);
            detail::run_products(threads, w, read, gate_of(up));
            activate(up);
            gate.run<site::gate>(policies_, g, w, see, first);
        } else {
            detail::run_products(threads, w, read, gate_of(for_gate), up_of(given));
            activate(given);
            activate_up();
            given.zero_others(u);
            gate.run<site::gate>(policies_, g, w, see, first, given);
            up.run<site::up>(policies_, u, w, see, first, given);
        }
        gate.inherit(given);
        up.inherit(gate);

        for (std::size_t token = 0; token < tokens; ++token) {
            const auto of_up = u.row(token);
            const auto of_gate = g.row(token);
            for (std::size_t i = 0; i < of_up.size(); ++i) {
                of_up[i] *= of_gate[i]; // the intermediate, in place
            }
        }
        up.zero_others(u); // 0 * infinity is no zero
        detail::site_step intermediate;
        intermediate.run<site::intermediate>(policies_, u, w, see, first, given);
        intermediate.inherit(up);
        detail::run_products(threads, w, read,
                             Products::down(weights_.down, u, intermediate.active(), weights_.biases.down,
                                            y));
        return read;
    }

    Weights weights_;
    [[no_unique_address]] Activation sigma_;
    [[no_unique_address]] policy_set_type policies_;
};
template <class Weights>
glu_ffn(Weights) -> glu_ffn<Weights, detail::no_activation>;
template <detail::gives_weights Packed, class Activation, class... Policies>
glu_ffn(const Packed&, Activation, Policies...)
    -> glu_ffn<detail::weights_of<Packed>, Activation, Policies...>;

TAMIS_END
