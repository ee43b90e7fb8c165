#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/kernel/unpack.hpp>
#include <tamis/score/weighted.hpp>
#include <tamis/study/calibrate/magnitude_bins.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

TAMIS_BEGIN

namespace study {

/// CETT of one token at the threshold eps, a float, is the error that tamis::cett(norms, eps) makes:
///     || sum_{i in D} n_i || / || sum_i n_i ||,   D = { i : |i_i| norms[i] < eps }
/// (see rule/cett.hpp). It is a step function of eps, and no monotone one: contributions may cancel. A step happens at the
/// least float above a neuron's |i_i| norms[i], the product being tamis::weighted's; steps are named by that float's bits.
/// Sums are in double, from the least contribution up, ties by the neuron's number, so CETT is the same number in every
/// pass. W_down and the norms (neuron_norms) are borrowed. O(d h + d log d) a token with a norm of O(h) for each step
/// that is wanted. W_down may have any layout; neuron-major is read in a row, output-major a weight at a time.
template <class Down>
class cett_steps {
  public:
    cett_steps(const Down& down, detail::kept_span<float> norms)
        : down_{down}, score_{norms}, sum_(detail::down_width(down)), row_(sum_.size()) {
        detail::need("tamis::study::cett_steps: %zu norms are needed, got %zu", detail::down_neurons(down),
                     norms.size());
    }

    /// How many neurons: the length of gate, up and intermediate.
    std::size_t neurons() const { return score_.weights().size(); }

    /// Where CETT changes.
    struct step {
        /// The threshold's bits.
        std::uint32_t eps_bits;
        double cett; ///< from this float on; at most 2^30, so that sums stay exact
    };
    /// A token whose output is zero has no CETT, and neither has one that is not finite: defined is false.
    struct token_steps {
        /// False for a token without output.
        bool defined;
        /// Borrowed until the next walk.
        std::span<const step> steps;
        /// False if a value is not.
        bool finite = true;
    };

    /// The steps for which `wanted(eps_bits, next)` says so, in order; next is the step behind, or all ones. Valid until
    /// the next call.
    template <class Wanted>
    token_steps walk(std::span<const float> intermediate, Wanted&& wanted) {
        detail::need("tamis::study::cett_steps: the intermediate needs %zu entries, got %zu", neurons(),
                     intermediate.size());
        steps_.clear();
        if (!sort(intermediate)) {
            return {false, {}, false};
        }
        std::fill(sum_.begin(), sum_.end(), 0.0);
        double output = 0;
        for (std::size_t k = 0; k < order_.size(); ++k) {
            const entry e = order_[k];
            add(e.neuron, widen(intermediate[e.neuron]));
            const std::uint32_t next = k + 1 < order_.size() ? order_[k + 1].eps_bits : ~std::uint32_t{0};
            if (k + 1 == order_.size() || (next != e.eps_bits && wanted(e.eps_bits, next))) {
                output = norm();
                steps_.push_back({e.eps_bits, output});
            }
        }
        if (magnitude_bits(output) == 0 || magnitude_bits(output) >= infinity_bits<double>) {
            return {false, {}, magnitude_bits(output) == 0};
        }
        for (step& s : steps_) {
            s.cett = (std::min)(s.cett / output, 0x1p30);
        }
        return {true, steps_};
    }

    /// The bits of the least float above a score that is neither infinite nor NaN: at it and beyond the neuron is dropped.
    static constexpr std::uint32_t step_of(double score) {
        const std::uint32_t up = detail::product_rounded_up<float>(score, magnitude_bits(1.0f));
        return magnitude_bits(widen(std::bit_cast<float>(up))) > magnitude_bits(score) ? up : up + 1;
    }

  private:
    struct entry {
        std::uint64_t score; // its bits
        std::uint32_t neuron, eps_bits;

        friend bool operator<(const entry& a, const entry& b) {
            if (a.score != b.score) {
                return a.score < b.score;
            }
            return a.neuron < b.neuron;
        }
    };

    /// Neurons that contribute, from the least up; false when one is infinite or NaN.
    bool sort(std::span<const float> intermediate) {
        order_.clear();
        for (std::size_t i = 0; i < intermediate.size(); ++i) {
            const double score = std::bit_cast<double>(magnitude_bits(score_(intermediate[i], i)));
            if (magnitude_bits(score) >= infinity_bits<double>) {
                return false;
            }
            if (magnitude_bits(score) != 0) {
                order_.push_back({magnitude_bits(score), static_cast<std::uint32_t>(i), step_of(score)});
            }
        }
        std::sort(order_.begin(), order_.end());
        return true;
    }

    // Not inlined: one body, so that all passes round the same.
    [[gnu::noinline]] void add(std::size_t neuron, double value) {
        double* const sum = sum_.data();
        const std::size_t width = sum_.size();
        if constexpr (detail::down_rows_are_outputs<Down>()) {
            for (std::size_t j = 0; j < width; ++j) {
                sum[j] += value * static_cast<double>(down_.at(j, neuron));
            }
        } else {
            unpack(down_, neuron, 0, width, row_.data());
            const float* const row = row_.data();
            for (std::size_t j = 0; j < width; ++j) {
                sum[j] += value * static_cast<double>(row[j]);
            }
        }
    }
    [[gnu::noinline]] double norm() const {
        double squares[8]{}; // in eight runs: one would wait for itself
        const std::size_t whole = sum_.size() / 8 * 8;
        for (std::size_t j = 0; j < whole; j += 8) {
            for (std::size_t k = 0; k < 8; ++k) {
                squares[k] += sum_[j + k] * sum_[j + k];
            }
        }
        for (std::size_t j = whole; j < sum_.size(); ++j) {
            squares[j - whole] += sum_[j] * sum_[j];
        }
        return std::sqrt(((squares[0] + squares[1]) + (squares[2] + squares[3])) +
                         ((squares[4] + squares[5]) + (squares[6] + squares[7])));
    }

    Down down_;
    weighted score_;
    std::vector<double> sum_;
    std::vector<float> row_;
    std::vector<entry> order_;
    std::vector<step> steps_;
};

} // namespace study

TAMIS_END
