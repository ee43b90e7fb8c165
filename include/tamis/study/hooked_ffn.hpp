#pragma once

#include <tamis/ffn/gating.hpp>
#include <tamis/ffn/site_step.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/study/hook.hpp>

#include <Eigen/Core>

TAMIS_BEGIN

namespace study {

/// A gated FFN for studies: dense products of whole blocks by Eigen, with a hook at each site. It reads all weights
/// whatever the masks say; over hundreds of tokens that is many times as quick as kernels that skip, and gives the same
/// up to rounding. Weights are float32 in a checkpoint's order; they are borrowed. One object serves one thread: its
/// blocks are kept between calls, and allocate when they grow.
template <gating Sigma>
class hooked_ffn {
  public:
    /// float32, in a checkpoint's order.
    using weights =
        glu_weights<matrix<f32, neuron_major>, matrix<f32, neuron_major>, matrix<f32, output_major>>;

    /// Refuses weights whose rows do not begin at whole floats.
    hooked_ffn(const weights& w, Sigma sigma) : weights_{w}, sigma_{std::move(sigma)} {
        check_stride(w.gate);
        check_stride(w.up);
        check_stride(w.down);
    }

    /// The length of x and y.
    std::size_t width() const { return weights_.width(); }
    /// How many neurons: the length of gate, up and intermediate.
    std::size_t neurons() const { return weights_.neurons(); }

    /// y = FFN(x) for each token, with `hook(layer, where, values)` at every site. x is left as it is; y may be x. Refuses
    /// blocks of other sizes.
    template <site_hook Hook>
    void operator()(std::size_t layer, block<const float> x, block<float> y, Hook&& hook) {
        detail::need("tamis::study::hooked_ffn: x needs %zu columns, got %zu", width(), x.columns());
        detail::need("tamis::study::hooked_ffn: y needs %zu columns, got %zu", width(), y.columns());
        detail::need("tamis::study::hooked_ffn: y needs %zu rows, got %zu", x.rows(), y.rows());
        const auto tokens = static_cast<Eigen::Index>(x.rows());
        x_ = map(x);
        hook(layer, site::input, rows_of(x_));
        product(x_, weights_.gate, weights_.biases.gate, gate_);
        for (Eigen::Index t = 0; t < tokens; ++t) {
            detail::activate(sigma_, std::span{gate_.row(t).data(), neurons()});
        }
        hook(layer, site::gate, rows_of(gate_));
        product(x_, weights_.up, weights_.biases.up, up_);
        for (Eigen::Index t = 0; t < tokens; ++t) {
            detail::activate_up(sigma_, std::span{up_.row(t).data(), neurons()});
        }
        hook(layer, site::up, rows_of(up_));
        up_ = up_.cwiseProduct(gate_);
        hook(layer, site::intermediate, rows_of(up_));
        product(up_, weights_.down, weights_.biases.down, y_);
        Eigen::Map<values, 0, Eigen::OuterStride<>>(y.row(0).data(), tokens,
                                                    static_cast<Eigen::Index>(y.columns()),
                                                    Eigen::OuterStride<>(
                                                        static_cast<Eigen::Index>(y.stride()))) = y_;
    }

  private:
    using values = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using strided_values = Eigen::Map<const values, 0, Eigen::OuterStride<>>;

    template <class M>
    static void check_stride(const M& w) {
        if (w.stride_bytes() % sizeof(float) != 0) {
            fail_sizes("tamis::study::hooked_ffn: stride_bytes must be a multiple of %zu, got %zu",
                       sizeof(float), w.stride_bytes());
        }
    }
    static strided_values map(block<const float> b) {
        return {b.row(0).data(), static_cast<Eigen::Index>(b.rows()), static_cast<Eigen::Index>(b.columns()),
                Eigen::OuterStride<>(static_cast<Eigen::Index>(b.stride()))};
    }
    static block<float> rows_of(values& m) {
        return {m.data(), static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())};
    }
    /// out_t = W in_t + bias; a row of W is an output.
    template <class M>
    static void product(const values& in, const M& w, std::span<const float> bias, values& out) {
        const strided_values rows(reinterpret_cast<const float*>(w.row(0)),
                                  static_cast<Eigen::Index>(w.rows()), static_cast<Eigen::Index>(w.columns()),
                                  Eigen::OuterStride<>(
                                      static_cast<Eigen::Index>(w.stride_bytes() / sizeof(float))));
        out.noalias() = in * rows.transpose();
        if (!bias.empty()) {
            out.rowwise() +=
                Eigen::Map<const Eigen::RowVectorXf>(bias.data(), static_cast<Eigen::Index>(bias.size()));
        }
    }

    weights weights_;
    [[no_unique_address]] Sigma sigma_;
    values x_, gate_, up_, y_;
};

} // namespace study

TAMIS_END
