#include "run.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

extern "C" bool ggml_can_fuse_subgraph_ext(const ggml_cgraph*, const int*, int, const ggml_op*, const int*,
                                           int);

namespace tamis_ggml {
namespace {

bool is_product(const ggml_tensor* t) {
    return t != nullptr && (t->op == GGML_OP_MUL_MAT || t->op == GGML_OP_MUL_MAT_ID);
}
std::int64_t tokens_of(const ggml_tensor* product) {
    return product->ne[product->op == GGML_OP_MUL_MAT ? 1 : 2];
}

/// Rows of floats, as products of tamis take them.
bool is_plain(const ggml_tensor* t) {
    return t->type == GGML_TYPE_F32 && t->nb[0] == sizeof(float) && t->nb[1] % sizeof(float) == 0;
}
bool is_few(const ggml_tensor* product) {
    const bool shape = product->op == GGML_OP_MUL_MAT_ID || (product->ne[2] == 1 && product->ne[3] == 1);
    return shape && is_plain(product->src[1]) && is_plain(product) &&
           (tokens_of(product) <= few_tokens || asked().prompts);
}

/// Whether a vector has exact zeros by the way it is made: a ReLU goes before, and all that follows leaves zeros as they are.
bool has_exact_zeros(const ggml_tensor* t, int depth = 8) {
    if (t == nullptr || depth == 0) {
        return false;
    }
    const auto any = [&](int i) { return has_exact_zeros(t->src[i], depth - 1); };
    switch (t->op) {
        case GGML_OP_GLU: return ggml_get_glu_op(t) == GGML_GLU_OP_REGLU || any(0) || any(1);
        case GGML_OP_MUL: return any(0) || any(1);
        case GGML_OP_SQR:
        case GGML_OP_RESHAPE:
        case GGML_OP_VIEW:
        case GGML_OP_CONT: return any(0);
        case GGML_OP_UNARY:
            switch (ggml_get_unary_op(t)) {
                case GGML_UNARY_OP_RELU: return true;
                case GGML_UNARY_OP_GELU:
                case GGML_UNARY_OP_GELU_ERF:
                case GGML_UNARY_OP_GELU_QUICK:
                case GGML_UNARY_OP_SILU: return any(0);
                default: return false;
            }
        default: return false;
    }
}

/// A weight of an FFN that lies with the host as the file has it.
bool lies_with_host(const ggml_tensor* w) {
    return w != nullptr && w->buffer != nullptr && w->view_src == nullptr && name_of_weight(w->name) &&
           format_of(w->type) != nullptr && ggml_is_contiguous(w) && ggml_backend_buffer_is_host(w->buffer) &&
           ggml_backend_buffer_get_usage(w->buffer) == GGML_BACKEND_BUFFER_USAGE_WEIGHTS;
}

/// W_gate and W_up of ReGLU FFNs: a graph shows them with the product of W_down, which is asked about later than theirs.
class known_weights {
  public:
    void add(const ggml_tensor* w) {
        const std::lock_guard lock{one_at_a_time_};
        weights_.insert(w);
    }
    bool has(const ggml_tensor* w) {
        const std::lock_guard lock{one_at_a_time_};
        return weights_.contains(w);
    }

