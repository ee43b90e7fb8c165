#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/ffn/gating.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/values.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

TAMIS_BEGIN

namespace study {

/// The l2 error of a gated FFN's output over sample tokens when its three matrices are read sparsely: what greedy_budgets
/// asks for [T]. Gate and up take masks of their own on x, down one on the intermediate; each is a threshold on |v| at a
/// quantile of the dense sample (see magnitude_histogram: a_k, k = floor(s n), strictly smaller is dropped). tamis::glu_ffn
/// has one mask on x for both, so there the two are for analysis, or to be averaged.
/// Dense products in double by Eigen: it keeps the weights and the sample's values as doubles. A call costs a product for
/// each matrix whose input has changed. One object serves one thread.
template <activation Sigma>
class glu_block_error {
  public:
    /// x is [tokens x width]; everything is copied. The weights may be in any layout and format.
    template <class Weights>
    glu_block_error(const Weights& w, Sigma sigma, block<const float> x)
        : sigma_{std::move(sigma)},
          x_{rows_of(x)},
          gate_{of_up(w.gate), of_bias(w.biases.gate, w.neurons())},
          up_{of_up(w.up), of_bias(w.biases.up, w.neurons())} {
        detail::need("tamis::study::glu_block_error: x needs %zu columns, got %zu", w.width(), x.columns());
        constexpr bool by_outputs = detail::down_rows_are_outputs<decltype(w.down)>();
        down_ = of_matrix(w.down, !by_outputs); // [neurons x width]
        sizes_ = {static_cast<double>(gate_.weights.size()), static_cast<double>(up_.weights.size()),
                  static_cast<double>(down_.size())};
        const values dense = intermediate(gate_.dense_product(x_), up_.dense_product(x_));
        of_x_ = sorted(x_);
        of_intermediate_ = sorted(dense);
        output_ = dense * down_;
    }

    /// Weights of gate, up and down: the sizes for greedy_budgets.
    std::span<const double> sizes() const { return sizes_; }
    /// || FFN(x) ||_2 over all the sample, without the bias of down.
    double output_norm() const { return output_.norm(); }

    /// || y_sparse - y ||_2 over all the sample. Refuses other than three sparsities, of gate, up and down, in [0, 1].
    double operator()(std::span<const double> sparsities) {
        detail::need("tamis::study::glu_block_error: %zu sparsities are needed (gate, up, down), got %zu", 3,
                     sparsities.size());
        const std::array<float, 3> t = thresholds(sparsities);
        const values sparse = masked(intermediate(gate_.product(x_, t[0]), up_.product(x_, t[1])), t[2]);
        return (sparse * down_ - output_).norm();
    }

    /// The thresholds of these sparsities: on |x| for gate and for up, on |intermediate| for down.
    std::array<float, 3> thresholds(std::span<const double> sparsities) const {
        return {quantile(of_x_, sparsities[0]), quantile(of_x_, sparsities[1]),
                quantile(of_intermediate_, sparsities[2])};
    }

  private:
    using values = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using index = Eigen::Index;

    /// A matrix that takes x, [width x neurons], and its last two products: greedy steps ask for these again and again.
    struct up_matrix {
        values weights;
        Eigen::RowVectorXd bias;
        struct {
            std::uint32_t threshold = ~std::uint32_t{0};
            values product;
        } kept[2]{};
        unsigned oldest = 0;

        values dense_product(const values& x) const { return (x * weights).rowwise() + bias; }
        const values& product(const values& x, float threshold) {
            const std::uint32_t bits = magnitude_bits(threshold);
            for (const auto& k : kept) {
                if (k.threshold == bits) {
                    return k.product;
                }
            }
            auto& k = kept[oldest];
            oldest ^= 1u;
            k.product = dense_product(masked(x, threshold));
            k.threshold = bits;
            return k.product;
        }
    };

    template <class M>
    static values of_matrix(const M& m, bool rows_first) {
        values v(static_cast<index>(rows_first ? m.rows() : m.columns()),
                 static_cast<index>(rows_first ? m.columns() : m.rows()));
        for (index i = 0; i < v.rows(); ++i) {
            for (index j = 0; j < v.cols(); ++j) {
                v(i, j) = widen(m.at(static_cast<std::size_t>(rows_first ? i : j),
                                     static_cast<std::size_t>(rows_first ? j : i)));
            }
        }
        return v;
    }
    template <class M>
    static values of_up(const M& m) {
        return of_matrix(m, !detail::up_rows_are_outputs<M>());
    }
    static Eigen::RowVectorXd of_bias(std::span<const float> bias, std::size_t n) {
        Eigen::RowVectorXd v = Eigen::RowVectorXd::Zero(static_cast<index>(n));
        for (std::size_t i = 0; i < bias.size(); ++i) {
            v(static_cast<index>(i)) = widen(bias[i]);
        }
        return v;
    }
    static values rows_of(block<const float> x) {
        values v(static_cast<index>(x.rows()), static_cast<index>(x.columns()));
        for (std::size_t t = 0; t < x.rows(); ++t) {
            for (std::size_t j = 0; j < x.columns(); ++j) {
                v(static_cast<index>(t), static_cast<index>(j)) = widen(x.row(t)[j]);
            }
        }
        return v;
    }

    values intermediate(const values& gate, const values& up) const {
        values i = up;
        for (index k = 0; k < i.size(); ++k) {
            const float g = sigma_(static_cast<float>(gate.data()[k]));
            double& u = i.data()[k];
            if constexpr (detail::changes_up<Sigma>) {
                u = static_cast<double>(sigma_.of_up(static_cast<float>(u)));
            }
            u = static_cast<double>(static_cast<float>(u) * g);
        }
        return i;
    }
    /// v >= t in magnitude; all values are floats.
    static values masked(values v, float t) {
        const std::uint64_t least = magnitude_bits(widen(t));
        for (index k = 0; k < v.size(); ++k) {
            v.data()[k] = magnitude_bits(v.data()[k]) >= least ? v.data()[k] : 0.0;
        }
        return v;
    }
    static std::vector<std::uint32_t> sorted(const values& v) {
        std::vector<std::uint32_t> bits;
        for (index k = 0; k < v.size(); ++k) {
            bits.push_back(magnitude_bits(static_cast<float>(v.data()[k])));
        }
        std::sort(bits.begin(), bits.end());
        return bits;
    }
    static float quantile(const std::vector<std::uint32_t>& sorted_bits, double s) {
        if (!detail::is_between(s, 0.0, 1.0)) {
            fail_value("tamis::study::glu_block_error: sparsities must be in [0, 1], got %.12g", s);
        }
        const std::size_t n = sorted_bits.size();
        const auto k = static_cast<std::size_t>(s * static_cast<double>(n));
        return n == 0  ? 0.0f
               : k < n ? std::bit_cast<float>(sorted_bits[k])
                       : std::bit_cast<float>((std::min)(sorted_bits[n - 1] + 1, infinity_bits<float>));
    }

    [[no_unique_address]] Sigma sigma_;
    values x_;
    up_matrix gate_, up_;
    values down_, output_;
    std::array<double, 3> sizes_{};
    std::vector<std::uint32_t> of_x_, of_intermediate_;
};

} // namespace study

TAMIS_END
