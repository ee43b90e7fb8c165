#include "model/gguf.hpp"

#include "error.hpp"

#if defined(TAMIS_STUDY_LLAMA)

#include "measure/sigma.hpp"
#include "model/node_name.hpp"

#include <tamis/ffn/activate.hpp>

#include <ggml-backend.h>
#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace app {
namespace {

/// What llama.cpp says of a failure goes to its log: the last line of it is kept, all else is dropped.
class engine_log {
  public:
    static void listen() { llama_log_set(&take, nullptr); }
    static std::string last_error() {
        const std::lock_guard lock{guard()};
        return std::exchange(kept(), {});
    }

  private:
    static std::mutex& guard() {
        static std::mutex one;
        return one;
    }
    static std::string& kept() {
        static std::string text;
        return text;
    }
    static void take(ggml_log_level level, const char* text, void*) {
        const std::lock_guard lock{guard()};
        if (level == GGML_LOG_LEVEL_ERROR &&
            kept().empty()) { // the first says why, the others that it failed
            kept() = text;
            while (kept().ends_with('\n')) {
                kept().pop_back();
            }
        }
    }
};

/// A node of the graph that is looked at, by its name.
enum class role { input, router, gate, up, product };
struct watched {
    std::size_t layer;
    role what;
};

/// What the graph of a forward pass says about one layer.
struct layer_nodes {
    std::string input, gate, up, product;
    const ggml_tensor *w_gate = nullptr, *w_up = nullptr, *w_down = nullptr;
    ggml_glu_op op = GGML_GLU_OP_COUNT;
    bool experts = false;
};

const ggml_tensor* behind_views(const ggml_tensor* t) {
    while (t != nullptr && (t->op == GGML_OP_RESHAPE || t->op == GGML_OP_VIEW || t->op == GGML_OP_CONT)) {
        t = t->src[0];
    }
    return t;
}
/// The product with weights that a node comes from, behind biases and scales.
const ggml_tensor* product_of(const ggml_tensor* t) {
    for (t = behind_views(t); t != nullptr; t = behind_views(t->src[0])) {
        if (t->op == GGML_OP_MUL_MAT || t->op == GGML_OP_MUL_MAT_ID) {
            return t;
        }
        if (t->op != GGML_OP_ADD && t->op != GGML_OP_ADD_ID && t->op != GGML_OP_MUL &&
            t->op != GGML_OP_SCALE) {
            return nullptr;
        }
    }
    return nullptr;
}

/// Notes every node of a graph, as cb_eval is asked about it.
struct probe {
    std::vector<layer_nodes> layers;
    std::map<std::string, std::size_t> names;
    std::set<std::string> shared_experts;
    std::map<std::string, std::string>
        routers; ///< name of the product with the router's weights -> what it reads
    std::map<std::string, const ggml_tensor*> readers; ///< GLU's name -> the weights that read it

