#pragma once

#include <tamis/ffn/weights.hpp>
#include <tamis/rule/cett.hpp>

#include <algorithm>
#include <cmath>

TAMIS_BEGIN

// What CETT needs of the weights: the norms of the neurons, and its exact form. See rule/cett.hpp for the others.

/// ||W_down[:, i]||_2 for every neuron, into `out` (as many as there are neurons). Accumulated in double.
template <class Down>
void neuron_norms(const Down& down, std::span<float> out) {
    constexpr bool by_outputs = detail::down_rows_are_outputs<Down>();
    detail::need("tamis::neuron_norms: room for %zu norms is needed, got %zu", detail::down_neurons(down),
                 out.size());
    for (std::size_t neuron = 0; neuron < out.size(); ++neuron) {
        double squares = 0;
        for (std::size_t j = 0; j < detail::down_width(down); ++j) {
            const double w = by_outputs ? down.at(j, neuron) : down.at(neuron, j);
            squares += w * w;
        }
        out[neuron] = static_cast<float>(std::sqrt(squares));
    }
}

/// The exact form, a selector over the intermediate: the largest tail, ties kept or dropped together, with
/// CETT <= target. Reads all of W_down: for analysis, O(d h + d log d) in double. An output that is zero or not
/// finite keeps everything but zeros.
template <class Down>
class cett_exact : public selects<cett_exact<Down>> {
  public:
    /// The norms are those of neuron_norms; both are borrowed. Refuses a target outside [0, 1].
    cett_exact(const Down& down, std::span<const float> norms, double target)
        : down_{down}, score_{norms}, target_{target} {
        detail::need("tamis::cett_exact: %zu norms are needed, got %zu", detail::down_neurons(down),
                     norms.size());
        if (!detail::is_between(target, 0.0, 1.0)) {
            fail_value("tamis::cett_exact: the target must be in [0, 1], got %.12g", target);
        }
    }

    template <class View>
    void select(View values, mask_span out, workspace w) const {
        detail::need("tamis::cett_exact: the intermediate needs %zu entries, got %zu",
                     detail::down_neurons(down_), values.size());
        const std::size_t n = values.size();
        const auto norms = w.take<double>(n); // of the neurons' contributions
        score_into(score_, values, norms);
        const scores<double> s{norms};
        const auto order = w.take<std::uint32_t>(n);
        for (std::size_t i = 0; i < n; ++i) {
            order[i] = static_cast<std::uint32_t>(i);
        }
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return s.bits(a) != s.bits(b) ? s.bits(a) < s.bits(b) : a < b;
        });
        const auto sum = w.take<double>(detail::down_width(down_));
        const double output = tail_norm(values, order, s, sum, -1.0).squared_norm;
        const auto within = [&] { return tail_norm(values, order, s, sum, target_ * target_ * output).next; };
        write_mask(output > 0 ? cut<double>::at_bits(within()) : cut<double>::everything(), s, out);
    }
    std::size_t selection_bytes(std::size_t n) const {
        return workspace_bytes_of<double>(n) + workspace_bytes_of<std::uint32_t>(n) +
               workspace_bytes_of<double>(detail::down_width(down_));
    }

  private:
    struct tail {
        double squared_norm; // of the sum of all neurons
        std::uint64_t next;  // the least score that is not in the largest tail within the limit
    };

    /// Sums the neurons from the least score up; after each group of ties compares the square of the sum's norm.
    template <class View>
    tail tail_norm(View values, std::span<const std::uint32_t> order, scores<double> s, std::span<double> sum,
                   double limit) const {
        std::fill(sum.begin(), sum.end(), 0.0);
        tail result{0, 1};
        for (std::size_t k = 0; k < order.size(); ++k) {
            add(order[k], static_cast<double>(to_real(values[order[k]])), sum);
            const bool last_of_ties = k + 1 == order.size() || s.bits(order[k + 1]) != s.bits(order[k]);
            if (last_of_ties) {
                result.squared_norm = 0;
                for (const double part : sum) {
                    result.squared_norm += part * part;
                }
                // In integers: NaN and infinity must compare as more than any limit, under -ffast-math too.
                if (limit >= 0 && magnitude_bits(result.squared_norm) <= magnitude_bits(limit) &&
                    magnitude_bits(limit) < infinity_bits<double>) {
                    result.next = s.bits(order[k]) + 1;
                }
            }
        }
        return result;
    }

    void add(std::size_t neuron, double value, std::span<double> sum) const {
        constexpr bool by_outputs = detail::down_rows_are_outputs<Down>();
        for (std::size_t j = 0; j < sum.size(); ++j) {
            sum[j] += value * static_cast<double>(by_outputs ? down_.at(j, neuron) : down_.at(neuron, j));
        }
    }

    Down down_;
    weighted score_;
    double target_;
};

TAMIS_END
