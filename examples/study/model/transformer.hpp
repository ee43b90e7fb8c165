#pragma once

#include "model/checkpoint.hpp"
#include "model/matrix.hpp"
#include "model/not_finite.hpp"
#include "model/tokenizer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

namespace app {

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

/// out_t = gain * x_t / sqrt(mean(x_t^2) + eps); NaN where the mean square overflows, which would make zeros of the rest.
inline void rms_norm(const matrix& x, std::span<const float> gain, float eps, matrix& out) {
    const auto g = as_matrix(gain, 1, gain.size()).row(0);
    out.resizeLike(x);
    for (index t = 0; t < x.rows(); ++t) {
        const float mean_square = x.row(t).squaredNorm() / static_cast<float>(x.cols());
        if (study::is_finite(mean_square)) {
            out.row(t) = g.cwiseProduct(x.row(t)) / std::sqrt(mean_square + eps);
        } else {
            out.row(t).setConstant(study::not_a_float);
        }
    }
}

} // namespace detail

/// The llama2.c transformer over whole stories: all tokens of a story at once, each seeing those before it.
/// The FFN is the caller's: `ffn(layer, x, y)` with x the normalised block [tokens x dim] writes y, as large. A token with a
/// value that is not finite is lost, with all that see it: its logits are NaN, and lost() counts such values.
class transformer {
  public:
    /// Refuses a RoPE base or a norm's epsilon that is not finite and above zero.
    explicit transformer(const checkpoint& model) : model_{&model} {
        for (const float v : {model.config.rope_base, model.config.norm_eps}) {
            if (!study::is_finite(v) || !(v > 0)) {
                throw error("the RoPE base and the norms' epsilon must be finite and above 0, not ", v);
            }
        }
        const auto half = model.config.head_size() / 2;
        rope_.resize(static_cast<index>(model.config.seq_len), static_cast<index>(2 * half));
        for (index position = 0; position < rope_.rows(); ++position) {
            for (index i = 0; i < static_cast<index>(half); ++i) {
                const float exponent = static_cast<float>(2 * i) / static_cast<float>(2 * half);
                const float angle = static_cast<float>(position) / std::pow(model.config.rope_base, exponent);
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

        lost_.begin(tokens.size());
        for (std::size_t l = 0; l < c.n_layers; ++l) {
            const layer_weights& layer = model_->layers[l];
            detail::rms_norm(x_, layer.rms_att, c.norm_eps, normed_);
            detail::project(normed_, layer.wq, q_);
            detail::project(normed_, layer.wk, k_);
            detail::project(normed_, layer.wv, v_);
            rotate(q_);
            rotate(k_);
            for (const matrix* part : {&normed_, &q_, &k_, &v_}) {
                look(l, place::attention, *part);
            }
            attend();
            look(l, place::attention, attended_);
            lost_.attended();
            detail::project(attended_, layer.wo, y_);
            x_ += y_;
            look(l, place::behind_attention, x_);
            spoil(x_);

            detail::rms_norm(x_, layer.rms_ffn, c.norm_eps, normed_);
            y_.resizeLike(x_);
            ffn(l, std::as_const(normed_), y_);
            x_ += y_;
            look(l, place::behind_ffn, x_);
            spoil(x_);
        }
        detail::rms_norm(x_, model_->rms_final, c.norm_eps, normed_);
        detail::project(normed_, model_->classifier, logits_);
        look(c.n_layers, place{}, logits_);
        spoil(logits_);
        return logits_;
    }
    /// Of the pass that is under way: the FFN looks at its sites; and what was found in all of them.
    lost_tokens& lost() { return lost_; }

  private:
    using index = detail::index;

    void look(std::size_t layer, place where, const matrix& block) {
        const auto columns = static_cast<std::size_t>(block.cols());
        lost_.look(layer, where, block.data(), columns, columns);
    }
    /// What comes of a lost token is NaN, even where an activation or a mask would make a number of it.
    void spoil(matrix& block) const {
        for (index t = 0; lost_.any() && t < block.rows(); ++t) {
            if (lost_.is_lost(static_cast<std::size_t>(t))) {
                block.row(t).setConstant(study::not_a_float);
            }
        }
    }

    /// RoPE: within each head, the neighbours (2i, 2i + 1) turn by position / base^(2i / head_size).
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
                auto out = attended_.block(first, head * size, count, size);
                out.noalias() = weights_ * v;
                for (index t = 0; lost_.any() && t < count; ++t) { // 0 times a NaN of a later token is NaN
                    out.row(t).noalias() = weights_.row(t).head(first + t + 1) * v.topRows(first + t + 1);
                }
            }
        }
    }

    const checkpoint* model_;
    lost_tokens lost_;
    matrix rope_;                       // [seq_len x head_size]: cosine, sine of each pair in turn
    matrix x_, normed_, y_, q_, k_, v_; // blocks of tokens
    matrix weights_, attended_, logits_;
};

} // namespace app
