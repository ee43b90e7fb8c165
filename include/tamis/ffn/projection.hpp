#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/ffn/calls.hpp>
#include <tamis/ffn/linear_weights.hpp>
#include <tamis/ffn/site_step.hpp>

TAMIS_BEGIN

namespace detail {

/// Float vectors of the caller as spans; anything else is refused with the way out.
template <class V>
auto float_span(V&& v) {
    const auto view = view_of(v);
    static_assert(
        std::is_same_v<std::remove_cv_t<view_element<decltype(view)>>, float> && requires { view.data(); },
        "tamis: a projection takes and gives contiguous floats; convert other types first");
    return view;
}
template <class T>
byte_rows bytes_of_block(const block<T>& b) {
    return {b.row(0).data(), b.rows(), b.columns() * sizeof(T), b.stride() * sizeof(T)};
}

} // namespace detail

/// Where a projection writes to, in the order of its matrices: vectors of floats, or blocks of tokens.
///     qkv(x, outputs{q, k, v}, memory);
template <std::size_t Count>
class outputs {
  public:
    template <class... Ys>
        requires(sizeof...(Ys) == Count)
    explicit outputs(Ys&&... ys)
        : blocks_{block_of(ys)...}, are_blocks_{std::is_convertible_v<Ys&, block<float>>...} {}

    const block<float>& operator[](std::size_t k) const { return blocks_[k]; }
    bool is_block(std::size_t k) const { return are_blocks_[k]; }

  private:
    template <class Y>
    static block<float> block_of(Y& y) {
        if constexpr (std::is_convertible_v<Y&, block<float>>) {
            return y;
        } else {
            const auto view = detail::float_span(y);
            static_assert(!std::is_const_v<std::remove_reference_t<decltype(view[0])>>,
                          "tamis: a projection's y is read-only");
            return {view.data(), 1, view.size()};
        }
    }

    std::array<block<float>, Count> blocks_;
    std::array<bool, Count> are_blocks_;
};
template <class... Ys>
explicit outputs(Ys&&...) -> outputs<sizeof...(Ys)>;

namespace detail {

template <class Y>
inline constexpr bool is_outputs = false;
template <std::size_t Count>
inline constexpr bool is_outputs<outputs<Count>> = true;

} // namespace detail

/// A linear layer by itself, or several that share x, with a mask at the input: attention's q, k, v and its output.
///
///     const projection qkv{linear_weights{w_q, w_k, w_v}, at_input(top_p{0.9})};
///     qkv(x, outputs{q, k, v}, memory, threads, observer);
///     const projection o{linear_weights{w_o}, at_input(top_p{0.9})};
///     o(x, y, memory);
///
/// The mask is made once for all of them; the rows of its inactive inputs stay unread where a matrix is input_major
/// (packed_projection makes it so). Everything else is as it is with an FFN: memory comes before threads and an observer (who
/// sees site::input), tokens of a block share readings (workspace_bytes(threads, tokens), tokens_at_a_time), no bit depends on
/// the number of threads, nothing is allocated, and what was read is returned.
template <class Weights, class... Policies>
class projection {
    static_assert(detail::is_linear_weights<Weights>,
                  "tamis: a projection takes tamis::linear_weights{matrices...}, and then at_input(...)");
    static constexpr bool is_right =
        detail::is_linear_weights<Weights> && detail::explain_policies<Policies...>();
    using policy_set_type = typename detail::checked_policies<is_right, Policies...>::type;
    static_assert(!policy_set_type::template has<site::gate> && !policy_set_type::template has<site::up> &&
                      !policy_set_type::template has<site::intermediate> &&
                      !policy_set_type::template has<detail::before_sites>,
                  "tamis: a projection has one site: at_input(...)");

  public:
    explicit projection(Weights weights, Policies... policies)
        : weights_{weights}, policies_{std::move(policies)...} {
        static_assert(
            !policy_set_type::template has_to_skip<site::input> || skips(),
            "tamis: the mask at the input saves nothing: no matrix is input_major. "
            "tamis::packed_projection makes them so; masks_only(at_input(...)) asks for masks alone");
    }

    template <site Where>
    static constexpr bool has = policy_set_type::template has<Where>;
    /// Whether the mask leaves any matrix partly unread, and whether all of them.
    static constexpr bool skips() { return has<site::input> && skipping(weights_type{}) != 0; }
    static constexpr bool skips_all() {
        return has<site::input> && skipping(weights_type{}) == Weights::count;
    }

    std::size_t width() const { return weights_.width(); }
    const Weights& weights() const TAMIS_LIFETIMEBOUND { return weights_; }

