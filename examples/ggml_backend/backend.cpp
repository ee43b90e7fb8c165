#include "interface.hpp"
#include "run.hpp"

#include <cstring>
#include <string>

// libggml-tamis: what ggml loads and asks. Two devices that accelerate the CPU: one computes, on the CPU's own memory, and the
// other lends its buffer type for weights that rules are about.

namespace tamis_ggml {
namespace {

interface::registry reg;
interface::device devices[2]; // computes, holds weights

bool is_computing(ggml_backend_dev_t d) { return reinterpret_cast<interface::device*>(d) == &devices[0]; }

const char* name_of(ggml_backend_dev_t d) { return is_computing(d) ? "TAMIS" : "TAMIS_WEIGHTS"; }
const char* description_of(ggml_backend_dev_t d) {
    return is_computing(d) ? "feed-forward layers that skip weights" : "weights that can be skipped";
}
void memory_of(ggml_backend_dev_t, std::size_t* free, std::size_t* total) { *free = *total = 0; }
enum ggml_backend_dev_type type_of(ggml_backend_dev_t) { return GGML_BACKEND_DEVICE_TYPE_ACCEL; }
void properties_of(ggml_backend_dev_t d, ggml_backend_dev_props* p) {
    p->name = name_of(d);
    p->description = description_of(d);
    p->type = GGML_BACKEND_DEVICE_TYPE_ACCEL;
    memory_of(d, &p->memory_free, &p->memory_total);
    p->caps = {};
}
ggml_backend_buffer_type_t buffer_type_of(ggml_backend_dev_t d) {
    return is_computing(d) ? computing_buffer_type() : weights_buffer_type();
}
bool supports_op(ggml_backend_dev_t d, const ggml_tensor* op) {
    if (is_computing(d)) {
        return takes(op);
    }
    // A loader tries a weight in a buffer of no bytes; nothing else is for this device.
    const ggml_tensor* w = op->src[0];
    return (op->op == GGML_OP_MUL_MAT || op->op == GGML_OP_MUL_MAT_ID) && w != nullptr &&
           w->buffer != nullptr && ggml_backend_buffer_get_type(w->buffer) == weights_buffer_type() &&
           ggml_backend_buffer_get_size(w->buffer) == 0 && wants(op);
}
bool supports_buffer_type(ggml_backend_dev_t d, ggml_backend_buffer_type_t t) {
    return is_computing(d) ? t == weights_buffer_type() || ggml_backend_buft_is_host(t)
                           : t == weights_buffer_type();
}

/// A context's backend; one of the device that holds weights has no instance.
struct made_backend {
    interface::backend b;
    std::unique_ptr<instance> runs;
};
made_backend& made_of(ggml_backend_t b) { return *reinterpret_cast<made_backend*>(b); }

const char* name_of_backend(ggml_backend_t b) {
    return name_of(reinterpret_cast<interface::backend*>(b)->device);
}
void free_backend(ggml_backend_t b) { delete &made_of(b); }
ggml_status compute(ggml_backend_t b, ggml_cgraph* graph) {
    return made_of(b).runs != nullptr ? made_of(b).runs->compute(graph) : GGML_STATUS_FAILED;
}
ggml_backend_t new_backend(ggml_backend_dev_t d, const char*) {
    static ggml_guid guids[2] = {{'t', 'a', 'm', 'i', 's'}, {'t', 'a', 'm', 'i', 's', ' ', 'w'}};
    auto* made = new made_backend{};
    made->b.guid = &guids[is_computing(d) ? 0 : 1];
    made->b.get_name = name_of_backend;
    made->b.free = free_backend;
    made->b.graph_compute = compute;
    made->b.device = d;
    if (is_computing(d)) {
        made->runs = std::make_unique<instance>();
    }
    return reinterpret_cast<ggml_backend_t>(&made->b);
}

void set_threads(ggml_backend_t b, int count) {
    if (made_of(b).runs != nullptr) {
        made_of(b).runs->set_threads(count);
    }
}
void set_abort(ggml_backend_t b, ggml_abort_callback call, void* data) {
    if (instance* i = made_of(b).runs.get()) {
        const auto set = reinterpret_cast<ggml_backend_set_abort_callback_t>(
            ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(ggml_backend_get_device(i->cpu())),
                                              "ggml_backend_set_abort_callback"));
        if (set != nullptr) {
            set(i->cpu(), call, data);
        }
    }
}

const char* registry_name(ggml_backend_reg_t) { return "TAMIS"; }
std::size_t device_count(ggml_backend_reg_t) { return 2; }
ggml_backend_dev_t device_at(ggml_backend_reg_t, std::size_t i) {
    return reinterpret_cast<ggml_backend_dev_t>(&devices[i]);
}
void* address_of(ggml_backend_reg_t, const char* name) {
    if (std::strcmp(name, "ggml_backend_set_n_threads") == 0) {
        return reinterpret_cast<void*>(set_threads);
    }
    return std::strcmp(name, "ggml_backend_set_abort_callback") == 0 ? reinterpret_cast<void*>(set_abort)
                                                                     : nullptr;
}

/// The registry, or why there is none.
ggml_backend_reg_t make_registry() {
    const auto* cpu = reinterpret_cast<const interface::registry*>(ggml_backend_reg_by_name("CPU"));
    if (cpu == nullptr) {
        say("left out: there is no CPU backend beside it (a host calls ggml_backend_load_all, and has no ggml of its own linked in)");
        return nullptr;
    }
    const int version = cpu->api_version;
    if (version != 2 && version != 3 && version != 6) {
        say("left out: it knows the versions 2, 3 and 6 of ggml's interface for backends, and this host's is " +
            std::to_string(version));
        return nullptr;
    }
    if (best_kernels() == nullptr) {
        say("left out: it was not built for this machine's instructions");
        return nullptr;
    }
    asked(); // what is wrong with it is said before a model is loaded
    for (interface::device& d : devices) {
        d = {};
        d.get_name = name_of;
        d.get_description = description_of;
        d.get_memory = memory_of;
        d.get_type = type_of;
        d.get_props = properties_of;
        d.init_backend = new_backend;
        d.get_buffer_type = buffer_type_of;
        d.supports_op = supports_op;
        d.supports_buft = supports_buffer_type;
        d.reg = &reg;
    }
    reg = {version, registry_name, device_count, device_at, address_of, nullptr};
    make_buffer_types(version, device_at(nullptr, 0), device_at(nullptr, 1));
    return reinterpret_cast<ggml_backend_reg_t>(&reg);
}

} // namespace
} // namespace tamis_ggml

extern "C" {
__attribute__((visibility("default"))) ggml_backend_reg_t ggml_backend_init() {
    return tamis_ggml::make_registry();
}
__attribute__((visibility("default"))) int ggml_backend_score() {
    return tamis_ggml::best_kernels() != nullptr ? 1 : 0;
}
}