    static bool at_node(ggml_tensor* t, bool ask, void* user) {
        if (ask) {
            static_cast<probe*>(user)->see(t);
        }
        return false;
    }
    void see(const ggml_tensor* t) {
        const std::string name = ggml_get_name(t);
        ++names[name];
        const long number = layer_of(name);
        if ((t->op == GGML_OP_MUL_MAT || t->op == GGML_OP_MUL_MAT_ID) && t->src[1] != nullptr) {
            const ggml_tensor* from = behind_views(t->src[1]);
            while (from->op == GGML_OP_MUL || from->op == GGML_OP_SCALE) { // a norm or scale in front of down
                from = behind_views(from->src[0]);
            }
            readers.emplace(ggml_get_name(from), t->src[0]);
            if (std::strstr(ggml_get_name(t->src[0]), "ffn_gate_inp") != nullptr && number >= 0) {
                routers[name] = ggml_get_name(behind_views(t->src[1]));
            }
        }
        if (t->op != GGML_OP_GLU || number < 0 || static_cast<std::size_t>(number) >= layers.size()) {
            return;
        }
        if (name.find("shexp") != std::string::npos) {
            shared_experts.insert(name);
            return;
        }
        layer_nodes& l = layers[static_cast<std::size_t>(number)];
        l.product = name;
        l.op = ggml_get_glu_op(t);
        if (t->src[0] == nullptr || t->src[1] == nullptr) {
            return;
        }
        l.gate = ggml_get_name(t->src[0]);
        l.up = ggml_get_name(t->src[1]);
        const ggml_tensor *g = product_of(t->src[0]), *u = product_of(t->src[1]);
        if (g != nullptr && u != nullptr) {
            l.experts = g->op == GGML_OP_MUL_MAT_ID;
            l.w_gate = g->src[0];
            l.w_up = u->src[0];
            const ggml_tensor *a = behind_views(g->src[1]), *b = behind_views(u->src[1]);
            l.input = a == b ? ggml_get_name(a) : "";
        }
    }
};

struct free_model {
    void operator()(llama_model* m) const { llama_model_free(m); }
};
struct free_context {
    void operator()(llama_context* c) const { llama_free(c); }
};
using model_ptr = std::unique_ptr<llama_model, free_model>;
using context_ptr = std::unique_ptr<llama_context, free_context>;

context_ptr new_context(llama_model* model, std::size_t tokens, ggml_backend_sched_eval_callback at_node,
                        void* user, const std::string& path) {
    llama_context_params p = llama_context_default_params();
    p.n_ctx = p.n_batch = p.n_ubatch = static_cast<std::uint32_t>(tokens); // one graph for a window
    p.n_seq_max = 1;
    p.n_threads = p.n_threads_batch = 1; // windows are spread over threads, not passes
    p.cb_eval = at_node;
    p.cb_eval_user_data = user;
    p.no_perf = true;
    context_ptr made{llama_init_from_model(model, p)};
    if (!made) {
        throw error(path, ": llama.cpp makes no context of ", tokens, " tokens: ", engine_log::last_error());
    }
    return made;
}

void decode_some(llama_context* context, std::span<const token> tokens, const std::string& path) {
    llama_batch batch = llama_batch_init(static_cast<std::int32_t>(tokens.size()), 0, 1);
    batch.n_tokens = static_cast<std::int32_t>(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        batch.token[i] = tokens[i];
        batch.pos[i] = static_cast<llama_pos>(i);
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = 1; // of all: the last layer computes no other rows
    }
    const std::int32_t failed = llama_decode(context, batch);
    llama_batch_free(batch);
    if (failed != 0) {
        throw error(path, ": llama.cpp ran no pass over ", tokens.size(), " tokens (", failed,
                    "): ", engine_log::last_error());
    }
}

class gguf_engine;

/// A context, and what its callback works with.
class gguf_context {
  public:
    explicit gguf_context(const gguf_engine& of);
    logits_view logits(std::span<const token> tokens, study::hook_ref hook);
    not_finite take_not_finite() { return lost_.take(); }

  private:
    static bool at_node(ggml_tensor* t, bool ask, void* user);
    void look(std::size_t layer, tamis::site where, tamis::block<float> values);
    void at_input(std::size_t layer, tamis::block<float> values);
    void at_product(std::size_t layer, tamis::block<float> values);