    template <class X, class Y, class Observer = no_observer>
        requires(!executor<std::remove_cvref_t<Observer>>)
    traffic operator()(X&& x, Y&& y, const detail::call_memory& w, Observer&& see = {}) const {
        return (*this)(x, y, w, serial{}, see);
    }
    template <class X, class Y, executor Executor, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, const detail::call_memory& w, const Executor& threads,
                       Observer&& see = {}) const {
        static_assert(observer<std::remove_reference_t<Observer>>,
                      "tamis: an observer is callable with a const tamis::sighting&");
        if constexpr (!detail::is_outputs<std::remove_cvref_t<Y>>) {
            return (*this)(x, outputs{y}, w, threads, see);
        } else if constexpr (std::is_convertible_v<X&, block<const float>>) {
            return run_block(x, true, y, w, threads, see);
        } else {
            const auto in = detail::float_span(x);
            return run_block({in.data(), 1, in.size()}, false, y, w, threads, see);
        }
    }

    /// Bytes of workspace that a call needs, for a block of so many tokens or for so many at a time.
    template <executor Executor = serial>
    std::size_t workspace_bytes(const Executor& threads = {}, std::size_t tokens = 1) const {
        const std::size_t together = std::clamp<std::size_t>(tokens, 1, most_tokens);
        const std::size_t h = width();
        const std::size_t products = std::apply(
            [&](const auto&... m) {
                return (detail::by_rows::up_bytes(as_up(m), together, width_of(threads)) + ...);
            },
            weights_.matrices);
        return (has<site::input> ? detail::bytes_of_rows(together, h) + detail::site_step::bytes(h, together)
                                 : 0) +
               (std::max)(products, policies_.selection_bytes(site::input, h));
    }

  private:
    template <class Of>
    struct type_of {};
    using weights_type = type_of<Weights>;
    template <class... M>
    static constexpr std::size_t skipping(type_of<linear_weights<M...>>) {
        return (std::size_t{!detail::rows_are_outputs<M>()} + ...);
    }
    /// What W_up would be: its neurons are the outputs.
    template <class F, class L>
    static auto as_up(const matrix<F, L>& m) {
        using layout =
            std::conditional_t<detail::rows_are_outputs<matrix<F, L>>(), neuron_major, input_major>;
        return matrix<F, layout>{m.row(0), m.rows(), m.columns(), m.stride_bytes()};
    }

    template <std::size_t Count>
    void check(block<const float> x, bool is_block, const outputs<Count>& y, const workspace& w) const {
        detail::need("tamis: a projection's x needs %zu entries a token, got %zu", width(), x.columns());
        const std::span<const std::byte> memory = w.memory_left();
        const detail::byte_rows in = detail::bytes_of_block(x);
        bool apart = !detail::overlap(in, memory.data(), memory.size());
        for (std::size_t k = 0; k < Count; ++k) {
            if (y.is_block(k) != is_block) {
                fail("tamis: a projection's x and outputs are all vectors of floats or all blocks of them");
            }
            detail::need("tamis: a projection's y needs %zu entries a token, got %zu", weights_.outputs(k),
                         y[k].columns());
            detail::need("tamis: a projection's y needs %zu rows, got %zu", x.rows(), y[k].rows());
            const detail::byte_rows out = detail::bytes_of_block(y[k]);
            apart = apart && !detail::overlap(in, out) && !detail::overlap(out, memory.data(), memory.size());
            for (std::size_t other = 0; other < k; ++other) {
                apart = apart && !detail::overlap(out, detail::bytes_of_block(y[other]));
            }
        }
        if (!apart) {
            fail("tamis: a projection's x, outputs and workspace overlap: give each memory of its own");
        }
    }

    template <std::size_t Count, class Executor, class Observer>
    traffic run_block(block<const float> x, bool is_block, const outputs<Count>& y,
                      const detail::call_memory& w, const Executor& threads, Observer& see) const {
        static_assert(Count == Weights::count,
                      "tamis: a projection of several matrices writes as many: outputs{q, k, v}");
        check(x, is_block, y, w.memory);
        const std::size_t together = (std::min)({x.rows(), most_tokens, w.tokens});
        const std::size_t bytes = workspace_bytes(threads, together);
        if (bytes > w.memory.bytes_left() && together != 0) {
            fail_sizes(
                "tamis::workspace: this call needs %zu bytes (workspace_bytes(threads, tokens)), got %zu; "
                "fewer tokens at a time need less: tokens_at_a_time{1, memory}",
                bytes, w.memory.bytes_left());
        }
        [[maybe_unused]] const detail::in_use held{w.memory.memory_left()};
        traffic total;
        for (std::size_t first = 0; first < x.rows(); first += together) {
            const std::size_t tokens = (std::min)(together, x.rows() - first);
            total += run({x.row(first).data(), tokens, x.columns(), x.stride()}, y, w.memory, threads, see,
                         first, std::make_index_sequence<Count>{});
        }
        return total;
    }

    template <std::size_t Count, class Executor, class Observer, std::size_t... K>
    traffic run(block<const float> x, const outputs<Count>& y, workspace w, const Executor& threads,
                Observer& see, std::size_t first, std::index_sequence<K...>) const {
        traffic read = detail::traffic_of_group(weights_.bytes(), x.rows());
        detail::site_step input;
        if constexpr (has<site::input>) {
            x = detail::masked_copy<site::input>(policies_, x, input, w, see, first);
        } else {
            detail::show_all<site::input>(x, see, first);
        }
        const auto rows_of = [&](const block<float>& of_all) {
            return block<float>{of_all.row(first).data(), x.rows(), of_all.columns(), of_all.stride()};
        };
        detail::run_products(threads, w, read,
                             detail::by_rows::up(as_up(std::get<K>(weights_.matrices)), x, input.active(),
                                                 detail::active_set{}, weights_.biases[K], rows_of(y[K]))...);
        return read;
    }

    Weights weights_;
    [[no_unique_address]] policy_set_type policies_;
};

TAMIS_END
