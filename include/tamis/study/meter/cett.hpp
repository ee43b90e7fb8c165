#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/ffn/cett_exact.hpp>
#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <array>
#include <cmath>

TAMIS_BEGIN

namespace study {

/// The CETT that a mask of neurons incurs [R, S], exactly, in double: for each token
///
///     || W_down (intermediate where dropped) || / || W_down intermediate ||,
///
/// 0 where the whole is zero; the down bias is no part of it. W_down is a view in either layout, with the same result.
///
/// At the intermediate: of the values that this site is shown (what an earlier mask left out is zero there), from any FFN.
/// At gate or up: of this site's mask alone, whatever the other sites' masks do; the FFN has to show full values at both,
/// gate before up, a block site by site. hooked_ffn does; glu_ffn does not, since it skips what it need not know.
///
/// O(d h) a token, and for gate and up the gate's values of a block are kept. Tokens whose values are not finite have no CETT:
/// they are counted, and mean and greatest are NaN then.
template <class Down>
class cett_meter {
  public:
    /// Refuses the input, whose mask drops no neurons.
    explicit cett_meter(const Down& down, site where = site::intermediate) : down_{down}, where_{where} {
        if (where == site::input) {
            fail(
                "tamis::study::cett_meter: sites of neurons have a CETT: gate, up or intermediate, not input");
        }
    }

    void operator()(const sighting& s) {
        if (where_ == site::intermediate) {
            if (s.where == site::intermediate && s.has_policy) {
                measure(s.values, s.mask);
            }
        } else if (s.where == site::gate) {
            keep(s);
        } else if (s.where == site::up) {
            complete(s);
        }
    }
    /// Refuses a meter of another site.
    void merge(const cett_meter& other) {
        if (other.where_ != where_) {
            fail("tamis::study::cett_meter: a meter of one site can not take one of another");
        }
        errors_.merge(other.errors_);
        greatest_ = (std::max)(greatest_, other.greatest_);
        not_finite_ += other.not_finite_;
    }

