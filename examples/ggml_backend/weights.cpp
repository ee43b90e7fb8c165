#include "weights.hpp"

#include "interface.hpp"
#include "model_file.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string_view>

namespace tamis_ggml {
namespace {

/// A buffer type in the shape of the host's version of the interface.
struct versions_of_type {
    interface::buffer_type_2 of_2;
    interface::buffer_type_3 of_3;
    interface::buffer_type_6 of_6;
    ggml_backend_buffer_type_t type = nullptr;

    template <class Fill>
    void make(int api_version, Fill&& fill) {
        const auto make_one = [&](auto& t) {
            t = {};
            fill(t);
            type = reinterpret_cast<ggml_backend_buffer_type_t>(&t);
        };
        switch (api_version) {
            case 2: return make_one(of_2);
            case 3: return make_one(of_3);
            default: return make_one(of_6);
        }
    }
} of_weights, by_name;

/// A buffer of ours: for each weight what was made of it. Weights do not take the memory at their addresses, others do.
struct weights_buffer {
    void* addresses = nullptr;
    std::size_t size = 0;
    std::map<const void*, std::unique_ptr<laid_out_weight>> weights; // by address
    std::map<const void*, std::pair<std::vector<std::byte>, std::size_t>>
        parts; // of tensors that come in pieces
};
weights_buffer& held_by(ggml_backend_buffer_t b) {
    return *static_cast<weights_buffer*>(reinterpret_cast<interface::buffer_head*>(b)->context);
}

/// What a host puts into such a buffer beside weights (a cache, an adapter) lies there as anywhere.
bool is_weight(const ggml_tensor* t) {
    return t->view_src == nullptr && name_of_weight(t->name) &&
           ggml_backend_buffer_get_usage(t->buffer) == GGML_BACKEND_BUFFER_USAGE_WEIGHTS;
}

void take(weights_buffer& b, ggml_tensor* t, const void* data) {
    const weight_name name = *name_of_weight(t->name);
    const settings& s = asked();
    const bool is_down = name.which == weight_name::down;
    rule at_x = s.at(name.layer, is_down ? place::intermediate : place::input);
    if (is_down && !at_x) {
        at_x.name = "nonzero"; // for the single product, where the FFN can not be taken as one
    }
    const char* format =
        format_of(t->type); // a user may put here what tamis can not read: it stays the host's
    if (format == nullptr || best_kernels()->laid_out_format(format) == nullptr) {
        at_x = {};
    }
    const bool as_stored = !is_down && !at_x && format != nullptr && s.wants_whole_ffn(name.layer);
    b.weights[t->data] = lay_out_weight(t, data, at_x, as_stored, true);
    t->extra = b.weights[t->data].get();
}

void set_tensor(ggml_backend_buffer_t buffer, ggml_tensor* t, const void* data, std::size_t offset,
                std::size_t size) {
    if (!is_weight(t)) {
        std::memcpy(static_cast<std::byte*>(t->data) + offset, data, size);
        return;
    }
    weights_buffer& b = held_by(buffer);
    if (offset == 0 && size == ggml_nbytes(t)) {
        return take(b, t, data);
    }
    auto& [bytes, received] = b.parts[t->data];
    bytes.resize(ggml_nbytes(t));
    std::memcpy(bytes.data() + offset, data, size);
    received += size;
    if (received >= bytes.size()) {
        take(b, t, bytes.data());
        b.parts.erase(t->data);
    }
}
void get_tensor(ggml_backend_buffer_t, const ggml_tensor* t, void* data, std::size_t offset,
                std::size_t size) {
    if (const laid_out_weight* w = weight_of(t)) {
        ggml_backend_tensor_get(w->as_host, data, offset, size);
    } else {
        std::memcpy(data, static_cast<const std::byte*>(t->data) + offset, size);
    }
}
void free_buffer(ggml_backend_buffer_t buffer) {
    weights_buffer* b = &held_by(buffer);
    if (b->size != 0) {
        ::munmap(b->addresses, b->size);
    }
    delete b;
}
void* base_of(ggml_backend_buffer_t buffer) { return held_by(buffer).addresses; }
void set_bytes(ggml_backend_buffer_t, ggml_tensor* t, std::uint8_t value, std::size_t offset,
               std::size_t size) {
    std::memset(static_cast<std::byte*>(t->data) + offset, value, size);
}
void clear(ggml_backend_buffer_t buffer, std::uint8_t value) {
    std::memset(held_by(buffer).addresses, value, held_by(buffer).size);
}

const char* name_of_type(ggml_backend_buffer_type_t) { return "TAMIS"; }
std::size_t alignment_of(ggml_backend_buffer_type_t) { return 64; }
bool is_no_host(ggml_backend_buffer_type_t) { return false; }
ggml_backend_buffer_t new_buffer(ggml_backend_buffer_type_t of, std::size_t size) {
    auto b = std::make_unique<weights_buffer>();
    if (size != 0) { // addresses, for which no memory is taken until somebody writes there
        b->addresses =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (b->addresses == MAP_FAILED) {
            return nullptr;
        }
        b->size = size;
    }
    interface::buffer f {};
    f.free_buffer = free_buffer;
    f.get_base = base_of;
    f.memset_tensor = set_bytes;
    f.set_tensor = set_tensor;
    f.get_tensor = get_tensor;
    f.clear = clear;
    return interface::ggml_backend_buffer_init(of, f, b.release(), size);
}

/// The CPU's plain memory under its own name.
ggml_backend_buffer_type_t plain() {
    return ggml_backend_dev_buffer_type(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
}
const char* name_of_plain(ggml_backend_buffer_type_t) { return ggml_backend_buft_name(plain()); }
std::size_t alignment_of_plain(ggml_backend_buffer_type_t) {
    return ggml_backend_buft_get_alignment(plain());
}
bool is_a_host(ggml_backend_buffer_type_t) { return true; }
ggml_backend_buffer_t new_plain_buffer(ggml_backend_buffer_type_t, std::size_t size) {
    return ggml_backend_buft_alloc_buffer(plain(), size);
}

/// The buffer type in which the CPU is quickest with a weight: the first that takes it, as loaders choose it.
ggml_backend_buffer_type_t best_host_type(ggml_tensor* w, ggml_tensor* product) {
    const ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    const auto extra = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
        ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu),
                                          "ggml_backend_dev_get_extra_bufts"));
    for (ggml_backend_buffer_type_t* t = extra != nullptr ? extra(cpu) : nullptr;
         t != nullptr && *t != nullptr; ++t) {
        w->buffer = ggml_backend_buft_alloc_buffer(*t, 0);
        const bool takes = w->buffer != nullptr && ggml_backend_dev_supports_op(cpu, product);
        ggml_backend_buffer_free(w->buffer);
        w->buffer = nullptr;
        if (takes) {
            return *t;
        }
    }
    return ggml_backend_dev_buffer_type(cpu);
}

