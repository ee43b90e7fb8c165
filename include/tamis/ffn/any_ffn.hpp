#pragma once

#include <tamis/detail/references.hpp>
#include <tamis/ffn/any_policy.hpp>
#include <tamis/ffn/any_weights.hpp>
#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/listed_product.hpp>
#include <tamis/ffn/plain_ffn.hpp>

#include <tuple>
#include <variant>

TAMIS_BEGIN

/// An FFN of which all is chosen at run time: formats, layouts, gating, policies, gated or not; from a list of formats and one
/// of gatings that are chosen when it is compiled. For engines that open any model, and for interfaces to other languages.
///
///     using ffn_of_model = any_ffn<formats<f32, bf16, q8_0, q4_0>, gatings<silu, gelu_tanh>>;
///     any_matrix gate{"q8_0", weight_layout::neuron_major, data, d, h};       // by what the file says
///     ffn_of_model ffn{any_glu_weights{gate, up, down}, silu{}, at_intermediate(top_p{0.9})};
///     ffn(x, y, memory, threads, observer);
///
/// It is a glu_ffn or plain_ffn inside, and gives the same bits. The calls are theirs (ffn_calls). Policies are at_input(...)
/// and so on, in the call or as a span of any_policy; a gating of the list may be a gating_type, a std::variant of them. What is
/// dispatched is a product, a gating or a mask, so that a list of n formats compiles 2 n products and not n^3 FFNs; it costs a
/// few calls through pointers an FFN call (a tenth of a microsecond), and one a part of the work that threads share. A little more workspace than
/// glu_ffn's is asked for. Making one may allocate (any_selector), calling does not. Refuses formats, layouts and sizes
/// that do not fit, by name, and a policy that saves nothing in these layouts (unless masks_only).
template <class Formats, class Gatings>
class any_ffn;
template <class... Fs, class... Gs>
class any_ffn<formats<Fs...>, gatings<Gs...>> : public ffn_calls<any_ffn<formats<Fs...>, gatings<Gs...>>> {
    using matrix_type = detail::listed_matrix<formats<Fs...>>;
    using glu_type = glu_weights<matrix_type, matrix_type, matrix_type>;
    using plain_type = plain_weights<matrix_type, matrix_type>;
    using chosen = detail::chosen_gating<Gs...>;
    friend ffn_calls<any_ffn>;
    friend detail::ffn_access;
    static constexpr bool is_right = true;
    static constexpr bool reads_x_before_y = true;

  public:
    /// Any gating of the list.
    using gating_type = std::variant<Gs...>;

    /// A gated FFN. Refuses, by name, formats, layouts and sizes that do not fit, two policies at a site, and one that
    /// saves nothing.
    template <class G>
    any_ffn(const any_glu_weights& w, G sigma, std::span<const any_policy> policies)
        : weights_{glu_type{checked("W_gate", w.gate, weight_layout::output_major),
                            checked("W_up", w.up, weight_layout::output_major),
                            checked("W_down", w.down, weight_layout::input_major), w.biases}},
          sigma_{as_listed(std::move(sigma))} {
        take(policies);
    }
    /// An ungated one. Refuses the same, and a gating that is no activation.
    template <class G>
    any_ffn(const any_plain_weights& w, G sigma, std::span<const any_policy> policies)
        : weights_{plain_type{checked("W_up", w.up, weight_layout::output_major),
                              checked("W_down", w.down, weight_layout::input_major), w.up_bias, w.down_bias}},
          sigma_{as_listed(std::move(sigma))} {
        if (!chosen{sigma_}.is_activation()) {
            fail(
                "tamis::any_ffn: an ungated FFN takes an activation; this gating changes up, or takes all gates");
        }
        take(policies);
    }
    /// Either, with policies as arguments.
    template <class Weights, class G, class... Policies>
        requires(std::is_convertible_v<Policies, any_policy> && ...)
    any_ffn(const Weights& w, G sigma, Policies... policies)
        : any_ffn{w, std::move(sigma),
                  std::span<const any_policy>{
                      std::array<any_policy, sizeof...(Policies)>{any_policy{std::move(policies)}...}}} {}

    /// Whether it has a gate: any_glu_weights were given.
    bool is_gated() const { return std::holds_alternative<glu_type>(weights_); }
    /// The length of x and y.
    std::size_t width() const {
        return std::visit([](const auto& w) { return w.width(); }, weights_);
    }
    /// How many neurons: the length of gate, up and intermediate.
    std::size_t neurons() const {
        return std::visit([](const auto& w) { return w.neurons(); }, weights_);
    }
    /// Bytes of all weights.
    std::uint64_t bytes() const {
        return std::visit([](const auto& w) { return w.bytes(); }, weights_);
    }

    /// Whether there is a policy at a site.
    bool has(site where) const { return policies_.has(where); }
    /// Which matrices the mask of a site leaves partly unread, with these layouts and the other policies; false as a condition
    /// if none.
    skipped_matrices skips(site where) const { return has(where) ? would_skip(where) : skipped_matrices{}; }
    /// The same of masks that are known before: at_neurons.
    skipped_matrices skips_given() const { return skips(detail::before_sites); }

