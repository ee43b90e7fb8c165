#pragma once

#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/mask/set_operations.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <array>

TAMIS_BEGIN

namespace study {

/// The sizes of an FFN's weights, from which it is known what a mask leaves unread.
struct ffn_sizes {
    /// Bytes of a row of a matrix in either layout; both 0 where there is no such matrix.
    struct row_bytes {
        /// A row of `width` weights (a neuron's), and one of `neurons` (an input's or an output's).
        std::uint64_t of_width = 0, of_neurons = 0;
    };

    /// All matrices in one format; gated, or with up and down alone. W_down lies by outputs, as in checkpoints, while no mask
    /// wants it by neurons.
    template <weight_format F>
    static ffn_sizes of(std::size_t width, std::size_t neurons, bool gated = true) {
        const row_bytes rows{F::row_bytes(width), F::row_bytes(neurons)};
        return {width, neurons, gated ? rows : row_bytes{}, rows, rows, gated, true};
    }
    /// Those of weights, before tamis::pack or behind it.
    template <class Gate, class Up, class Down>
    static ffn_sizes of(const glu_weights<Gate, Up, Down>& w) {
        return {w.width(),
                w.neurons(),
                rows_of<Gate>(w),
                rows_of<Up>(w),
                rows_of<Down>(w),
                true,
                detail::down_rows_are_outputs<Down>()};
    }
    /// Of an ungated FFN.
    template <class Up, class Down>
    static ffn_sizes of(const plain_weights<Up, Down>& w) {
        return {w.width(),
                w.neurons(),
                {},
                rows_of<Up>(w),
                rows_of<Down>(w),
                false,
                detail::down_rows_are_outputs<Down>()};
    }

    std::size_t width = 0, neurons = 0;
    /// Of each matrix.
    row_bytes gate, up, down;
    /// Whether there is a gate.
    bool gated = true;
    /// How W_down lies where no mask wants it by neurons: pack leaves it then as it is.
    bool down_by_outputs = true;

  private:
    template <class M, class Weights>
    static row_bytes rows_of(const Weights& w) {
        using format_type = typename M::format_type;
        return {format_type::row_bytes(w.width()), format_type::row_bytes(w.neurons())};
    }
};

/// Weight bytes and multiply-adds that masks leave unread and undone, over those of the dense FFN (accounting 2): token by
/// token what glu_ffn or plain_ffn says it reads, with the layouts of tamis::pack for the sites that have policies, whoever
/// made the masks. It takes the sightings of a token in any order that ends with the intermediate, and those of a block site
/// by site; a block counts as its tokens one by one, as if no reading were shared. What an earlier mask left out counts as
/// left out: glu_ffn reads more only where a selector activates zeros. O(n / 64) a sighting; a mask of neurons for
/// each token of a block.
class accounting_meter {
  public:
    /// For FFNs of these sizes.
    explicit accounting_meter(const ffn_sizes& sizes) : sizes_{sizes} {}

    /// Refuses masks of other sizes.
    void operator()(const sighting& s) {
        if (pending_.size() <= s.token) {
            pending_.resize(s.token + 1);
        }
        token& t = pending_[s.token];
        if (s.where == site::input) {
            t = token{};
        }
        if (s.has_policy) {
            detail::need(
                "tamis::study::accounting_meter: a mask over %zu entries is needed here, got one over %zu",
                s.where == site::input ? sizes_.width : sizes_.neurons, s.mask.size());
            t.has[static_cast<std::size_t>(s.where)] = true;
            t.active[static_cast<std::size_t>(s.where)] = s.mask.count();
            if (s.where != site::input) {
                restrict(t, s.mask);
            }
        }
        if (s.where == site::intermediate) {
            count(t);
            t = token{};
        }
    }

    /// Refuses a meter of other sizes.
    void merge(const accounting_meter& other) {
        detail::need("tamis::study::accounting_meter: a meter of width %zu can not take one of %zu",
                     sizes_.width, other.sizes_.width);
        detail::need("tamis::study::accounting_meter: a meter of %zu neurons can not take one of %zu",
                     sizes_.neurons, other.sizes_.neurons);
        tokens_ += other.tokens_;
        bytes_ += other.bytes_;
        multiply_adds_ += other.multiply_adds_;
    }