  private:
    std::mutex one_at_a_time_;
    std::set<const void*> weights_;
} of_relu;

/// An activation node of two products, one of which it takes through sigma.
bool is_glu_of_products(const ggml_tensor* t) {
    const auto is_plain_product = [](const ggml_tensor* p) {
        return p != nullptr && p->op == GGML_OP_MUL_MAT;
    };
    return t != nullptr && t->op == GGML_OP_GLU && is_plain_product(t->src[0]) &&
           is_plain_product(t->src[1]) && t->src[0]->src[1] == t->src[1]->src[1];
}
std::optional<gating> gating_of(const ggml_tensor* glu) {
    switch (ggml_get_glu_op(glu)) {
        case GGML_GLU_OP_REGLU: return gating::relu;
        case GGML_GLU_OP_SWIGLU: return gating::silu;
        case GGML_GLU_OP_GEGLU: return gating::gelu_tanh;
        case GGML_GLU_OP_GEGLU_ERF: return gating::gelu_erf;
        default: return {};
    }
}

/// A weight of a gate or of up that a whole FFN can be made of.
bool serves_whole_ffn(const ggml_tensor* w) {
    const laid_out_weight* ours = weight_of(w);
    return ours != nullptr ? ours->at_x || ours->is_stored() : of_relu.has(w) && lies_with_host(w);
}

/// Bytes that are read of a weight in a whole FFN, over those that the file has.
double read_bytes(const laid_out_weight& w) {
    return static_cast<double>(w.at_x ? w.laid_out.size() : ggml_nbytes(w.as_host));
}

/// Whether a node has to do with what lies in a buffer of ours, which nobody else reads.
bool touches_held(const ggml_tensor* node) {
    const auto lies = [](const ggml_tensor* t) {
        return t != nullptr && (is_held(t) || (t->view_src != nullptr && is_held(t->view_src)));
    };
    return lies(node) || std::any_of(std::begin(node->src), std::end(node->src), lies);
}

double share(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

} // namespace

bool takes(const ggml_tensor* node) {
    if (node->op == GGML_OP_GLU && !touches_held(node)) {
        return is_glu_of_products(node) && gating_of(node) && serves_whole_ffn(node->src[0]->src[0]) &&
               serves_whole_ffn(node->src[1]->src[0]) && takes(node->src[0]) && takes(node->src[1]);
    }
    const bool by_floats = is_product(node) && node->src[1] != nullptr && node->src[1]->type == GGML_TYPE_F32;
    if (touches_held(node)) {
        return (by_floats && is_held(node->src[0]) && name_of_weight(node->src[0]->name)) ||
               ggml_backend_dev_supports_op(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU), node);
    }
    if (!by_floats) {
        return false;
    }
    const ggml_tensor* w = node->src[0];
    const auto name = name_of_weight(w->name);
    if (!name || asked().has_rule(name->layer)) {
        return false;
    }
    if (name->which != weight_name::down) {
        return node->op == GGML_OP_MUL_MAT && of_relu.has(w) && lies_with_host(w) && is_few(node);
    }
    if (!has_exact_zeros(node->src[1])) {
        return false;
    }
    if (!lies_with_host(w)) {
        say(std::string{"W_down of type "} + ggml_type_name(w->type) +
            " could skip exact zeros, but the CPU backend holds it in a layout of its own (or tamis does not read it): "
            "TAMIS_RULE=nonzero takes such weights first");
        return false;
    }
    if (is_glu_of_products(node->src[1])) {
        of_relu.add(node->src[1]->src[0]->src[0]);
        of_relu.add(node->src[1]->src[1]->src[0]);
    }
    return is_few(node);
}

struct instance::job {
    instance* self;
    const operation* whole; // an FFN, or:
    const laid_out_weight* product;
    const ggml_tensor *x, *experts; // of a product of experts, which token takes which
    ggml_tensor* y;
    counts* seen;
    double scale; // bytes as the file has them over those as laid out
};

instance::instance()
    : cpu_{ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr)},
      crew_{best_kernels()->new_crew(static_cast<std::size_t>(threads_))} {}
instance::~instance() {
    print_statistics();
    ggml_backend_free(cpu_);
}

void instance::set_threads(int count) {
    if (std::exchange(threads_, count) == count) { // hosts say it with every decode
        return;
    }
    crew_.reset(best_kernels()->new_crew(static_cast<std::size_t>(count)));
    most_tokens_.clear();
    const auto set = reinterpret_cast<ggml_backend_set_n_threads_t>(
        ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(ggml_backend_get_device(cpu_)),
                                          "ggml_backend_set_n_threads"));
    if (set != nullptr) {
        set(cpu_, count);
    }
}

/// What is held of a weight: laid out when the model was loaded, or now, at its first use.
laid_out_weight* instance::weight_for(const ggml_tensor* w) {
    if (laid_out_weight* ours = weight_of(w)) {
        return ours;
    }
    if (!lies_with_host(w)) {
        return nullptr;
    }
    auto& own = own_[w];
    if (own == nullptr) {
        const bool is_down = name_of_weight(w->name)->which == weight_name::down;
        own = lay_out_weight(w, w->data, {is_down ? "nonzero" : "", 0, nullptr}, false, false);
        own->as_host = const_cast<ggml_tensor*>(w);
    }
    return own.get();
}

