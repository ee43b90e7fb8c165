#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/study/predictor/predictor.hpp>

#include <algorithm>
#include <limits>
#include <vector>

TAMIS_BEGIN

namespace study {

/// SparseInfer (arXiv 2411.12692): a gate's sign guessed from signs alone, without training. Of the h products x_j w_ij,
/// N_neg are negative by their factors' sign bits and N_pos = h - N_neg are not; neuron i is predicted inactive when
///     N_neg > alpha N_pos.
/// It guesses pre-activations <= 0, so it is meant for ReLU, and knows no bias. Greater alpha keeps more: 1 is the
/// majority; a tie is active. Zeros count by their sign bits. Costs one bit a weight of W_gate,
/// and an exclusive or and a popcount for 64 of them. Exact: the mask depends on the signs alone.
class sign_bits {
  public:
    /// Reads the signs of W_gate, of any format and layout; the matrix is not kept. Refuses an alpha that is negative, NaN
    /// or infinite.
    template <class Gate>
    explicit sign_bits(const Gate& gate, double alpha = 1.0)
        : width_{detail::up_width(gate)},
          neurons_{detail::up_neurons(gate)},
          alpha_{alpha},
          signs_(neurons_ * mask_words(width_)) {
        if (!detail::is_between(alpha, 0.0, (std::numeric_limits<double>::max)())) {
            fail_value("tamis::study::sign_bits: alpha must be >= 0 and finite (1: the majority), got %.12g",
                       alpha);
        }
        for (std::size_t i = 0; i < neurons_; ++i) {
            const std::span<std::uint64_t> row = std::span{signs_}.subspan(i * words(), words());
            for (std::size_t j = 0; j < width_; ++j) {
                row[j / 64] |= sign_of(predictor_part::gate_weight(gate, i, j)) << (j % 64);
            }
        }
        most_negative_ = most_negative(alpha, width_);
    }

    std::size_t width() const { return width_; }
    std::size_t neurons() const { return neurons_; }
    /// Greater keeps more; 1 is the majority.
    double alpha() const { return alpha_; }
    std::size_t prediction_bytes() const { return workspace_bytes_of<std::uint64_t>(words()); }
    std::uint64_t multiply_adds() const { return 0; }
    std::uint64_t weight_bytes() const { return std::uint64_t{signs_.size()} * sizeof(std::uint64_t); }

    void predict(std::span<const float> x, mask_span out, workspace w) const {
        predictor_part::check_prediction(width_, neurons_, x, out);
        const std::span<std::uint64_t> signs = w.take<std::uint64_t>(words());
        std::fill(signs.begin(), signs.end(), std::uint64_t{0});
        bool any_nan = false;
        for (std::size_t j = 0; j < width_; ++j) {
            signs[j / 64] |= sign_of(x[j]) << (j % 64);
            any_nan = any_nan || is_nan(x[j]);
        }
        if (any_nan) {
            out.fill(true);
            return;
        }
        out.fill(false);
        for (std::size_t i = 0; i < neurons_; ++i) {
            const std::uint64_t* const row = signs_.data() + i * words();
            std::size_t negative = 0; // bits behind the last are zero in both
            for (std::size_t k = 0; k < words(); ++k) {
                negative += detail::bits_set(row[k] ^ signs[k]);
            }
            out.words()[i / 64] |= std::uint64_t{negative <= most_negative_ ? 1u : 0u} << (i % 64);
        }
    }

  private:
    static std::uint64_t sign_of(float value) { return std::bit_cast<std::uint32_t>(value) >> 31; }

    /// The largest N_neg that is still active: what is decided once need not be rounded for every neuron.
    static std::size_t most_negative(double alpha, std::size_t width) {
        std::size_t most = 0; // N_neg = 0 is never above alpha N_pos
        for (std::size_t n = 0; n <= width; ++n) {
            if (static_cast<double>(n) <= alpha * static_cast<double>(width - n)) {
                most = n;
            }
        }
        return most;
    }
    std::size_t words() const { return mask_words(width_); }

    std::size_t width_, neurons_;
    double alpha_;
    std::vector<std::uint64_t> signs_; // a row of words a neuron
    std::size_t most_negative_ = 0;
};

} // namespace study

TAMIS_END
