#pragma once

#include <tamis/detail/references.hpp>
#include <tamis/ffn/any_matrix.hpp>
#include <tamis/ffn/any_policy.hpp>
#include <tamis/ffn/listed_product.hpp>
#include <tamis/ffn/projection.hpp>

#include <span>

TAMIS_BEGIN

/// A linear layer of which all is chosen at run time, as any_ffn is: y = W x + b, with a mask at the input or without.
///
///     using projection_of_model = any_projection<formats<f32, bf16, q8_0>>;
///     projection_of_model o{any_matrix{"bf16", weight_layout::output_major, data, h, h}};
///     projection_of_model masked{packed, {}, at_input(top_p{0.9})}; // packed: input_major, to skip
///     masked(x, y, memory, threads, observer);
///
/// A row is an output (output_major; neuron_major says the same) or an input (input_major). It is a projection of one matrix
/// inside, with its bits and its calls; what is dispatched is the product. Making one with a policy may allocate (any_selector),
/// calling does not. Refuses formats and sizes that do not fit, a policy at another site, and one that saves nothing (unless
/// masks_only).
template <class Formats>
class any_projection;
template <class... Fs>
class any_projection<formats<Fs...>> {
    using matrix_type = detail::listed_matrix<formats<Fs...>>;
    using at_x = policy<site::input, detail::site_selector, true>;
    using weights_type = linear_weights<matrix_type>;

  public:
    /// Over borrowed weights and bias; an empty bias is none.
    explicit any_projection(const any_matrix& w, detail::kept_span<float> bias = {})
        : weights_{weights_type{matrix_type{"W", as_rows(w)}}.biased(bias)} {}
    /// With a mask at the input.
    any_projection(const any_matrix& w, detail::kept_span<float> bias, const any_policy& p)
        : any_projection{w, bias} {
        if (p.where() != site::input) {
            fail("tamis::any_projection: a projection has one site: at_input(...)");
        }
        policies_.add(p);
        if (!p.masks_only() && !skips()) {
            fail(
                "tamis::any_projection: the mask at the input saves nothing: W is not input_major. Repack it "
                "(tamis::repack), or ask for masks alone: masks_only(...)");
        }
    }

    /// The length of x.
    std::size_t width() const { return weights_.width(); }
    /// The length of y.
    std::size_t outputs() const { return weights_.outputs(0); }
    /// Bytes of all weights.
    std::uint64_t bytes() const { return weights_.bytes(); }
    /// Whether the mask leaves weights unread.
    bool skips() const {
        return policies_.has(site::input) && !detail::rows_are_outputs(std::get<0>(weights_.matrices));
    }

    template <class X, class Y, class Observer = no_observer>
        requires(!executor<std::remove_cvref_t<Observer>>)
    traffic operator()(X&& x, Y&& y, const detail::call_memory& w, Observer&& see = {}) const {
        return (*this)(x, y, w, serial{}, see);
    }
    template <class X, class Y, executor Executor, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, const detail::call_memory& w, const Executor& threads,
                       Observer&& see = {}) const {
        return as_projection()(x, y, w, detail::executor_reference{threads}, detail::observer_reference{see});
    }

    /// Bytes of workspace that a call needs, for a block of so many tokens or for so many at a time.
    template <executor Executor = serial>
    std::size_t workspace_bytes(const Executor& threads = {}, std::size_t tokens = 1) const {
        return as_projection().workspace_bytes(detail::executor_reference{threads}, tokens);
    }

  private:
    static any_matrix as_rows(const any_matrix& m) {
        const weight_layout l = m.layout() == weight_layout::input_major ? weight_layout::input_major
                                                                         : weight_layout::neuron_major;
        return {m.format(), l, m.data(), m.rows(), m.columns(), m.stride_bytes()};
    }
    projection<weights_type, at_x> as_projection() const {
        return projection<weights_type, at_x>{weights_, at_x{policies_.selector(site::input)}};
    }

    weights_type weights_;
    detail::any_policies policies_;
};

TAMIS_END