  private:
    static matrix_type checked(const char* name, const any_matrix& m, weight_layout refused) {
        if (m.layout() == refused) {
            char text[160];
            std::snprintf(text, sizeof text, "tamis::any_ffn: %s is %s; it has to be neuron_major or %s",
                          name, name_of(m.layout()),
                          name_of(refused == weight_layout::output_major ? weight_layout::input_major
                                                                         : weight_layout::output_major));
            fail(text);
        }
        const matrix_type result{name, m};
        if (result.is_by_columns() && refused == weight_layout::output_major &&
            m.layout() == weight_layout::neuron_major) {
            char text[160];
            std::snprintf(text, sizeof text,
                          "tamis::any_ffn: %s is '%.*s' and neuron_major: blocks down the columns are for "
                          "rows that are inputs (input_major)",
                          name, static_cast<int>(m.format().size()), m.format().data());
            fail(text);
        }
        return result;
    }
    template <class G>
    static gating_type as_listed(G sigma) {
        constexpr bool listed = std::is_same_v<G, gating_type> || (std::is_same_v<G, Gs> || ...);
        static_assert(listed,
                      "tamis::any_ffn: this gating is not in the list: any_ffn<formats<...>, gatings<...>>");
        if constexpr (listed) {
            return gating_type{std::move(sigma)};
        } else {
            fail("");
        }
    }

    void take(std::span<const any_policy> policies) {
        for (const any_policy& p : policies) {
            policies_.add(p);
        }
        if (!is_gated() && (has(site::gate) || has(site::up))) {
            fail("tamis::any_ffn: an ungated FFN has the sites input and intermediate");
        }
        const auto saves = [&](site where) {
            return !policies_.has_to_skip(where) || static_cast<bool>(would_skip(where));
        };
        using detail::need_to_save;
        need_to_save(saves(site::input), "the input", "no matrix is input_major");
        need_to_save(saves(site::gate), "the gate", "W_up is input_major and W_down output_major");
        need_to_save(saves(site::up), "up",
                     "W_down is output_major, and W_gate input_major or wanted in full");
        need_to_save(saves(site::intermediate), "the intermediate", "W_down is output_major");
        need_to_save(saves(detail::before_sites), "the neurons", "no matrix is neuron_major");
    }

    skipped_matrices would_skip(site where) const {
        const auto by_neurons = [](const matrix_type& m) {
            return m.layout() == weight_layout::neuron_major;
        };
        if (const auto* plain = std::get_if<plain_type>(&weights_)) {
            const bool up = by_neurons(plain->up);
            const bool down = by_neurons(plain->down);
            return where == site::input ? skipped_matrices{false, !up, false}
                                        : skipped_matrices{false, where == detail::before_sites && up, down};
        }
        const auto& glu = *std::get_if<glu_type>(&weights_);
        const bool gate = by_neurons(glu.gate);
        const bool up = by_neurons(glu.up);
        const bool down = by_neurons(glu.down);
        const bool whole = chosen{sigma_}.needs_all_gates();
        switch (where) {
            case site::input: return {!gate, !up, false};
            case site::gate: return {false, up, down};
            case site::up: return {gate && !whole && !has(site::gate), false, down};
            case site::intermediate: return {false, false, down};
            default: return {gate && !whole, up, down};
        }
    }

    /// For ffn_calls, which asks where the weights lie.
    template <class Call>
    void visit_weights(Call&& call) const {
        std::visit(call, weights_);
    }
    template <site Where>
    auto at() const {
        return policy<Where, detail::site_selector, true>{policies_.selector(Where)};
    }
    /// Calls f with the FFN that takes the sites in the order that the policies need.
    template <class Call>
    auto with_ffn(Call&& call) const {
        const chosen sigma{sigma_};
        const policy<detail::before_sites, detail::neuron_masks, true> neurons{policies_.masks()};
        if (const auto* plain = std::get_if<plain_type>(&weights_)) {
            return call(plain_ffn{*plain, sigma, at<site::input>(), at<site::intermediate>(), neurons});
        }
        const auto& glu = *std::get_if<glu_type>(&weights_);
        if (has(site::gate) || (has(site::up) && sigma.needs_all_gates())) {
            return call(glu_ffn{glu, sigma, at<site::input>(), at<site::gate>(), at<site::up>(),
                                at<site::intermediate>(), neurons});
        }
        if (has(site::up)) {
            return call(
                glu_ffn{glu, sigma, at<site::input>(), at<site::up>(), at<site::intermediate>(), neurons});
        }
        return call(glu_ffn{glu, sigma, at<site::input>(), at<site::intermediate>(), neurons});
    }

    template <class Products>
    std::size_t bytes_for(std::size_t tokens, std::size_t threads) const {
        return with_ffn([&](const auto& ffn) {
            return detail::ffn_access::template bytes_for<Products>(ffn, tokens, threads);
        });
    }
    template <class Products, class Executor, class Observer>
    traffic run(block<const float> x, block<float> y, workspace w, const Executor& threads, Observer& see,
                std::size_t first) const {
        return run_erased<Products>(x, y, w, detail::executor_reference{threads},
                                    detail::observer_reference{see}, first);
    }
    /// Compiled once, whatever the threads and the observer are.
    template <class Products>
    TAMIS_DETAIL_NOINLINE traffic run_erased(block<const float> x, block<float> y, workspace w,
                                             const detail::executor_reference& threads,
                                             const detail::observer_reference& see, std::size_t first) const {
        return with_ffn([&](const auto& ffn) {
            return detail::ffn_access::template run<Products>(ffn, x, y, w, threads, see, first);
        });
    }

    std::variant<glu_type, plain_type> weights_;
    gating_type sigma_;
    detail::any_policies policies_;
};

TAMIS_END
