#pragma once

#include "settings.hpp"
#include "weight_name.hpp"

#include <ggml-backend.h>
#include <ggml.h>
#include <tamis/workspace.hpp>

#include <memory>
#include <optional>

namespace tamis_ggml {

/// tamis's name of a ggml type; null for one that tamis does not read.
const char* format_of(ggml_type type);

struct free_buffer_of {
    void operator()(ggml_backend_buffer_t b) const { ggml_backend_buffer_free(b); }
};
struct free_context_of {
    void operator()(ggml_context* c) const { ggml_free(c); }
};

/// A weight that masks can skip parts of, beside the host's own form of it, which prompts use.
struct laid_out_weight {
    weight_name name;
    std::size_t columns, rows, experts; // as ggml stores it: a row an output
    const char* format;
    rule at_x;                                        // of its products; none: kept for the whole FFN alone
    std::vector<std::byte> stored;                    // as the file has it, where the host's form is another
    tamis::aligned_memory laid_out;                   // with a row an input
    std::vector<std::unique_ptr<operation>> products; // one an expert
    ggml_tensor* as_host = nullptr;                   // in the layout that the host is quickest with

    /// Whether its weights are there as the file has them.
    bool is_stored() const;
    /// What a whole FFN is made of: laid out where a rule wants it, else as the file has it (no matrix of experts).
    kept_matrix kept() const;

    std::unique_ptr<ggml_context, free_context_of> context;
    std::unique_ptr<std::remove_pointer_t<ggml_backend_buffer_t>, free_buffer_of> buffer;
};
/// Makes one of the bytes of a tensor. The host's form is made by the host's own functions, unless the tensor is that itself.
std::unique_ptr<laid_out_weight> lay_out_weight(const ggml_tensor* t, const void* data, rule at_x,
                                                bool keep_stored, bool make_host_form);

/// The buffer type that lends itself for weights that rules are about, and the weight of a tensor in such a buffer.
ggml_backend_buffer_type_t weights_buffer_type();
/// The buffer type of the device that computes: the CPU's plain memory. Where there are rules it is one of our own by the same name,
/// which hosts find last: what a user places by it (-ot ffn_down=CPU) goes there. By the CPU's own type he would have no say,
/// since hosts then try every type that the CPU can read, and that of weights is the first.
ggml_backend_buffer_type_t computing_buffer_type();
void make_buffer_types(int api_version, ggml_backend_dev_t computes, ggml_backend_dev_t holds_weights);
laid_out_weight* weight_of(const ggml_tensor* t);
/// Whether it lies there, or will: hosts also plan without loading.
bool is_held(const ggml_tensor* t);
/// Whether the buffer type wants a weight: that of a product that a loader tries.
bool wants(const ggml_tensor* product);

} // namespace tamis_ggml