    const gguf_engine* of_;
    context_ptr context_;
    lost_tokens lost_;
    const study::hook_ref* hook_ = nullptr;
    std::exception_ptr failure_;
    std::vector<float> input_, gate_, up_, gate_before_, up_before_;
};

class gguf_engine final : public engine, private foreign_tokens {
  public:
    gguf_engine(const std::string& path, std::size_t context, bool repack, remarks& notes) : path_{path} {
        engine_log::listen();
        if (std::getenv("GGML_BACKEND_PATH") != nullptr) { // it may skip weights by itself
            unsetenv("GGML_BACKEND_PATH");
            notes.add("GGML_BACKEND_PATH is not followed: a study needs the plain CPU backend");
        }
        ggml_backend_load_all();
        llama_model_params p = llama_model_default_params();
        p.n_gpu_layers = 0;
        p.use_extra_bufts = false; // weights as they are: repacked ones round otherwise
        engine_log::last_error();
        model_.reset(llama_model_load_from_file(path.c_str(), p));
        if (!model_) {
            throw error(path, ": llama.cpp does not load it: ", engine_log::last_error());
        }
        vocabulary_ = llama_model_get_vocab(model_.get());
        const auto count = [](std::int32_t n) { return static_cast<std::size_t>(std::max(0, n)); };
        if (llama_model_has_encoder(model_.get()) || !llama_model_has_decoder(model_.get()) ||
            count(llama_vocab_n_tokens(vocabulary_)) == 0) {
            throw error(path, ": a model that predicts the next token is needed, this one is none");
        }
        const std::size_t trained = count(llama_model_n_ctx_train(model_.get()));
        if (context > trained) {
            throw error("--context ", context, ": the model's is ", trained);
        }
        config_ = {count(llama_model_n_embd(model_.get())),
                   0,
                   count(llama_model_n_layer(model_.get())),
                   count(llama_model_n_head(model_.get())),
                   count(llama_model_n_head_kv(model_.get())),
                   count(llama_vocab_n_tokens(vocabulary_)),
                   context,
                   true};
        find_nodes(notes);
        if (repack) { // beside the weights as they are, whose bytes are told and whose norms are taken
            p.use_extra_bufts = true;
            repacked_.reset(llama_model_load_from_file(path.c_str(), p));
            if (!repacked_) {
                throw error(path, ": llama.cpp does not repack it: ", engine_log::last_error());
            }
            description_ += "; repacked for this CPU";
            notes.add(
                "--repack: weights are repacked for this CPU, whose products round otherwise: compare with "
                "the dense row of this run alone");
        }
    }
    ~gguf_engine() override { idle_.clear(); }

    const model_config& config() const override { return config_; }
    activation sigma() const override { return sigma_; }
    std::string describe() const override { return description_; }
    const study::ffn_sizes& sizes(std::size_t layer) const override { return sizes_[layer]; }
    std::size_t experts_used() const override { return experts_; }
    std::span<const float> floats(std::size_t layer, weights which) const override {
        if (experts_ != 0) {
            throw error(path_,
                        ": a mixture of experts: what needs the weights of its FFNs is not measured there");
        }
        const std::lock_guard lock{guard_};
        std::vector<float>& kept = floats_[3 * layer + static_cast<std::size_t>(which)];
        if (kept.empty()) {
            const layer_nodes& l = layers_[layer];
            const ggml_tensor* const t = which == weights::gate ? l.w_gate
                                         : which == weights::up ? l.w_up
                                                                : l.w_down;
            const auto* const traits = ggml_get_type_traits(t->type);
            kept.resize(static_cast<std::size_t>(ggml_nelements(t)));
            const auto columns = static_cast<std::size_t>(t->ne[0]);
            for (std::size_t row = 0; row < static_cast<std::size_t>(t->ne[1]); ++row) {
                const char* const from = static_cast<const char*>(t->data) + row * t->nb[1];
                if (t->type == GGML_TYPE_F32) {
                    std::memcpy(kept.data() + row * columns, from, columns * sizeof(float));
                } else {
                    traits->to_float(from, kept.data() + row * columns, static_cast<std::int64_t>(columns));
                }
            }
        }
        return kept;
    }
    std::unique_ptr<engine_run> start() const override;
    const foreign_tokens& tokens() const override { return *this; }

    llama_model* model() const { return repacked_ ? repacked_.get() : model_.get(); }
    const std::string& path() const { return path_; }
    const watched* at(const char* name) const {
        const auto found = watched_.find(name);
        return found == watched_.end() ? nullptr : &found->second;
    }