operation* instance::ffn_for(const laid_out_weight& gate, const laid_out_weight& up,
                             const laid_out_weight& down, const ggml_tensor* activation) {
    auto& ffn = ffns_[&down];
    if (ffn == nullptr) {
        rule at[places];
        for (std::size_t i = 0; i < places; ++i) {
            at[i] = asked().at(down.name.layer, static_cast<place>(i));
        }
        if (!asked().has_rule(down.name.layer)) {
            at[static_cast<std::size_t>(place::gate)].name = "nonzero";
        }
        ffn.reset(best_kernels()->new_ffn(gate.kept(), up.kept(), down.kept(), *gating_of(activation), at));
    }
    return ffn.get();
}

/// The FFN that ends in a product, where nobody else reads what lies between: no adapter, no observer.
std::optional<instance::whole_ffn> instance::ffn_at(ggml_cgraph* graph, int down) {
    const ggml_tensor* y = ggml_graph_node(graph, down);
    const ggml_tensor* activation = y->src[1];
    const auto name = name_of_weight(y->src[0]->name);
    if (!name || (asked().has_rule(name->layer) && !asked().wants_whole_ffn(name->layer))) {
        return {};
    }
    if (y->op != GGML_OP_MUL_MAT || !is_few(y) || !is_glu_of_products(activation) || !gating_of(activation) ||
        !serves_whole_ffn(activation->src[0]->src[0]) || !serves_whole_ffn(activation->src[1]->src[0]) ||
        !is_few(activation->src[0]) || !is_few(activation->src[1])) {
        return {};
    }
    const auto index = [&](const ggml_tensor* t) {
        for (int i = down - 1; i >= 0; --i) {
            if (ggml_graph_node(graph, i) == t) {
                return i;
            }
        }
        return -1;
    };
    const whole_ffn f{index(activation->src[0]), index(activation->src[1]), index(activation), down};
    const int nodes[] = {(std::min)(f.gate, f.up), (std::max)(f.gate, f.up), f.activation, down};
    const ggml_op ops[] = {GGML_OP_MUL_MAT, GGML_OP_MUL_MAT, GGML_OP_GLU, GGML_OP_MUL_MAT};
    return nodes[0] >= 0 && f.activation >= 0 && ggml_can_fuse_subgraph_ext(graph, nodes, 4, ops, &down, 1)
               ? std::optional{f}
               : std::nullopt;
}

/// A weight's first call is not counted: hosts warm up by it.
counts* instance::counts_of(const laid_out_weight& w) {
    const bool first = called_.insert(&w).second;
    return asked().statistics && !first ? &seen_[w.name.layer] : nullptr;
}

void instance::run_job(ggml_tensor*, int ith, int nth, void* which) {
    const job& j = *static_cast<const job*>(which);
    counts seen;
    const auto row = [](const ggml_tensor* t, std::int64_t column, std::int64_t token) {
        return reinterpret_cast<float*>(static_cast<char*>(t->data) +
                                        static_cast<std::size_t>(column) * t->nb[1] +
                                        static_cast<std::size_t>(token) * t->nb[2]);
    };
    const auto enter = [&](const operation& o, const float* x, float* y, std::size_t tokens,
                           std::span<std::byte> memory) {
        o.enter(*j.self->crew_, static_cast<std::size_t>(ith), static_cast<std::size_t>(nth),
                {x, y, j.x->nb[1] / sizeof(float), j.y->nb[1] / sizeof(float), tokens, memory, &seen});
    };
    const std::span<std::byte> memory{j.self->memory_};
    if (j.whole != nullptr) { // y may have x's address
        const std::size_t bytes = static_cast<std::size_t>(j.x->ne[1]) * j.x->nb[1];
        if (ith == 0) {
            std::memcpy(memory.data(), j.x->data, bytes);
        }
        enter(*j.whole, reinterpret_cast<const float*>(memory.data()), row(j.y, 0, 0),
              static_cast<std::size_t>(j.x->ne[1]), memory.subspan(bytes));
    } else if (j.experts == nullptr) {
        enter(*j.product->products[0], row(j.x, 0, 0), row(j.y, 0, 0), static_cast<std::size_t>(j.x->ne[1]),
              memory);
    } else {
        for (std::int64_t token = 0; token < j.y->ne[2]; ++token) {
            for (std::int64_t slot = 0; slot < j.y->ne[1]; ++slot) {
                const auto expert = *reinterpret_cast<const std::int32_t*>(
                    static_cast<const char*>(j.experts->data) +
                    static_cast<std::size_t>(token) * j.experts->nb[1] +
                    static_cast<std::size_t>(slot) * j.experts->nb[0]);
                enter(*j.product->products[static_cast<std::size_t>(expert)],
                      row(j.x, slot % j.x->ne[1], token), row(j.y, slot, token), 1, memory);
            }
        }
    }
    if (ith == 0 && j.seen != nullptr) {
        for (std::size_t i = 0; i < places; ++i) { // a product counts at its own place
            const bool is_down = j.whole != nullptr || j.product->name.which == weight_name::down;
            const std::size_t from = is_down ? i : i == 0 ? places - 1 : i - 1;
            j.seen->entries[i] += is_down || i == 0 ? seen.entries[from] : 0;
            j.seen->active[i] += is_down || i == 0 ? seen.active[from] : 0;
        }
        j.seen->bytes += static_cast<std::uint64_t>(j.scale * static_cast<double>(seen.bytes));
        j.seen->read += seen.read;
    }
}

