#pragma once

#include "ffn_weights.hpp"

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

// A dense gated FFN as llama.cpp computes it: ggml's graph of two products, SwiGLU and a third product, on its CPU backend.
// The same bytes of weights as ours, taken in turn like ours: once where they lie, and once for each buffer type of its own
// that ggml has for such weights here (CPU_REPACK and the like, to which set_tensor rewrites them). The quickest counts.
//
//     ggml_ffn& peer = ggml_ffn_for(memory, GGML_TYPE_Q4_0, h, d);   // makes its copies once for all rows of a shape
//     peer.prepare(x, tokens, threads);
//     for (std::size_t way = 0; way < peer.ways(); ++way) peer.seconds(way, copy), peer.name(way), peer.y(way, copy);
//
// ggml takes backends from shared libraries, and the one that suits the processor best. A program that was built for AVX2
// alone is compared with ggml's variant for AVX2; TAMIS_GGML_BACKEND=/path/libggml-cpu-X.so in the environment names another.
// With several threads both use the threads of one OpenMP runtime, which spin between calls for whoever comes next.

namespace ggml_peer {

struct freed {
    void operator()(ggml_context* c) const { ggml_free(c); }
    void operator()(ggml_backend* b) const { ggml_backend_free(b); }
    void operator()(ggml_backend_buffer* b) const { ggml_backend_buffer_free(b); }
};
using context = std::unique_ptr<ggml_context, freed>;
using backend = std::unique_ptr<ggml_backend, freed>;
using buffer = std::unique_ptr<ggml_backend_buffer, freed>;

/// ggml's device of CPUs.
inline ggml_backend_dev_t device() {
    static const ggml_backend_dev_t cpu = [] {
        ggml_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
        if (const char* const path = std::getenv("TAMIS_GGML_BACKEND")) {
            ggml_backend_load(path);
        }
#if defined(TAMIS_BENCH_GGML_AVX2) && defined(__AVX2__) && !defined(__AVX512F__)
        else {
            ggml_backend_load(TAMIS_BENCH_GGML_AVX2);
        }
#endif
        if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == nullptr) {
            ggml_backend_load_all();
        }
        return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    }();
    return cpu;
}

template <class Function>
Function procedure(const char* name) {
    ggml_backend_reg_t const registry = ggml_backend_dev_backend_reg(device());
    return reinterpret_cast<Function>(ggml_backend_reg_get_proc_address(registry, name));
}

/// "0.27.0: SSE3 AVX2 F16C ...": what the variant in use was compiled for.
inline std::string description() {
    if (device() == nullptr) {
        return "no CPU backend found";
    }
    std::string text = std::string{ggml_version()} + ":";
    if (const auto features = procedure<ggml_backend_get_features_t>("ggml_backend_get_features")) {
        ggml_backend_reg_t const registry = ggml_backend_dev_backend_reg(device());
        for (const ggml_backend_feature* f = features(registry); f->name != nullptr; ++f) {
            text += std::string{" "} + f->name +
                    (std::string{f->value} == "1" ? "" : std::string{"="} + f->value);
        }
    }
    return text;
}

inline context small_context() { return context{ggml_init({std::size_t{1} << 20, nullptr, true})}; }

/// The FFN of one copy of the weights in one buffer type.
class graph {
  public:
    graph(const weight_memory& memory, std::size_t copy, ggml_type type, std::size_t h, std::size_t d)
        : weights_{small_context()} {
        const auto width = static_cast<std::int64_t>(h);
        const auto neurons = static_cast<std::int64_t>(d);
        gate_ = ggml_new_tensor_2d(weights_.get(), type, width, neurons);
        up_ = ggml_new_tensor_2d(weights_.get(), type, width, neurons);
        down_ = ggml_new_tensor_2d(weights_.get(), type, neurons, width);
        std::size_t which = 0;
        for (ggml_tensor* const w : {gate_, up_, down_}) {
            data_[which] = const_cast<std::byte*>(memory.matrix(copy, which));
            bytes_ = std::max(bytes_, ggml_nbytes(w));
            ++which;
        }
    }
    /// The weights stay where they are, or go to a buffer type of their own.
    bool place(ggml_backend_buffer_type_t other) {
        std::size_t which = 0;
        if (other == nullptr) {
            const auto last = static_cast<std::size_t>(data_[2] - data_[0]) + ggml_nbytes(down_);
            buffer_.reset(ggml_backend_cpu_buffer_from_ptr(data_[0], last));
            for (ggml_tensor* const w : {gate_, up_, down_}) {
                ggml_backend_tensor_alloc(buffer_.get(), w, data_[which++]);
            }
            return true;
        }
        buffer_.reset(ggml_backend_alloc_ctx_tensors_from_buft(weights_.get(), other));
        if (buffer_ == nullptr) {
            return false;
        }
        ggml_backend_buffer_set_usage(buffer_.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
        for (ggml_tensor* const w : {gate_, up_, down_}) {
            ggml_backend_tensor_set(w, data_[which++], 0, ggml_nbytes(w));
        }
        return true;
    }
    /// The nodes for so many tokens.
    void build(std::span<const float> x, std::size_t tokens) {
        nodes_ = small_context();
        ggml_context* const c = nodes_.get();
        const auto columns = static_cast<std::int64_t>(tokens);
        ggml_tensor* const in = ggml_new_tensor_2d(c, GGML_TYPE_F32, gate_->ne[0], columns);
        ggml_tensor* const g = ggml_mul_mat(c, gate_, in);
        ggml_tensor* const u = ggml_mul_mat(c, up_, in);
        y_ = ggml_mul_mat(c, down_, ggml_swiglu_split(c, g, u));
        graph_ = ggml_new_graph(c);
        ggml_build_forward_expand(graph_, y_);
        activations_.reset(
            ggml_backend_alloc_ctx_tensors_from_buft(c, ggml_backend_dev_buffer_type(device())));
        ggml_backend_tensor_set(in, x.data(), 0, x.size_bytes());
    }
    bool compute(ggml_backend* on) { return ggml_backend_graph_compute(on, graph_) == GGML_STATUS_SUCCESS; }
    std::vector<float> y() const {
        std::vector<float> all(static_cast<std::size_t>(ggml_nelements(y_)));
        ggml_backend_tensor_get(y_, all.data(), 0, all.size() * sizeof(float));
        return all;
    }

    /// Whether ggml multiplies such weights from a buffer type.
    bool fits(ggml_backend_buffer_type_t type) const {
        const context c = small_context();
        ggml_tensor* const w = ggml_new_tensor_2d(c.get(), gate_->type, gate_->ne[0], gate_->ne[1]);
        const buffer none{ggml_backend_buft_alloc_buffer(type, 0)};
        w->buffer = none.get();
        ggml_tensor* const in = ggml_new_tensor_2d(c.get(), GGML_TYPE_F32, gate_->ne[0], 1);
        return ggml_backend_dev_supports_op(device(), ggml_mul_mat(c.get(), w, in));
    }

  private:
    context weights_, nodes_;
    buffer buffer_, activations_;
    ggml_tensor *gate_, *up_, *down_, *y_ = nullptr;
    ggml_cgraph* graph_ = nullptr;
    std::byte* data_[3] = {};
    std::size_t bytes_ = 0;
};

} // namespace ggml_peer