  private:
    friend class gguf_run;

    // Tokens.
    std::vector<token> encode(std::string_view text, bool story) const override {
        std::vector<token> tokens(text.size() + 8);
        const auto encoded = [&] {
            return llama_tokenize(vocabulary_, text.data(), static_cast<std::int32_t>(text.size()),
                                  tokens.data(), static_cast<std::int32_t>(tokens.size()), true, false);
        };
        std::int32_t n = encoded();
        if (n < 0) {
            tokens.resize(static_cast<std::size_t>(-(n + 1)) + 1);
            n = encoded();
        }
        if (n < 0) {
            throw error(path_, ": llama.cpp does not encode the text");
        }
        tokens.resize(static_cast<std::size_t>(n));
        if (llama_vocab_get_add_eos(vocabulary_) && !tokens.empty() &&
            tokens.back() == llama_vocab_eos(vocabulary_)) {
            tokens.pop_back(); // the text goes on, or ends as any other
        }
        if (story && begin() >= 0 && (tokens.empty() || tokens.front() != begin())) {
            tokens.insert(tokens.begin(), begin());
        }
        return tokens;
    }
    std::string decode(const std::vector<token>& tokens) const override {
        std::string text;
        for (const token t : tokens) {
            std::array<char, 256> piece;
            const std::int32_t n = llama_token_to_piece(vocabulary_, t, piece.data(),
                                                        static_cast<std::int32_t>(piece.size()), 0, false);
            text.append(piece.data(), static_cast<std::size_t>(std::max(0, n)));
        }
        return text;
    }
    std::size_t vocab_size() const override { return config_.vocab_size; }
    token begin() const override { return llama_vocab_bos(vocabulary_); }
    bool adds_begin() const override { return llama_vocab_get_add_bos(vocabulary_); }