void make_host_form_of(laid_out_weight& w, const ggml_tensor* t, const void* data) {
    w.context.reset(ggml_init({4 * ggml_tensor_overhead(), nullptr, true}));
    ggml_context* c = w.context.get();
    w.as_host = ggml_new_tensor(c, t->type, GGML_MAX_DIMS, t->ne);
    ggml_set_name(w.as_host, t->name);
    ggml_tensor* x =
        ggml_new_tensor_4d(c, GGML_TYPE_F32, t->ne[0], w.name.experts ? 1 : 512, w.name.experts ? 512 : 1, 1);
    ggml_tensor* product =
        w.name.experts ? ggml_mul_mat_id(c, w.as_host, x, ggml_new_tensor_2d(c, GGML_TYPE_I32, 1, 512))
                       : ggml_mul_mat(c, w.as_host, x);
    const ggml_backend_buffer_type_t buft = best_host_type(w.as_host, product);
    w.buffer.reset(ggml_backend_buft_alloc_buffer(buft, ggml_backend_buft_get_alloc_size(buft, w.as_host)));
    ggml_backend_buffer_set_usage(w.buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    ggml_backend_tensor_alloc(w.buffer.get(), w.as_host, ggml_backend_buffer_get_base(w.buffer.get()));
    ggml_backend_tensor_set(w.as_host, data, 0, ggml_nbytes(t));
}

} // namespace