class ggml_ffn {
  public:
    ggml_ffn(const weight_memory& memory, ggml_type type, std::size_t h, std::size_t d)
        : backend_{ggml_backend_dev_init(ggml_peer::device(), nullptr)},
          set_threads_{ggml_peer::procedure<ggml_backend_set_n_threads_t>("ggml_backend_set_n_threads")} {
        add(memory, type, h, d, nullptr);
        const auto extra =
            ggml_peer::procedure<ggml_backend_dev_get_extra_bufts_t>("ggml_backend_dev_get_extra_bufts");
        if (extra == nullptr) {
            return;
        }
        for (auto* other = extra(ggml_peer::device()); other != nullptr && *other != nullptr; ++other) {
            if (ways_[0].copies[0].fits(*other)) {
                add(memory, type, h, d, *other);
            }
        }
    }

    /// Another block of tokens, or another number of threads.
    void prepare(std::span<const float> x, std::size_t tokens, std::size_t threads) {
        for (way& w : ways_) {
            for (ggml_peer::graph& g : w.copies) {
                g.build(x, tokens);
            }
        }
        set_threads_(backend_.get(), static_cast<int>(threads));
    }
    std::size_t ways() const { return ways_.size(); }
    /// "plain", or the buffer type in small letters.
    const std::string& name(std::size_t way) const { return ways_[way].name; }
    double seconds(std::size_t way, std::size_t copy) {
        ggml_peer::graph& g = ways_[way].copies[copy];
        return seconds_of([&] {
            if (!g.compute(backend_.get())) {
                std::fprintf(stderr, "bench_ffn: ggml failed (%s)\n", name(way).c_str());
                std::abort();
            }
        });
    }
    std::vector<float> y(std::size_t way, std::size_t copy) const { return ways_[way].copies[copy].y(); }

  private:
    struct way {
        std::string name;
        std::vector<ggml_peer::graph> copies;
    };

    void add(const weight_memory& memory, ggml_type type, std::size_t h, std::size_t d,
             ggml_backend_buffer_type_t other) {
        way w{"plain", {}};
        if (other != nullptr) {
            w.name = ggml_backend_buft_name(other);
            for (char& c : w.name) {
                c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            }
        }
        for (std::size_t copy = 0; copy < memory.copies(); ++copy) {
            w.copies.emplace_back(memory, copy, type, h, d);
            if (!w.copies.back().place(other)) {
                std::fprintf(stderr, "bench_ffn: no memory for ggml's %s\n", w.name.c_str());
                return;
            }
        }
        ways_.push_back(std::move(w));
    }

    ggml_peer::backend backend_;
    ggml_backend_set_n_threads_t set_threads_;
    std::vector<way> ways_;
};

/// Kept from row to row: repacking takes seconds.
inline ggml_ffn& ggml_ffn_for(const weight_memory& memory, ggml_type type, std::size_t h, std::size_t d) {
    static std::unique_ptr<ggml_ffn> kept;
    static std::vector<std::size_t> kept_for;
    std::vector<std::size_t> wanted{memory.number(), static_cast<std::size_t>(type), h, d};
    if (kept_for != wanted) {
        kept.reset();
        kept = std::make_unique<ggml_ffn>(memory, type, h, d);
        kept_for = std::move(wanted);
    }
    return *kept;
}