    /// Asks a small graph for the nodes and weights of every FFN, and refuses what is not as it should be.
    void find_nodes(remarks& notes) {
        probe p;
        p.layers.resize(config_.n_layers);
        {
            const context_ptr context = new_context(model_.get(), 8, &probe::at_node, &p, path_);
            const std::array<token, 2> two{std::max<token>(0, begin()), 0};
            decode_some(context.get(), two, path_);
        }
        layers_ = std::move(p.layers);
        std::map<std::string, std::size_t> formats;
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            layer_nodes& n = layers_[l];
            const auto refuse = [&](const auto&... why) { return error(path_, ": layer ", l, ": ", why...); };
            if (n.product.empty()) {
                throw refuse(
                    "no gated FFN (a GLU node) is in llama.cpp's graph; only such models are measured");
            }
            if (n.gate.empty() || n.w_gate == nullptr || n.input.empty()) {
                throw refuse(
                    "node ", n.product,
                    " is not made from one product of a gate's and one of an up's weights with one input");
            }
            const auto down = p.readers.find(n.product);
            n.w_down = down == p.readers.end() ? nullptr : down->second;
            if (n.w_down == nullptr) {
                throw refuse("nothing multiplies node ", n.product, " with weights");
            }
            if (!n.input.starts_with("ffn_norm-") && !n.input.starts_with("attn_post_norm-") &&
                !n.input.starts_with("ffn_inp_normed-")) {
                throw refuse("the FFN reads node ", n.input, ", not ffn_norm-", l,
                             ", so that masks there would reach other parts of the model");
            }
            for (const std::string& name : {n.input, n.gate, n.up, n.product}) {
                if (p.names[name] != 1) {
                    throw refuse("there are ", p.names[name], " nodes named ", name,
                                 ", so it is not known which is meant");
                }
            }
            const activation here = sigma_of(n, l);
            sigma_ = l == 0 ? here : sigma_;
            const auto h = static_cast<std::size_t>(n.w_gate->ne[0]),
                       d = static_cast<std::size_t>(n.w_gate->ne[1]);
            config_.hidden_dim = l == 0 ? d : config_.hidden_dim;
            if (h != config_.dim || d != config_.hidden_dim || here != sigma_ ||
                n.experts != layers_.front().experts) {
                throw refuse("its FFN (", h, " by ", d, n.experts ? ", experts" : "",
                             ") is another than layer 0's (", config_.dim, " by ", config_.hidden_dim,
                             layers_.front().experts ? ", experts" : "",
                             "): one shape is needed in all layers");
            }
            if (n.w_down->ne[0] != n.w_gate->ne[1] || n.w_down->ne[1] != n.w_gate->ne[0]) {
                throw refuse("what reads ", n.product, " is no W_down of ", h, " by ", d);
            }
            for (const ggml_tensor* w : {n.w_gate, n.w_up, n.w_down}) {
                const auto* const traits = ggml_get_type_traits(w->type);
                if (w->buffer == nullptr || !ggml_backend_buffer_is_host(w->buffer) ||
                    (w->type != GGML_TYPE_F32 && traits->to_float == nullptr)) {
                    throw refuse("weights ", ggml_get_name(w), " can not be read on the CPU");
                }
                ++formats[ggml_type_name(w->type)];
            }
            add_sizes(n, h, d);
            watched_[n.gate] = {l, role::gate};
            watched_[n.up] = {l, role::up};
            watched_[n.product] = {l, role::product};
            if (n.experts) {
                const auto router = std::find_if(p.routers.begin(), p.routers.end(),
                                                 [&](const auto& r) { return r.second == n.input; });
                if (router == p.routers.end()) {
                    throw refuse("no router reads node ", n.input);
                }
                watched_[router->first] = {l, role::router};
            } else {
                watched_[n.input] = {l, role::input};
            }
        }
        if (layers_.front().experts) {
            experts_ = std::max<std::size_t>(1, number_of("expert_used_count"));
            if (!p.shared_experts.empty()) {
                notes.add(path_, ": shared experts have no masks of their own, but read the masked input");
            }
        }
        floats_.resize(3 * layers_.size());
        std::array<char, 128> text{};
        llama_model_meta_val_str(model_.get(), "general.architecture", text.data(), text.size());
        description_ = line(text.data(), ", FFN weights in ");
        for (const auto& [name, times] : formats) {
            description_ += line(description_.ends_with(' ') ? "" : ", ", name);
        }
        if (experts_ != 0) {
            description_ += line(", ", experts_, " experts a token");
        }
    }
    std::size_t number_of(const char* key) const {
        std::array<char, 128> name{}, text{};
        llama_model_meta_val_str(model_.get(), "general.architecture", name.data(), name.size());
        const std::string whole = line(name.data(), '.', key);
        llama_model_meta_val_str(model_.get(), whole.c_str(), text.data(), text.size());
        return static_cast<std::size_t>(std::strtoul(text.data(), nullptr, 10));
    }
    activation sigma_of(const layer_nodes& n, std::size_t layer) const {
        switch (n.op) {
            case GGML_GLU_OP_SWIGLU: return activation::silu;
            case GGML_GLU_OP_GEGLU: return activation::gelu_tanh;
            case GGML_GLU_OP_GEGLU_ERF: return activation::gelu;
            case GGML_GLU_OP_REGLU: return activation::relu;
            default: break;
        }
        throw error(path_, ": layer ", layer, ": the FFN's activation, ", ggml_glu_op_name(n.op),
                    ", is not one of SwiGLU, GeGLU and ReGLU");
    }
    /// As they are stored. In the other order (what a mask on x reads of gate and up, and a mask of neurons of down) rows take as
    /// many bytes in all.
    void add_sizes(const layer_nodes& n, std::size_t h, std::size_t d) {
        const auto rows = [&](const ggml_tensor* w) {
            const std::uint64_t all = ggml_row_size(w->type, w->ne[0]) * static_cast<std::uint64_t>(w->ne[1]);
            return study::ffn_sizes::row_bytes{all / d, all / h};
        };
        sizes_.push_back({h, d, rows(n.w_gate), rows(n.w_up), rows(n.w_down), true, true});
    }