const char* format_of(ggml_type t) {
    switch (t) {
        case GGML_TYPE_F32: return "f32";
        case GGML_TYPE_F16: return "f16";
        case GGML_TYPE_BF16: return "bf16";
        case GGML_TYPE_Q8_0: return "q8_0";
        case GGML_TYPE_Q5_1: return "q5_1";
        case GGML_TYPE_Q5_0: return "q5_0";
        case GGML_TYPE_Q4_1: return "q4_1";
        case GGML_TYPE_Q4_0: return "q4_0";
        case GGML_TYPE_Q6_K: return "q6_k";
        case GGML_TYPE_Q5_K: return "q5_k";
        case GGML_TYPE_Q4_K: return "q4_k";
        case GGML_TYPE_Q3_K: return "q3_k";
        case GGML_TYPE_Q2_K: return "q2_k";
        case GGML_TYPE_IQ4_NL: return "iq4_nl";
        case GGML_TYPE_MXFP4: return "mxfp4";
        case GGML_TYPE_TQ2_0: return "tq2_0";
        default: return nullptr;
    }
}

bool laid_out_weight::is_stored() const {
    return !stored.empty() || (format != nullptr && as_host != nullptr && as_host->buffer != nullptr &&
                               ggml_backend_buffer_is_host(as_host->buffer));
}
kept_matrix laid_out_weight::kept() const {
    return {{format, stored.empty() ? as_host->data : stored.data(), rows, columns},
            at_x ? laid_out.bytes().data() : nullptr};
}

std::unique_ptr<laid_out_weight> lay_out_weight(const ggml_tensor* t, const void* data, rule at_x,
                                                bool keep_stored, bool make_host_form) {
    auto w = std::make_unique<laid_out_weight>();
    w->name = *name_of_weight(t->name);
    w->columns = static_cast<std::size_t>(t->ne[0]);
    w->rows = static_cast<std::size_t>(t->ne[1]);
    w->experts = static_cast<std::size_t>(t->ne[2]);
    w->format = format_of(t->type);
    w->at_x = at_x;
    if (make_host_form) {
        make_host_form_of(*w, t, data);
    }
    if (keep_stored && !(make_host_form && ggml_backend_buffer_is_host(w->buffer.get()))) {
        const auto* bytes = static_cast<const std::byte*>(data);
        w->stored.assign(bytes, bytes + ggml_nbytes(t));
    }
    if (at_x) {
        const kernels& k = *best_kernels();
        const auto expert = [&](std::size_t e) {
            return stored_matrix{w->format, static_cast<const std::byte*>(data) + e * t->nb[2], w->rows,
                                 w->columns};
        };
        const std::size_t bytes = k.laid_out_bytes(expert(0));
        w->laid_out = tamis::aligned_memory{w->experts * bytes};
        std::byte* const to = w->laid_out.bytes().data();
        for (std::size_t e = 0; e < w->experts; ++e) {
            k.lay_out(expert(e), to + e * bytes);
            w->products.emplace_back(k.new_product(expert(e), to + e * bytes, at_x));
        }
    }
    return w;
}

ggml_backend_buffer_type_t weights_buffer_type() { return of_weights.type; }
ggml_backend_buffer_type_t computing_buffer_type() { return asked().asked ? by_name.type : plain(); }
void make_buffer_types(int api_version, ggml_backend_dev_t computes, ggml_backend_dev_t holds_weights) {
    of_weights.make(api_version, [&](auto& t) {
        t.get_name = name_of_type;
        t.alloc_buffer = new_buffer;
        t.get_alignment = alignment_of;
        t.host = is_no_host;
        t.device = holds_weights;
    });
    by_name.make(api_version, [&](auto& t) {
        t.get_name = name_of_plain;
        t.alloc_buffer = new_plain_buffer;
        t.get_alignment = alignment_of_plain;
        t.host = is_a_host;
        t.device = computes;
    });
}
bool is_held(const ggml_tensor* t) {
    return t != nullptr && t->buffer != nullptr && ggml_backend_buffer_get_type(t->buffer) == of_weights.type;
}
laid_out_weight* weight_of(const ggml_tensor* t) {
    return is_held(t) && name_of_weight(t->name) ? static_cast<laid_out_weight*>(t->extra) : nullptr;
}