/// A node that runs a job in the place of the host's.
ggml_tensor* instance::made_of(ggml_tensor* node, job j) {
    if (used_jobs_ == jobs_.size()) {
        jobs_.push_back(std::make_unique<job>());
    }
    job& kept = *jobs_[used_jobs_++] = j;
    const auto tokens = static_cast<std::size_t>(j.experts != nullptr ? 1 : j.x->ne[1]);
    const operation& o = j.whole != nullptr ? *j.whole : *j.product->products[0];
    std::size_t& most = most_tokens_[&o]; // for which there is memory
    if (most < tokens) {
        most = tokens;
        memory_.resize((std::max)(memory_.size(), o.memory(static_cast<std::size_t>(threads_), tokens) +
                                                      tokens * j.x->nb[1]));
    }
    ggml_tensor* args[] = {const_cast<ggml_tensor*>(j.x)};
    ggml_tensor* made = ggml_custom_4d(nodes_.get(), node->type, node->ne[0], node->ne[1], node->ne[2],
                                       node->ne[3], args, 1, run_job, GGML_N_TASKS_MAX, &kept);
    made->data = node->data;
    made->buffer = node->buffer;
    made->flags = node->flags;
    std::memcpy(made->name, node->name, sizeof made->name);
    return made;
}

/// What computes a product: the host's own node, or one of ours.
ggml_tensor* instance::in_place_of(ggml_tensor* node, bool by_host) {
    const bool is_masked = is_few(node) && !by_host;
    laid_out_weight* w = is_masked ? weight_for(node->src[0]) : weight_of(node->src[0]);
    if (w == nullptr) {
        return node;
    }
    if (is_masked && !w->products.empty()) {
        const double scale =
            static_cast<double>(ggml_nbytes(w->as_host)) / static_cast<double>(w->laid_out.size());
        return made_of(node,
                       {this, nullptr, w, node->src[1],
                        node->op == GGML_OP_MUL_MAT_ID ? node->src[2] : nullptr, node, counts_of(*w), scale});
    }
    ggml_tensor* made = ggml_new_tensor(nodes_.get(), node->type, GGML_MAX_DIMS, node->ne);
    *made = *node;
    made->src[0] = w->as_host; // the host's kernels on the host's own form of the weight
    return made;
}

/// The turns of what a graph computes: of one token, and where they are asked for.
turns* instance::turns_of(ggml_cgraph* graph) {
    if (!asked().turns) {
        return nullptr;
    }
    for (int i = 0; i < ggml_graph_n_nodes(graph); ++i) {
        const ggml_tensor* node = ggml_graph_node(graph, i);
        if (is_product(node) && name_of_weight(node->src[0]->name)) {
            return is_few(node) && tokens_of(node) == 1
                       ? &turns_[name_of_weight(node->src[0]->name)->layer][node->src[0]]
                       : nullptr;
        }
    }
    return nullptr;
}

