#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <cstddef>
#include <cstdint>

// What ggml asks of a backend that is loaded at run time. ggml installs no header for it: these are declarations of our own, of
// what its versions 2, 3 and 6 have in common (only the buffer type differs), with their sizes. The version is read from the
// host; any other is refused with a sentence, and the host runs on without this backend.

namespace tamis_ggml::interface {

/// A place that is left empty: all of these are pointers to functions.
using none = void (*)();

struct buffer {
    void (*free_buffer)(ggml_backend_buffer_t);
    void* (*get_base)(ggml_backend_buffer_t);
    ggml_status (*init_tensor)(ggml_backend_buffer_t, ggml_tensor*);
    void (*memset_tensor)(ggml_backend_buffer_t, ggml_tensor*, std::uint8_t, std::size_t, std::size_t);
    void (*set_tensor)(ggml_backend_buffer_t, ggml_tensor*, const void*, std::size_t, std::size_t);
    void (*get_tensor)(ggml_backend_buffer_t, const ggml_tensor*, void*, std::size_t, std::size_t);
    none set_tensor_2d, get_tensor_2d;
    bool (*cpy_tensor)(ggml_backend_buffer_t, const ggml_tensor*, ggml_tensor*);
    void (*clear)(ggml_backend_buffer_t, std::uint8_t);
    none reset;
};
/// The part of a buffer that its functions need: behind `interface::buffer` come its type and what was given as context.
struct buffer_head {
    buffer functions;
    ggml_backend_buffer_type_t type;
    void* context;
};

using name_of_type = const char* (*)(ggml_backend_buffer_type_t);
using allocate = ggml_backend_buffer_t (*)(ggml_backend_buffer_type_t, std::size_t);
using size_of_type = std::size_t (*)(ggml_backend_buffer_type_t);
using is_host = bool (*)(ggml_backend_buffer_type_t);

struct buffer_type_2 {
    name_of_type get_name;
    allocate alloc_buffer;
    size_of_type get_alignment;
    none get_max_size, get_alloc_size;
    is_host host;
    ggml_backend_dev_t device;
    void* context;
};
struct buffer_type_3 {
    name_of_type get_name;
    allocate alloc_buffer;
    none alloc_buffer_n;
    size_of_type get_alignment;
    none get_max_size, get_alloc_size, get_alloc_size_n;
    is_host host;
    ggml_backend_dev_t device;
    void* context;
};
struct buffer_type_6 {
    name_of_type get_name;
    allocate alloc_buffer;
    size_of_type get_alignment;
    none get_max_size, get_alloc_size;
    is_host host;
    none get_alloc_interface;
    ggml_backend_dev_t device;
    void* context;
};

struct backend {
    ggml_guid_t guid;
    const char* (*get_name)(ggml_backend_t);
    void (*free)(ggml_backend_t);
    none set_tensor_async, get_tensor_async, set_tensor_2d_async, get_tensor_2d_async, cpy_tensor_async;
    none synchronize;
    none graph_plan_create, graph_plan_free, graph_plan_update, graph_plan_compute;
    ggml_status (*graph_compute)(ggml_backend_t, ggml_cgraph*);
    none event_record, event_wait, graph_optimize;
    ggml_backend_dev_t device;
    void* context;
};

struct registry;
struct device {
    const char* (*get_name)(ggml_backend_dev_t);
    const char* (*get_description)(ggml_backend_dev_t);
    void (*get_memory)(ggml_backend_dev_t, std::size_t*, std::size_t*);
    enum ggml_backend_dev_type (*get_type)(ggml_backend_dev_t);
    void (*get_props)(ggml_backend_dev_t, ggml_backend_dev_props*);
    ggml_backend_t (*init_backend)(ggml_backend_dev_t, const char*);
    ggml_backend_buffer_type_t (*get_buffer_type)(ggml_backend_dev_t);
    none get_host_buffer_type, buffer_from_host_ptr;
    bool (*supports_op)(ggml_backend_dev_t, const ggml_tensor*);
    bool (*supports_buft)(ggml_backend_dev_t, ggml_backend_buffer_type_t);
    none offload_op, event_new, event_free, event_synchronize;
    registry* reg;
    void* context;
};

struct registry {
    int api_version; // the first field in every version, and so readable in a host of any
    const char* (*get_name)(ggml_backend_reg_t);
    std::size_t (*get_device_count)(ggml_backend_reg_t);
    ggml_backend_dev_t (*get_device)(ggml_backend_reg_t, std::size_t);
    void* (*get_proc_address)(ggml_backend_reg_t, const char*);
    void* context;
};

static_assert(sizeof(buffer) == 11 * sizeof(void*) && offsetof(buffer_head, context) == 12 * sizeof(void*));
static_assert(sizeof(buffer_type_2) == 8 * sizeof(void*) && sizeof(buffer_type_3) == 10 * sizeof(void*) &&
              sizeof(buffer_type_6) == 9 * sizeof(void*));
static_assert(sizeof(backend) == 19 * sizeof(void*) &&
              offsetof(backend, graph_compute) == 13 * sizeof(void*));
static_assert(sizeof(device) == 17 * sizeof(void*) && sizeof(registry) == 6 * sizeof(void*));

extern "C" ggml_backend_buffer_t ggml_backend_buffer_init(ggml_backend_buffer_type_t, buffer, void* context,
                                                          std::size_t size);

} // namespace tamis_ggml::interface