    /// The site that it counts.
    site where() const { return where_; }
    /// Tokens that have a CETT, and those that have none because something in them is not finite (or the CETT is 2^62 and
    /// more: nearly all of what cancels in the output is dropped).
    std::uint64_t tokens() const { return errors_.count(); }
    /// Tokens with values that are not finite: figures are NaN then.
    std::uint64_t not_finite() const { return not_finite_ + errors_.left_out(); }
    /// Over all tokens; NaN when one of them has none. 0 of no tokens.
    double mean() const { return unless_lost(not_finite(), errors_.mean()); }
    /// The largest CETT of a token.
    double greatest() const { return unless_lost(not_finite(), greatest_); }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(where_), errors_, greatest_, not_finite_);
    }
    const char* problem() const {
        // a token whose whole all but cancels may have an infinite one
        const bool number = detail::is_between(greatest_, 0.0, detail::infinite_double);
        const bool any = errors_.count() + errors_.left_out() != 0;
        return !number                                  ? "cett_meter: the greatest CETT is no number >= 0"
               : !any && magnitude_bits(greatest_) != 0 ? "cett_meter: a greatest CETT of no tokens"
               : errors_.left_out() == 0 && (errors_.sum() < 0 || errors_.mean() > greatest_ * (1 + 0x1p-40))
                   ? "cett_meter: a mean CETT beyond the greatest"
                   : nullptr;
    }

  private:
    struct gate_of_token {
        std::vector<float> values;
        mask active;
        bool seen = false;
    };

    void keep(const sighting& s) {
        if (where_ == site::gate && !s.has_policy) {
            return;
        }
        if (gates_.size() <= s.token) {
            gates_.resize(s.token + 1);
        }
        gate_of_token& gate = gates_[s.token];
        gate.values.assign(s.values.begin(), s.values.end());
        if (where_ == site::gate) {
            gate.active = mask{s.mask};
        }
        gate.seen = true;
    }
    void complete(const sighting& s) {
        if (where_ == site::up && !s.has_policy) {
            return;
        }
        if (gates_.size() <= s.token || !gates_[s.token].seen) {
            if (where_ == site::up) {
                fail(
                    "tamis::study::cett_meter: the up site's CETT needs the gate's values before up's, all of "
                    "them; run the FFN by tamis::study::hooked_ffn");
            }
            return; // no policy at the gate
        }
        gate_of_token& gate = gates_[s.token];
        detail::need("tamis::study::cett_meter: the gate showed %zu neurons, up %zu", gate.values.size(),
                     s.values.size());
        for (std::size_t i = 0; i < s.values.size(); ++i) {
            gate.values[i] *= s.values[i]; // rounded as the FFN rounds its intermediate
        }
        gate.seen = false;
        measure(gate.values, where_ == site::gate ? mask_view{gate.active} : s.mask);
    }

    void measure(std::span<const float> intermediate, mask_view active) {
        detail::need("tamis::study::cett_meter: %zu neurons are needed, got %zu", detail::down_neurons(down_),
                     intermediate.size());
        detail::need("tamis::study::cett_meter: a mask over %zu neurons is needed, got one over %zu",
                     intermediate.size(), active.size());
        dropped_.assign(detail::down_width(down_), 0.0);
        kept_.assign(detail::down_width(down_), 0.0);
        if (detail::down_rows_are_outputs<Down>()) {
            std::size_t j = 0;
            for (; j + outputs_at_once <= dropped_.size(); j += outputs_at_once) {
                add<outputs_at_once>(j, intermediate, active);
            }
            for (; j < dropped_.size(); ++j) {
                add<1>(j, intermediate, active);
            }
        } else {
            for (std::size_t i = 0; i < intermediate.size(); ++i) {
                const double value = widen(intermediate[i]);
                std::vector<double>& part = active[i] ? kept_ : dropped_;
                for (std::size_t j = 0; j < part.size(); ++j) {
                    part[j] += value * widen(down_.at(i, j));
                }
            }
        }
        double of_dropped = 0;
        double of_all = 0;
        for (std::size_t j = 0; j < dropped_.size(); ++j) {
            const double all = dropped_[j] + kept_[j];
            of_dropped += dropped_[j] * dropped_[j];
            of_all += all * all;
        }
        count(of_dropped, of_all);
    }
    /// Several outputs beside each other: one sum would wait for itself. Each adds up its neurons in their order.
    template <std::size_t Outputs>
    void add(std::size_t first, std::span<const float> intermediate, mask_view active) {
        std::array<std::array<double, Outputs>, 2> sums{};
        for (std::size_t i = 0; i < intermediate.size(); ++i) {
            const double value = widen(intermediate[i]);
            std::array<double, Outputs>& part = sums[active[i] ? 1 : 0];
            for (std::size_t k = 0; k < Outputs; ++k) {
                part[k] += value * widen(down_.at(first + k, i));
            }
        }
        for (std::size_t k = 0; k < Outputs; ++k) {
            dropped_[first + k] = sums[0][k];
            kept_[first + k] = sums[1][k];
        }
    }
    void count(double squared_dropped, double squared_all) {
        if (magnitude_bits(squared_dropped) >= infinity_bits<double> ||
            magnitude_bits(squared_all) >= infinity_bits<double>) {
            ++not_finite_;
            return;
        }
        const double error = squared_all > 0 ? std::sqrt(squared_dropped / squared_all) : 0.0;
        errors_.add(error);
        greatest_ = (std::max)(greatest_, error);
    }

    static constexpr std::size_t outputs_at_once = 8;

    Down down_;
    site where_;
    exact_total errors_;
    double greatest_ = 0;
    std::uint64_t not_finite_ = 0;
    std::vector<gate_of_token> gates_; // by the place in the block
    std::vector<double> dropped_, kept_;
};

} // namespace study

TAMIS_END