    std::string path_;
    model_ptr model_, repacked_; ///< the second runs, if it is there
    const llama_vocab* vocabulary_ = nullptr;
    model_config config_{};
    activation sigma_ = activation::silu;
    std::string description_;
    std::size_t experts_ = 0;
    std::vector<layer_nodes> layers_;
    std::vector<study::ffn_sizes> sizes_;
    std::unordered_map<std::string, watched> watched_;
    mutable std::mutex guard_;
    mutable std::vector<std::vector<float>> floats_;
    mutable std::vector<std::unique_ptr<gguf_context>>
        idle_; ///< a context takes long to make: they are used again
};

/// A context for as long as it is in use.
class gguf_run final : public engine_run {
  public:
    explicit gguf_run(const gguf_engine& of) : of_{&of} {
        const std::lock_guard lock{of.guard_};
        if (!of.idle_.empty()) {
            context_ = std::move(of.idle_.back());
            of.idle_.pop_back();
        }
    }
    ~gguf_run() override {
        if (context_) {
            const std::lock_guard lock{of_->guard_};
            of_->idle_.push_back(std::move(context_));
        }
    }
    gguf_run(const gguf_run&) = delete;
    gguf_run& operator=(const gguf_run&) = delete;

    logits_view logits(std::span<const token> tokens, study::hook_ref hook) override {
        return context().logits(tokens, hook);
    }
    not_finite take_not_finite() override { return context().take_not_finite(); }

  private:
    gguf_context& context() {
        if (!context_) {
            context_ = std::make_unique<gguf_context>(*of_);
        }
        return *context_;
    }
    const gguf_engine* of_;
    std::unique_ptr<gguf_context> context_;
};

std::unique_ptr<engine_run> gguf_engine::start() const { return std::make_unique<gguf_run>(*this); }

gguf_context::gguf_context(const gguf_engine& of)
    : of_{&of}, context_{new_context(of.model(), of.config().seq_len, &at_node, this, of.path())} {}

logits_view gguf_context::logits(std::span<const token> tokens, study::hook_ref hook) {
    const std::size_t rows = tokens.size() * std::max<std::size_t>(1, of_->experts_used());
    lost_.begin(rows);
    hook_ = &hook;
    llama_memory_clear(llama_get_memory(context_.get()), true);
    failure_ = nullptr;
    decode_some(context_.get(), tokens, of_->path());
    hook_ = nullptr;
    if (failure_) {
        std::rethrow_exception(failure_);
    }
    const std::size_t columns = of_->config().vocab_size;
    float* const all = llama_get_logits(context_.get());
    for (std::size_t t = 0; lost_.any() && t < tokens.size(); ++t) {
        if (lost_.is_lost(t * (rows / tokens.size()))) {
            std::fill_n(all + t * columns, columns, study::not_a_float);
        }
    }
    return {all, static_cast<Eigen::Index>(tokens.size()), static_cast<Eigen::Index>(columns)};
}

/// The rows of a node, whatever its shape.
tamis::block<float> rows_of(ggml_tensor* t) {
    return {static_cast<float*>(t->data), static_cast<std::size_t>(ggml_nrows(t)),
            static_cast<std::size_t>(t->ne[0]), t->nb[1] / sizeof(float)};
}

