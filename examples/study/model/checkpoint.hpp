#pragma once

#include "error.hpp"
#include "input/file.hpp"

#include <tamis/study/figure.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace app {

/// The seven numbers at the head of a llama2.c v0 file, and two that it does not say.
struct model_config {
    std::size_t dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len;
    bool shared_classifier;     ///< the embedding is the classifier too (stored as vocab_size > 0)
    float rope_base = 10000.0f; ///< of the angles' wave lengths: finite, > 0
    float norm_eps = 1e-5f;     ///< what RMS norms add to the mean square: finite, > 0

    std::size_t head_size() const { return dim / n_heads; }
    std::size_t kv_dim() const { return n_kv_heads * head_size(); }
};

/// Matrices are [outputs x inputs], row-major, as they lie in the file.
struct layer_weights {
    std::span<const float> rms_att, wq, wk, wv, wo;
    std::span<const float> rms_ffn, w_gate, w_down, w_up;
};

class engine;

/// Views of a llama2.c v0 checkpoint; the bytes belong to the caller and have to outlive it. Or a model that an engine runs: its
/// sizes alone, and `runs_in`.
struct checkpoint {
    model_config config;
    std::span<const float> embedding; ///< [vocab_size x dim]
    std::vector<layer_weights> layers;
    std::span<const float> rms_final;
    std::span<const float> classifier; ///< [vocab_size x dim]
    std::shared_ptr<const engine> runs_in{};
};

namespace detail {

inline model_config read_config(reader& in, const std::string& name) {
    struct field {
        const char* name;
        std::int64_t most; // beyond it the file is foreign; also keeps every product of two within 64 bits
    };
    constexpr std::array<field, 7> fields{{{"dim", 1 << 16},
                                           {"hidden_dim", 1 << 18},
                                           {"n_layers", 1 << 10},
                                           {"n_heads", 1 << 12},
                                           {"n_kv_heads", 1 << 12},
                                           {"vocab_size", 1 << 22},
                                           {"seq_len", 1 << 20}}};
    const auto foreign = [&](const auto&... why) {
        return error(name, ": not a llama2.c v0 checkpoint: ", why...);
    };
    std::array<std::size_t, 7> value{};
    bool shared_classifier = true;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::size_t at = in.offset();
        std::int64_t v = in.take<std::int32_t>(line("header field ", fields[i].name));
        if (i == 0 && v == 0x616b3432) {
            throw foreign("magic \"ak42\" at byte 0 says version 1 or later");
        }
        if (i == 5 && v < 0) {
            shared_classifier = false;
            v = -v;
        }
        if (v < 1 || v > fields[i].most) {
            throw foreign("header field ", fields[i].name, " = ", v, " at byte ", at, " is not within 1 .. ",
                          fields[i].most);
        }
        value[i] = static_cast<std::size_t>(v);
    }
    const model_config c{value[0], value[1], value[2], value[3],
                         value[4], value[5], value[6], shared_classifier};
    if (c.dim % c.n_heads != 0 || c.head_size() % 2 != 0) {
        throw foreign("dim = ", c.dim, " does not give n_heads = ", c.n_heads, " heads of one even size");
    }
    if (c.n_heads % c.n_kv_heads != 0) {
        throw foreign("n_heads = ", c.n_heads, " is no multiple of n_kv_heads = ", c.n_kv_heads);
    }
    return c;
}

/// The number of floats behind the header.
inline std::uint64_t floats_in(const model_config& c) {
    const std::uint64_t attention = c.dim * c.dim * 2 + c.dim * c.kv_dim() * 2;
    const std::uint64_t ffn = c.dim * c.hidden_dim * 3;
    const std::uint64_t rope_tables = c.seq_len * c.head_size();
    return c.vocab_size * c.dim * (c.shared_classifier ? 1 : 2) + c.n_layers * (attention + ffn + 2 * c.dim) +
           c.dim + rope_tables;
}

} // namespace detail

