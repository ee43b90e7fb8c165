#pragma once

#include "../support.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// A llama2.c checkpoint and its tokenizer as one GGUF file, version 3, weights in float32: what llama.cpp makes of it has to be what
// tamis-study computes by itself.

namespace study_test {

class gguf_writer {
  public:
    enum type : std::uint32_t { u32 = 4, i32 = 5, f32 = 6, boolean = 7, text = 8, list = 9 };

    void key(const std::string& name, std::uint32_t value) { begin(name, u32).add(value); }
    void key(const std::string& name, float value) { begin(name, f32).add(value); }
    void key(const std::string& name, bool value) {
        begin(name, boolean).add(static_cast<std::uint8_t>(value));
    }
    void key(const std::string& name, const std::string& value) {
        begin(name, text);
        put(keys_, value);
    }
    void key(const std::string& name, const std::vector<std::string>& values) {
        begin(name, list).add(std::uint32_t{text}).add(std::uint64_t{values.size()});
        for (const std::string& v : values) {
            put(keys_, v);
        }
    }
    template <class T>
    void key(const std::string& name, const std::vector<T>& values, type of) {
        begin(name, list).add(std::uint32_t{of}).add(std::uint64_t{values.size()});
        for (const T v : values) {
            keys_.add(v);
        }
    }
    /// Sizes from the innermost on.
    void tensor(const std::string& name, const std::vector<std::uint64_t>& sizes,
                const std::vector<float>& values) {
        put(infos_, name);
        infos_.add(static_cast<std::uint32_t>(sizes.size()));
        for (const std::uint64_t n : sizes) {
            infos_.add(n);
        }
        infos_.add(std::uint32_t{0}).add(std::uint64_t{values_.data.size()}); // float32, where it begins
        for (const float v : values) {
            values_.add(v);
        }
        pad(values_);
        ++tensors_;
    }
    bytes file() const {
        bytes all;
        all.add_text("GGUF").add(std::uint32_t{3}).add(tensors_).add(keys_count_);
        all.data.insert(all.data.end(), keys_.data.begin(), keys_.data.end());
        all.data.insert(all.data.end(), infos_.data.begin(), infos_.data.end());
        pad(all);
        all.data.insert(all.data.end(), values_.data.begin(), values_.data.end());
        return all;
    }

  private:
    bytes& begin(const std::string& name, type of) {
        put(keys_, name);
        ++keys_count_;
        return keys_.add(std::uint32_t{of});
    }
    static void put(bytes& to, const std::string& s) { to.add(std::uint64_t{s.size()}).add_text(s); }
    static void pad(bytes& to) { to.data.resize((to.data.size() + 31) / 32 * 32); }

