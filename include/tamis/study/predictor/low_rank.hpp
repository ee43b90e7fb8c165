#pragma once

#include <tamis/any_selector.hpp>
#include <tamis/ffn/gating.hpp>
#include <tamis/ffn/site_step.hpp>
#include <tamis/study/predictor/predictor.hpp>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

TAMIS_BEGIN

namespace study {

/// A gate from a low rank: W_gate is replaced by the matrix of rank r that is nearest to it (its truncated singular value
/// decomposition, Eckart and Young), in two factors [d x r] [r x h], and the rule is asked as if sigma of that were
/// the gate. With full rank it is the gate, up to rounding. Costs r (h + d) multiply-adds, and floats to read.
///
/// The singular vectors are the eigenvectors of the smaller of W^T W and W W^T, in double: for weights of float that is as
/// exact as they are, quicker than a decomposition of W, and works with -ffast-math.
template <gating Sigma>
class low_rank {
  public:
    /// `rule` is over sigma(gate), d values. The bias may be empty. W_gate may have any format and layout and is not kept.
    /// Refuses a rank of 0 or above min(h, d), and weights that are not finite. Time: O(h d min(h, d)). Allocates.
    template <class Gate>
    low_rank(const Gate& gate, std::size_t rank, Sigma sigma, const any_selector& rule,
             std::span<const float> bias = {})
        : sigma_{std::move(sigma)}, rule_{rule}, bias_{bias.begin(), bias.end()} {
        const std::size_t h = detail::up_width(gate), d = detail::up_neurons(gate);
        if (rank == 0 || rank > (std::min)(h, d)) {
            fail_sizes(
                "tamis::study::low_rank: the rank must be in 1 .. %zu (the smaller side of W_gate), "
                "got %zu",
                (std::min)(h, d), rank);
        }
        if (!bias.empty()) {
            detail::need("tamis::study::low_rank: the bias needs %zu entries, got %zu", d, bias.size());
        }
        Eigen::MatrixXd w(index(d), index(h));
        for (std::size_t i = 0; i < d; ++i) {
            for (std::size_t j = 0; j < h; ++j) {
                const float weight = predictor_part::gate_weight(gate, i, j);
                if (magnitude_bits(weight) >= infinity_bits<float>) {
                    fail("tamis::study::low_rank: W_gate has a weight that is NaN or infinite");
                }
                w(index(i), index(j)) = static_cast<double>(weight);
            }
        }
        const Eigen::MatrixXd gram = h <= d ? Eigen::MatrixXd(w.transpose() * w) : w * w.transpose();
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{gram};
        if (static_cast<int>(solver.info()) != 0) { // Eigen::Success, which X11 defines as a macro
            fail("tamis::study::low_rank: the eigenvectors of W_gate's Gram matrix were not found");
        }
        const Eigen::MatrixXd best = solver.eigenvectors().rightCols(index(rank)); // ascending eigenvalues
        if (h <= d) {
            in_ = best.transpose().cast<float>();
            out_ = (w * best).cast<float>();
        } else {
            in_ = (best.transpose() * w).cast<float>();
            out_ = best.cast<float>();
        }
    }

    /// The same factors under another rule: W_gate is not decomposed again.
    low_rank with_rule(const any_selector& rule) const {
        low_rank other{*this};
        other.rule_ = rule;
        return other;
    }

    std::size_t width() const { return static_cast<std::size_t>(in_.cols()); }
    std::size_t neurons() const { return static_cast<std::size_t>(out_.rows()); }
    /// The rank.
    std::size_t rank() const { return static_cast<std::size_t>(in_.rows()); }
    std::size_t prediction_bytes() const {
        return workspace_bytes_of<float>(rank()) + workspace_bytes_of<float>(neurons()) +
               rule_.selection_bytes(neurons());
    }
    std::uint64_t multiply_adds() const { return std::uint64_t{rank()} * (width() + neurons()); }
    std::uint64_t weight_bytes() const { return multiply_adds() * sizeof(float); }

    /// The approximate sigma(W_gate x + bias), into d floats; workspace: prediction_bytes().
    void gate_of(std::span<const float> x, std::span<float> gate, workspace w) const {
        const auto inner = w.take<float>(rank());
        Eigen::Map<Eigen::VectorXf> between(inner.data(), in_.rows());
        Eigen::Map<Eigen::VectorXf> to(gate.data(), out_.rows());
        between.noalias() = in_ * Eigen::Map<const Eigen::VectorXf>(x.data(), in_.cols());
        to.noalias() = out_ * between;
        for (std::size_t i = 0; i < bias_.size(); ++i) {
            gate[i] += bias_[i];
        }
        detail::activate(sigma_, gate);
    }

    void predict(std::span<const float> x, mask_span out, workspace w) const {
        predictor_part::check_prediction(width(), neurons(), x, out);
        const auto gate = w.take<float>(neurons());
        gate_of(x, gate, w);
        rule_.select(gate, out, w);
    }

  private:
    using factor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    static Eigen::Index index(std::size_t i) { return static_cast<Eigen::Index>(i); }

    [[no_unique_address]] Sigma sigma_;
    any_selector rule_;
    std::vector<float> bias_;
    factor in_, out_; // [r x h], [d x r]
};

} // namespace study

TAMIS_END
