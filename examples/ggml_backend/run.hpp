#pragma once

#include "turns.hpp"
#include "weights.hpp"

#include <map>
#include <set>
#include <unordered_map>

namespace tamis_ggml {

/// Tokens up to which a product reads active rows alone; more are a prompt, which the host's own kernels do.
inline constexpr std::int64_t few_tokens = 4;

/// Whether this backend takes a node of a graph.
bool takes(const ggml_tensor* node);

/// One backend instance, which a context of the host has for itself: a CPU backend of its own, whose threads run what the host
/// gives to it, with nodes of tamis in the place of some.
class instance {
  public:
    instance();
    ~instance();
    instance(const instance&) = delete;
    instance& operator=(const instance&) = delete;

    ggml_status compute(ggml_cgraph* graph);
    void set_threads(int count);
    ggml_backend_t cpu() const { return cpu_; }

  private:
    struct job;
    struct whole_ffn {
        int gate, up, activation, down;
    };

    ggml_tensor* made_of(ggml_tensor* node, job j);
    ggml_tensor* in_place_of(ggml_tensor* node, bool by_host);
    turns* turns_of(ggml_cgraph* graph);
    laid_out_weight* weight_for(const ggml_tensor* w);
    operation* ffn_for(const laid_out_weight& gate, const laid_out_weight& up, const laid_out_weight& down,
                       const ggml_tensor* activation);
    std::optional<whole_ffn> ffn_at(ggml_cgraph* graph, int down);
    counts* counts_of(const laid_out_weight& w);
    void print_statistics() const;
    void print_turns() const;
    static void run_job(ggml_tensor* y, int ith, int nth, void* which);

    ggml_backend_t cpu_ = nullptr;
    int threads_ = GGML_DEFAULT_N_THREADS;
    std::unique_ptr<crew> crew_;
    std::unique_ptr<ggml_context, free_context_of> nodes_;
    std::vector<std::unique_ptr<job>> jobs_;
    std::size_t used_jobs_ = 0;
    std::vector<std::byte> memory_;
    std::unordered_map<const operation*, std::size_t> most_tokens_;
    std::map<const void*, std::unique_ptr<laid_out_weight>> own_; // of weights that lie with the host
    std::map<const void*, std::unique_ptr<operation>> ffns_;      // by W_down
    std::map<std::size_t, counts> seen_;                          // by layer
    std::map<std::size_t, std::map<const void*, turns>> turns_;   // by layer and weight
    std::set<const void*> called_;                                // weights that were used before
};

} // namespace tamis_ggml