/// The host's graph runs on the host's kernels, with nodes of ours in the place of some until it is done.
ggml_status instance::compute(ggml_cgraph* graph) {
    turns* const timed = turns_of(graph);
    const bool by_host = timed != nullptr && timed->is_hosts();
    const auto start = std::chrono::steady_clock::now();
    const int count = ggml_graph_n_nodes(graph);
    const auto size = static_cast<std::size_t>(count);
    const std::size_t bytes = ggml_tensor_overhead() * size + 1024;
    if (nodes_ == nullptr || ggml_get_mem_size(nodes_.get()) < bytes) {
        nodes_.reset(ggml_init({2 * bytes, nullptr, true}));
    }
    ggml_reset(nodes_.get());
    used_jobs_ = 0;
    ggml_tensor** const nodes = ggml_graph_nodes(graph);
    std::vector<std::pair<int, ggml_tensor*>> replaced;
    for (int i = 0; i < count; ++i) {
        if (!is_product(nodes[i])) {
            continue;
        }
        const auto f = by_host ? std::optional<whole_ffn>{} : ffn_at(graph, i);
        const laid_out_weight* const held = f ? weight_for(nodes[i]->src[0]) : nullptr;
        if (held != nullptr && held->at_x) {
            const ggml_tensor* activation = nodes[f->activation];
            const laid_out_weight& gate = *weight_for(activation->src[0]->src[0]);
            const laid_out_weight& up = *weight_for(activation->src[1]->src[0]);
            const laid_out_weight& down = *held;
            const std::size_t stored =
                ggml_nbytes(gate.as_host) + ggml_nbytes(up.as_host) + ggml_nbytes(down.as_host);
            const double scale =
                static_cast<double>(stored) / (read_bytes(gate) + read_bytes(up) + read_bytes(down));
            replaced.emplace_back(i, made_of(nodes[i], {this, ffn_for(gate, up, down, activation), &down,
                                                        activation->src[0]->src[1], nullptr, nodes[i],
                                                        counts_of(down), scale}));
            for (const int within : {f->gate, f->up, f->activation}) { // computed inside
                replaced.emplace_back(within, ggml_new_tensor_1d(nodes_.get(), GGML_TYPE_F32, 1));
            }
        } else if (ggml_tensor* made = in_place_of(nodes[i], by_host); made != nodes[i]) {
            replaced.emplace_back(i, made);
        }
    }
    for (auto& [i, node] : replaced) {
        std::swap(nodes[i], node);
    }
    const ggml_status status = ggml_backend_graph_compute(cpu_, graph);
    // The last first: a product may have been replaced alone before the FFN that it is part of. Hosts use their graphs again.
    std::for_each(replaced.rbegin(), replaced.rend(),
                  [&](auto& exchanged) { std::swap(nodes[exchanged.first], exchanged.second); });
    if (timed != nullptr) {
        timed->took(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return status;
}

void instance::print_turns() const {
    double of_tamis = 0, of_host = 0;
    const auto print = [](const std::string& what, double ours, double hosts) {
        std::fprintf(stderr,
                     "tamis: %s: %.1f us a token by tamis, %.1f us by the host's own kernels (%.2f)\n",
                     what.c_str(), 1e6 * ours, 1e6 * hosts, hosts / ours);
    };
    for (const auto& [layer, parts] : turns_) {
        double here = 0, of_host_here = 0;
        for (const auto& [weight, t] : parts) {
            here += t.of_tamis();
            of_host_here += t.of_host();
        }
        if (here > 0 && of_host_here > 0) {
            print("layer " + std::to_string(layer), here, of_host_here);
        }
        of_tamis += here;
        of_host += of_host_here;
    }
    if (of_tamis > 0 && of_host > 0) {
        print("all layers", of_tamis, of_host);
    }
}

void instance::print_statistics() const {
    print_turns();
    if (!asked().statistics) {
        return;
    }
    static constexpr const char* names[] = {"input", "gate", "up", "intermediate"};
    const auto print = [](const std::string& what, const counts& c) {
        std::string masked;
        for (std::size_t i = 0; i < places; ++i) {
            if (c.entries[i] != 0) {
                char text[64];
                std::snprintf(text, sizeof text, "%s %.1f %%, ", names[i],
                              share(c.entries[i] - c.active[i], c.entries[i]));
                masked += text;
            }
        }
        std::fprintf(stderr, "tamis: %s: masked %s%.1f of %.1f MB read (%.1f %% not)\n", what.c_str(),
                     masked.c_str(), 1e-6 * static_cast<double>(c.read), 1e-6 * static_cast<double>(c.bytes),
                     100 - share(c.read, c.bytes));
    };
    counts all;
    for (const auto& [layer, c] : seen_) {
        print("layer " + std::to_string(layer), c);
        for (std::size_t i = 0; i < places; ++i) {
            all.entries[i] += c.entries[i];
            all.active[i] += c.active[i];
        }
        all.bytes += c.bytes;
        all.read += c.read;
    }
    if (!seen_.empty()) {
        print("all layers", all);
    }
}

} // namespace tamis_ggml