    /// The sizes that it counts with.
    const ffn_sizes& sizes() const { return sizes_; }
    /// How many tokens were counted.
    std::uint64_t tokens() const { return tokens_; }
    /// Bytes of weights, of all tokens.
    traffic bytes() const { return bytes_; }
    /// The share of the dense FFN's bytes that is not read, in [0, 1]; 0 of nothing.
    double bytes_not_read() const { return share(bytes_); }
    /// Multiply-adds (one a weight and token) that are done, and those of the dense FFN.
    std::uint64_t multiply_adds() const { return multiply_adds_.bytes_read; }
    /// Of the dense FFN.
    std::uint64_t multiply_adds_dense() const { return multiply_adds_.bytes_dense; }
    /// Their share that masks save.
    double multiply_adds_not_done() const { return share(multiply_adds_); }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(sizes_.width), std::as_const(sizes_.neurons), std::as_const(sizes_.gated), tokens_,
          bytes_.bytes_read, bytes_.bytes_dense, multiply_adds_.bytes_read, multiply_adds_.bytes_dense);
    }
    const char* problem() const {
        const std::uint64_t weights = (sizes_.gated ? 3u : 2u) * std::uint64_t{sizes_.width} * sizes_.neurons;
        return bytes_.bytes_read > bytes_.bytes_dense ? "accounting_meter: more bytes read than there are"
               : multiply_adds_.bytes_read > multiply_adds_.bytes_dense
                   ? "accounting_meter: more multiply-adds done than there are"
               : multiply_adds_.bytes_dense != tokens_ * weights
                   ? "accounting_meter: the dense multiply-adds are not those of the tokens"
               : tokens_ == 0 && bytes_.bytes_dense != 0 ? "accounting_meter: bytes of no tokens"
                                                         : nullptr;
    }

  private:
    /// What is known of a token until its intermediate has been seen.
    struct token {
        std::array<bool, 4> has{};
        std::array<std::uint64_t, 4> active{};
        mask neurons; // active at every site of neurons so far
    };

    static void restrict(token& t, mask_view m) {
        if (t.neurons.size() == 0) {
            t.neurons = mask{m};
        } else {
            intersect(t.neurons, m, t.neurons.span());
        }
    }

    /// Rows that are read, of all that there are.
    void add(std::uint64_t read, std::uint64_t rows, std::uint64_t row_bytes, std::uint64_t columns) {
        bytes_ += {read * row_bytes, rows * row_bytes};
        multiply_adds_ += {read * columns, rows * columns};
    }
    void count(const token& t) {
        const auto has = [&](site where) { return t.has[static_cast<std::size_t>(where)]; };
        const auto active = [&](site where) { return t.active[static_cast<std::size_t>(where)]; };
        const std::uint64_t h = sizes_.width;
        const std::uint64_t d = sizes_.neurons;
        if (has(site::input)) { // gate and up by inputs
            const std::uint64_t read = active(site::input);
            add(sizes_.gated ? read : 0, sizes_.gated ? h : 0, sizes_.gate.of_neurons, d);
            add(read, h, sizes_.up.of_neurons, d);
        } else { // by neurons; a gate mask needs all of the gate
            const std::uint64_t gate = has(site::up) && !has(site::gate) ? active(site::up) : d;
            add(sizes_.gated ? gate : 0, sizes_.gated ? d : 0, sizes_.gate.of_width, h);
            add(has(site::gate) ? active(site::gate) : d, d, sizes_.up.of_width, h);
        }
        if (has(site::gate) || has(site::up) || has(site::intermediate)) {
            add(t.neurons.count(), d, sizes_.down.of_width, h);
        } else if (sizes_.down_by_outputs) {
            add(h, h, sizes_.down.of_neurons, d);
        } else {
            add(d, d, sizes_.down.of_width, h);
        }
        ++tokens_;
    }
    static double share(traffic t) {
        return t.bytes_dense == 0
                   ? 0.0
                   : static_cast<double>(t.bytes_skipped()) / static_cast<double>(t.bytes_dense);
    }

    ffn_sizes sizes_;
    std::uint64_t tokens_ = 0;
    traffic bytes_, multiply_adds_;
    std::vector<token> pending_; // by the place in the block
};

} // namespace study

TAMIS_END