namespace {

/// An FFN of fewer bytes gains nothing by a rule where the host has AVX-512: to change between backends twice a layer takes as long
/// as a few hundred kilobytes do, and its own kernels read at the rate of memory (docs/llama.md has what was measured).
constexpr std::size_t least_ffn = 2'000'000;

bool is_too_small(std::size_t stored, const settings& s) {
    const bool measuring = s.all || s.prompts || s.turns;
    if (measuring || 3 * stored >= least_ffn ||
        !std::string_view{best_kernels()->level}.starts_with("x86_64_v4")) {
        return false;
    }
    char size[32];
    std::snprintf(size, sizeof size, "%.1f", 3e-6 * static_cast<double>(stored));
    say(std::string{"FFNs of "} + size +
        " MB a layer run dense: with AVX-512 rules win next to nothing on less than 2; TAMIS_ALL=1 takes them all the same");
    return true;
}

/// Whether a weight is quick enough as tamis lays it out. The K formats get eight bits, so that a mask has to leave out about half
/// before any time is won: exact zeros of a ReLU do, and what a rule leaves is not known. (What rows are padded with is no matter.)
bool pays(ggml_type type, std::size_t rows, std::size_t columns, const settings& s, const rule& at_x,
          bool is_expert = false) {
    const char* format = format_of(type);
    if (format == nullptr || best_kernels()->laid_out_format(format) == nullptr) {
        say(std::string{"weights of type "} + ggml_type_name(type) +
            " are left to the CPU backend: tamis does not read it");
        return false;
    }
    const std::size_t stored = ggml_row_size(type, static_cast<std::int64_t>(columns)) * rows;
    const std::size_t laid_out = best_kernels()->laid_out_bytes({format, nullptr, rows, columns});
    if (std::strcmp(at_x.name, "nonzero") == 0) {
        return true;
    }
    if (!is_expert && is_too_small(stored, s)) {
        return false;
    }
    if (s.all || laid_out <= stored + stored / 8) {
        return true;
    }
    say(std::string{"weights of type "} + ggml_type_name(type) +
        " run dense: laid out to be skipped they take more bytes than rules save; TAMIS_ALL=1 takes them all the same");
    return false;
}

} // namespace

bool wants(const ggml_tensor* product) {
    const ggml_tensor* w = product->src[0];
    const settings& s = asked();
    const auto name = w != nullptr ? name_of_weight(w->name) : std::nullopt;
    if (!s.asked || !name || !s.has_rule(name->layer) || !is_the_plans_model(s)) {
        return false;
    }
    const rule at_input = s.at(name->layer, place::input), at_down = s.at(name->layer, place::intermediate);
    const auto rows = static_cast<std::size_t>(w->ne[1]), columns = static_cast<std::size_t>(w->ne[0]);
    if (name->experts) {
        if (s.at(name->layer, place::gate) || s.at(name->layer, place::up)) {
            say(s.source +
                ": in experts, rules at gate and up are left out; those at the input and the intermediate hold");
        }
        const rule& at_x = name->which == weight_name::down ? at_down : at_input;
        return at_x && pays(w->type, rows, columns, s, at_x, true);
    }
    // What a gated FFN is made of as a whole is taken where its W_down can be.
    const std::string layer = "blk." + std::to_string(name->layer);
    const bool whole = s.wants_whole_ffn(name->layer) &&
                       (name->which == weight_name::gate || model_has(layer + ".ffn_gate.weight"));
    if (name->which == weight_name::down) {
        return (whole || at_down) && pays(w->type, rows, columns, s, at_down);
    }
    if (at_input) {
        return pays(w->type, rows, columns, s, at_input);
    }
    const ggml_type down = type_in_model(layer + ".ffn_down.weight").value_or(w->type);
    return whole && format_of(w->type) != nullptr && pays(down, columns, rows, s, at_down);
}

} // namespace tamis_ggml