    bytes keys_, infos_, values_;
    std::uint64_t tensors_ = 0, keys_count_ = 0;
};

struct gguf_options {
    std::size_t experts = 0, experts_used = 0; ///< each expert is the checkpoint's FFN
    std::string architecture = "llama";
    bool without_ffn_norm = false;
};

inline bytes make_gguf(const app::source& checkpoint, const app::source& tokenizer,
                       const gguf_options& o = {}) {
    const app::checkpoint m = app::load_checkpoint(checkpoint);
    const app::model_config& c = m.config;
    gguf_writer w;
    const auto key = [&](const std::string& name, auto value) { w.key(o.architecture + "." + name, value); };
    const auto count = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
    w.key("general.architecture", o.architecture);
    w.key("general.name", std::string{"a checkpoint"});
    key("context_length", count(c.seq_len));
    key("embedding_length", count(c.dim));
    key("block_count", count(c.n_layers));
    key("feed_forward_length", count(c.hidden_dim));
    key("attention.head_count", count(c.n_heads));
    key("attention.head_count_kv", count(c.n_kv_heads));
    key("attention.layer_norm_rms_epsilon", c.norm_eps);
    key("rope.dimension_count", count(c.head_size()));
    key("rope.freq_base", c.rope_base);
    key("vocab_size", count(c.vocab_size));
    if (o.experts != 0) {
        key("expert_count", count(o.experts));
        key("expert_used_count", count(o.experts_used));
    }
    app::reader in{tokenizer};
    in.take<std::int32_t>("longest");
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> types;
    for (std::size_t id = 0; id < c.vocab_size; ++id) {
        scores.push_back(in.take<float>("score"));
        const auto length = static_cast<std::size_t>(in.take<std::int32_t>("length"));
        const auto piece = in.take_bytes(length, "piece");
        std::string text;
        for (const std::byte b : piece) {
            text += b == std::byte{' '} ? std::string{"\xE2\x96\x81"} : std::string(1, static_cast<char>(b));
        }
        if (id >= 3 && id < 259) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(id - 3));
            text = name;
        }
        tokens.push_back(id == 0 ? "<unk>" : id == 1 ? "<s>" : id == 2 ? "</s>" : text);
        types.push_back(id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1);
    }
    w.key("tokenizer.ggml.model", std::string{"llama"});
    w.key("tokenizer.ggml.tokens", tokens);
    w.key("tokenizer.ggml.scores", scores, gguf_writer::f32);
    w.key("tokenizer.ggml.token_type", types, gguf_writer::i32);
    w.key("tokenizer.ggml.bos_token_id", std::uint32_t{1});
    w.key("tokenizer.ggml.eos_token_id", std::uint32_t{2});
    w.key("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
    w.key("tokenizer.ggml.add_bos_token", true);
    w.key("tokenizer.ggml.add_space_prefix", true);

    const auto tensor = [&](const std::string& name, std::vector<std::uint64_t> sizes,
                            std::span<const float> values, std::size_t times = 1) {
        std::vector<float> all;
        for (std::size_t k = 0; k < times; ++k) {
            all.insert(all.end(), values.begin(), values.end());
        }
        w.tensor(name, sizes, all);
    };
    tensor("token_embd.weight", {c.dim, c.vocab_size}, m.embedding);
    tensor("output_norm.weight", {c.dim}, m.rms_final);
    if (!c.shared_classifier) {
        tensor("output.weight", {c.dim, c.vocab_size}, m.classifier);
    }
    for (std::size_t l = 0; l < c.n_layers; ++l) {
        const auto name = [&](const char* part) {
            return "blk." + std::to_string(l) + "." + part + ".weight";
        };
        const app::layer_weights& x = m.layers[l];
        tensor(name("attn_norm"), {c.dim}, x.rms_att);
        tensor(name("attn_q"), {c.dim, c.dim}, x.wq);
        tensor(name("attn_k"), {c.dim, c.kv_dim()}, x.wk);
        tensor(name("attn_v"), {c.dim, c.kv_dim()}, x.wv);
        tensor(name("attn_output"), {c.dim, c.dim}, x.wo);
        tensor(name("ffn_norm"), {c.dim}, x.rms_ffn);
        if (o.experts == 0) {
            tensor(name("ffn_gate"), {c.dim, c.hidden_dim}, x.w_gate);
            tensor(name("ffn_up"), {c.dim, c.hidden_dim}, x.w_up);
            tensor(name("ffn_down"), {c.hidden_dim, c.dim}, x.w_down);
        } else {
            tensor(name("ffn_gate_inp"), {c.dim, o.experts}, x.wq.first(c.dim * o.experts));
            tensor(name("ffn_gate_exps"), {c.dim, c.hidden_dim, o.experts}, x.w_gate, o.experts);
            tensor(name("ffn_up_exps"), {c.dim, c.hidden_dim, o.experts}, x.w_up, o.experts);
            tensor(name("ffn_down_exps"), {c.hidden_dim, c.dim, o.experts}, x.w_down, o.experts);
        }
    }
    return w.file();
}

} // namespace study_test