bool gguf_context::at_node(ggml_tensor* t, bool ask, void* user) {
    auto& self = *static_cast<gguf_context*>(user);
    const watched* const node = self.of_->at(ggml_get_name(t));
    if (node == nullptr || ask) {
        return node != nullptr || !ask;
    }
    try { // nothing may be thrown through llama.cpp
        ggml_tensor* const values =
            node->what == role::router ? const_cast<ggml_tensor*>(behind_views(t->src[1])) : t;
        if (values->type != GGML_TYPE_F32 || !ggml_is_contiguous(values) ||
            !ggml_backend_buffer_is_host(values->view_src != nullptr ? values->view_src->buffer
                                                                     : values->buffer)) {
            throw error(self.of_->path(), ": node ", ggml_get_name(t), " is no float32 in memory");
        }
        const tamis::block<float> rows = rows_of(values);
        const auto keep = [&](std::vector<float>& to) {
            to.assign(rows.row(0).data(), rows.row(0).data() + rows.rows() * rows.columns());
        };
        switch (node->what) {
            case role::input:
            case role::router: self.at_input(node->layer, rows); break;
            case role::gate: keep(self.gate_); break;
            case role::up: keep(self.up_); break;
            case role::product: self.at_product(node->layer, rows); break;
        }
    } catch (...) {
        self.failure_ = std::current_exception();
        return false;
    }
    return true;
}

void gguf_context::look(std::size_t layer, tamis::site where, tamis::block<float> values) {
    const auto finite = [&] {
        lost_.look(layer, place_of(where), values.row(0).data(), values.columns(), values.stride());
    };
    finite();
    (*hook_)(layer, where, values);
    finite();
}

/// Experts read x once each: the hook sees it so often, and what it leaves is the same every time.
void gguf_context::at_input(std::size_t layer, tamis::block<float> values) {
    lost_.attended();
    const std::size_t times = of_->experts_used(), columns = values.columns();
    if (times == 0) {
        look(layer, tamis::site::input, values);
        return;
    }
    input_.resize(values.rows() * times * columns);
    for (std::size_t row = 0; row < values.rows() * times; ++row) {
        std::copy_n(values.row(row / times).data(), columns, input_.data() + row * columns);
    }
    look(layer, tamis::site::input, {input_.data(), values.rows() * times, columns});
    for (std::size_t row = 0; row < values.rows(); ++row) {
        std::copy_n(input_.data() + row * times * columns, columns, values.row(row).data());
    }
}

/// sigma and the product are one node there. What the hooks leave of gate and up is multiplied here, where it is not what it was:
/// all else is ggml's own product, to the bit.
void gguf_context::at_product(std::size_t layer, tamis::block<float> values) {
    const std::size_t rows = values.rows(), columns = values.columns(), all = rows * columns;
    if (gate_.size() != all || up_.size() != all) {
        throw error(of_->path(), ": layer ", layer, ": gate or up did not come before their product");
    }
    for (std::size_t row = 0; row < rows; ++row) {
        tamis::detail::activate(chosen_activation{of_->sigma()},
                                std::span{gate_}.subspan(row * columns, columns));
    }
    gate_before_ = gate_;
    up_before_ = up_;
    look(layer, tamis::site::gate, {gate_.data(), rows, columns});
    look(layer, tamis::site::up, {up_.data(), rows, columns});
    float* const product = values.row(0).data();
    for (std::size_t i = 0; i < all; ++i) {
        const auto bits = [](float v) { return std::bit_cast<std::uint32_t>(v); };
        const bool same = bits(gate_[i]) == bits(gate_before_[i]) && bits(up_[i]) == bits(up_before_[i]);
        product[i] = same ? product[i] : gate_[i] * up_[i];
    }
    gate_.clear();
    up_.clear();
    look(layer, tamis::site::intermediate, values);
}

} // namespace

bool reads_gguf() { return true; }
std::shared_ptr<const engine> load_gguf(const std::string& path, std::size_t context, remarks& notes,
                                        bool repack) {
    return std::make_shared<gguf_engine>(path, context, repack, notes);
}

} // namespace app

#else

namespace app {

bool reads_gguf() { return false; }
std::shared_ptr<const engine> load_gguf(const std::string& path, std::size_t, remarks&, bool) {
    throw error("--gguf ", path, ": this program was built without llama.cpp's library (libllama-dev); ",
                "build it where CMake finds llama");
}

} // namespace app

#endif
