#pragma once

#include "model/checkpoint.hpp"
#include "model/tokenizer.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

namespace app {

/// A block of tokens: row t belongs to the token at position t.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

using index = Eigen::Index;

inline auto as_matrix(std::span<const float> w, std::size_t rows, std::size_t cols) {
    return Eigen::Map<const matrix>(w.data(), static_cast<index>(rows), static_cast<index>(cols));
}

/// y_t = W x_t for every token t; W is [outputs x inputs] as in the checkpoint.
inline void project(const matrix& x, std::span<const float> w, matrix& y) {
    const auto inputs = static_cast<std::size_t>(x.cols());
    y.noalias() = x * as_matrix(w, w.size() / inputs, inputs).transpose();
}

/// out_t = gain * x_t / sqrt(mean(x_t^2) + 1e-5)
inline void rms_norm(const matrix& x, std::span<const float> gain, matrix& out) {
    const auto g = as_matrix(gain, 1, gain.size()).row(0);
    out.resizeLike(x);
    for (index t = 0; t < x.rows(); ++t) {
        const float mean_square = x.row(t).squaredNorm() / static_cast<float>(x.cols());
        out.row(t) = g.cwiseProduct(x.row(t)) / std::sqrt(mean_square + 1e-5f);
    }
}

} // namespace detail

/// The llama2.c transformer over whole stories: all tokens of a story at once, each seeing those before it.
/// The FFN is the caller's: `ffn(layer, x, y)` with x the normalised block [tokens x dim] writes y, as large.
class transformer {
  public:
    explicit transformer(const checkpoint& model) : model_{&model} {
        const auto half = model.config.head_size() / 2;
        rope_.resize(static_cast<index>(model.config.seq_len), static_cast<index>(2 * half));
        for (index position = 0; position < rope_.rows(); ++position) {
            for (index i = 0; i < static_cast<index>(half); ++i) {
                const float exponent = static_cast<float>(2 * i) / static_cast<float>(2 * half);
                const float angle = static_cast<float>(position) / std::pow(10000.0f, exponent);
                rope_(position, 2 * i) = std::cos(angle);
                rope_(position, 2 * i + 1) = std::sin(angle);
            }
        }
    }

    /// Logits [tokens x vocab_size]; at most seq_len tokens. The result lives until the next call.
    template <class Ffn>
    const matrix& operator()(std::span<const token> tokens, Ffn&& ffn) {
        const auto& c = model_->config;
        const auto embedding = detail::as_matrix(model_->embedding, c.vocab_size, c.dim);
        x_.resize(static_cast<index>(tokens.size()), static_cast<index>(c.dim));
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            x_.row(static_cast<index>(t)) = embedding.row(tokens[t]);
        }

        for (std::size_t l = 0; l < c.n_layers; ++l) {
            const layer_weights& layer = model_->layers[l];
            detail::rms_norm(x_, layer.rms_att, normed_);
            detail::project(normed_, layer.wq, q_);
            detail::project(normed_, layer.wk, k_);
            detail::project(normed_, layer.wv, v_);
            rotate(q_);
            rotate(k_);
            attend();
            detail::project(attended_, layer.wo, y_);
            x_ += y_;

            detail::rms_norm(x_, layer.rms_ffn, normed_);
            y_.resizeLike(x_);
            ffn(l, std::as_const(normed_), y_);
            x_ += y_;
        }
        detail::rms_norm(x_, model_->rms_final, normed_);
        detail::project(normed_, model_->classifier, logits_);
        return logits_;
    }

  private:
    using index = detail::index;

    /// RoPE: within each head, the neighbours (2i, 2i + 1) turn by position / 10000^(2i / head_size).
    void rotate(matrix& block) const {
        const index size = rope_.cols();
        for (index t = 0; t < block.rows(); ++t) {
            for (index head = 0; head < block.cols(); head += size) {
                for (index i = 0; i < size; i += 2) {
                    const float cosine = rope_(t, i), sine = rope_(t, i + 1);
                    float& a = block(t, head + i);
                    float& b = block(t, head + i + 1);
                    const float turned = a * cosine - b * sine;
                    b = a * sine + b * cosine;
                    a = turned;
                }
            }
        }
    }

    /// For each head: softmax(q k^T / sqrt(head_size)) v, where a token sees itself and those before it.
    /// Several query heads share one key-value head (GQA). Tokens go in strips, so that little is computed
    /// above the diagonal.
    void attend() {
        constexpr index strip = 32;
        const auto& c = model_->config;
        const auto size = static_cast<index>(c.head_size());
        const auto heads_per_kv = static_cast<index>(c.n_heads / c.n_kv_heads);
        const float scale = 1.0f / std::sqrt(static_cast<float>(size));
        attended_.resizeLike(x_);
        for (index head = 0; head < static_cast<index>(c.n_heads); ++head) {
            for (index first = 0; first < q_.rows(); first += strip) {
                const index count = std::min(strip, q_.rows() - first), seen = first + count;
                const auto q = q_.block(first, head * size, count, size);
                const auto k = k_.block(0, head / heads_per_kv * size, seen, size);
                const auto v = v_.block(0, head / heads_per_kv * size, seen, size);
                weights_.noalias() = scale * q * k.transpose();
                for (index t = 0; t < count; ++t) {
                    auto visible = weights_.row(t).head(first + t + 1).array();
                    visible = (visible - visible.maxCoeff()).exp();
                    visible /= visible.sum();
                    weights_.row(t).tail(count - t - 1).setZero();
                }
                attended_.block(first, head * size, count, size).noalias() = weights_ * v;
            }
        }
    }

    const checkpoint* model_;
    matrix rope_;                       // [seq_len x head_size]: cosine, sine of each pair in turn
    matrix x_, normed_, y_, q_, k_, v_; // blocks of tokens
    matrix weights_, attended_, logits_;
};

} // namespace app