namespace detail {

/// Refuses an array with a weight that is NaN or infinite: every figure of such a model would be about something else.
inline void need_finite(const std::string& file, const std::string& name, std::span<const float> weights,
                        std::size_t columns) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!tamis::study::is_finite(weights[i])) {
            const std::string where =
                columns == 0 ? std::string{} : line(" (row ", i / columns, ", column ", i % columns, ")");
            throw error(file, ": ", name, " has ", tamis::is_nan(weights[i]) ? "a NaN" : "an infinite weight",
                        " at index ", i, where, ", ", tamis::study::count_not_finite(weights),
                        " of its weights in all; a model is measured with finite weights only");
        }
    }
}

/// In the order of the file.
inline void need_finite(const std::string& file, const checkpoint& model) {
    const model_config& c = model.config;
    struct array {
        const char* name;
        std::span<const float> layer_weights::*weights;
        std::size_t columns; ///< 0: no matrix
    };
    const std::array<array, 9> of_layer{{{"rms_att", &layer_weights::rms_att, 0},
                                         {"wq", &layer_weights::wq, c.dim},
                                         {"wk", &layer_weights::wk, c.dim},
                                         {"wv", &layer_weights::wv, c.dim},
                                         {"wo", &layer_weights::wo, c.dim},
                                         {"rms_ffn", &layer_weights::rms_ffn, 0},
                                         {"w_gate (w1)", &layer_weights::w_gate, c.dim},
                                         {"w_down (w2)", &layer_weights::w_down, c.hidden_dim},
                                         {"w_up (w3)", &layer_weights::w_up, c.dim}}};
    need_finite(file, "the embedding", model.embedding, c.dim);
    for (const auto& a : of_layer) {
        for (std::size_t l = 0; l < model.layers.size(); ++l) {
            need_finite(file, line(a.name, " of layer ", l), model.layers[l].*a.weights, a.columns);
        }
    }
    need_finite(file, "rms_final", model.rms_final, 0);
    if (!c.shared_classifier) {
        need_finite(file, "the classifier", model.classifier, c.dim);
    }
}

} // namespace detail

/// Header, then float32 arrays, each for all layers in turn: embedding, rms_att, wq, wk, wv, wo, rms_ffn,
/// w1 (gate), w2 (down), w3 (up), rms_final, two RoPE tables (unused: computed), the classifier if separate. Refuses weights
/// that are not finite, by the first one's place.
inline checkpoint load_checkpoint(const source& from) {
    static_assert(std::endian::native == std::endian::little, "llama2.c files are little-endian");
    reader in{from};
    checkpoint model{};
    const model_config& c = model.config = detail::read_config(in, from.name);

    const std::uint64_t expected = in.offset() + sizeof(float) * detail::floats_in(c);
    if (from.bytes.size() != expected) {
        throw error(from.name, ": ", from.bytes.size() < expected ? "truncated" : "trailing bytes",
                    ": its header asks for ", expected, " bytes, the file has ", from.bytes.size());
    }

    const auto array = [&](std::size_t count) {
        const auto bytes = in.take_bytes(count * sizeof(float), "array");
        return std::span{reinterpret_cast<const float*>(bytes.data()), count};
    };
    const auto per_layer = [&](std::span<const float> layer_weights::*member, std::size_t count) {
        for (auto& layer : model.layers) {
            layer.*member = array(count);
        }
    };
    model.layers.resize(c.n_layers);
    model.embedding = array(c.vocab_size * c.dim);
    per_layer(&layer_weights::rms_att, c.dim);
    per_layer(&layer_weights::wq, c.dim * c.dim);
    per_layer(&layer_weights::wk, c.kv_dim() * c.dim);
    per_layer(&layer_weights::wv, c.kv_dim() * c.dim);
    per_layer(&layer_weights::wo, c.dim * c.dim);
    per_layer(&layer_weights::rms_ffn, c.dim);
    per_layer(&layer_weights::w_gate, c.hidden_dim * c.dim);
    per_layer(&layer_weights::w_down, c.dim * c.hidden_dim);
    per_layer(&layer_weights::w_up, c.hidden_dim * c.dim);
    model.rms_final = array(c.dim);
    array(c.seq_len * c.head_size());
    model.classifier = c.shared_classifier ? model.embedding : array(c.vocab_size * c.dim);
    in.expect_end("the last array");
    detail::need_finite(from.name, model);
    return model;
}

} // namespace app
