#include "functions.hpp"

#include <tamis/version.hpp>

#include <tamis_levels.hpp> // written by tamis_compile_for_levels

#include <cstdio>

// The functions of tamis.h, by the best level that this machine runs.

namespace tamis_c {

TAMIS_CHOOSE_LEVEL(functions, functions_of_level)

namespace {

const tamis_level_of<functions>& best() {
    static const tamis_level_of<functions> found = best_level();
    return found;
}

/// Calls what the best level has; without one it gives `otherwise`.
template <class Result, class... Parameters, class... Arguments>
Result call_or(Result otherwise, Result (*functions::*f)(Parameters...), Arguments... arguments) {
    return best().object == nullptr ? otherwise : (best().object->*f)(arguments...);
}
/// The same of a function that says what is wrong.
template <class... Parameters, class... Arguments>
tamis_result call(char* error, tamis_result (*functions::*f)(Parameters...), Arguments... arguments) {
    if (best().object == nullptr && error != nullptr) {
        std::snprintf(error, TAMIS_ERROR_BYTES, "%s",
                      "tamis: this processor runs none of the kernels (x86-64-v2 at least)");
    }
    return call_or(tamis_result{TAMIS_NOT_HERE}, f, arguments..., error);
}
template <class Handle>
void free_by(void (*functions::*f)(Handle*), Handle* handle) {
    if (best().object != nullptr) {
        (best().object->*f)(handle);
    }
}

} // namespace
} // namespace tamis_c

using namespace tamis_c;

extern "C" {

const char* tamis_version(void) {
#define TAMIS_DIGITS_(x) #x
#define TAMIS_DIGITS(x) TAMIS_DIGITS_(x)
    return TAMIS_DIGITS(TAMIS_VERSION_MAJOR) "." TAMIS_DIGITS(TAMIS_VERSION_MINOR) "." TAMIS_DIGITS(
        TAMIS_VERSION_PATCH);
}
const char* tamis_level(void) { return best().name; }

tamis_result tamis_rule_new(const char* text, const float* numbers, size_t count, tamis_rule** made,
                            char* error) {
    return call(error, &functions::rule_new, text, numbers, count, made);
}
void tamis_rule_free(tamis_rule* rule) { free_by(&functions::rule_free, rule); }
tamis_result tamis_rule_workspace(const tamis_rule* rule, tamis_type type, size_t columns, size_t* bytes,
                                  char* error) {
    return call(error, &functions::rule_workspace, rule, type, columns, bytes);
}
tamis_result tamis_rule_mask(const tamis_rule* rule, tamis_type type, const void* values, size_t rows,
                             size_t columns, size_t row_stride, size_t step, uint64_t* words, size_t count,
                             void* workspace, size_t workspace_bytes, uint64_t* active, char* error) {
    return call(error, &functions::rule_mask, rule, type, values, rows, columns, row_stride, step, words,
                count, workspace, workspace_bytes, active);
}

const char* tamis_format(size_t index) {
    return call_or(static_cast<const char*>(nullptr), &functions::format, index);
}
tamis_result tamis_format_bytes(const char* format, size_t columns, size_t* bytes, char* error) {
    return call(error, &functions::format_bytes, format, columns, bytes);
}
tamis_result tamis_pack_bytes(const tamis_matrix* from, const char* format, tamis_layout layout,
                              size_t* bytes, char* error) {
    return call(error, &functions::pack_bytes, from, format, layout, bytes);
}
tamis_result tamis_pack(const tamis_matrix* from, const char* format, tamis_layout layout, void* memory,
                        size_t bytes, const tamis_threads* threads, tamis_matrix* packed, char* error) {
    return call(error, &functions::pack, from, format, layout, memory, bytes, threads, packed);
}

tamis_result tamis_plan_new(const char* json, size_t bytes, tamis_plan** made, char* error) {
    return call(error, &functions::plan_new, json, bytes, made);
}
size_t tamis_plan_layers(const tamis_plan* plan) { return call_or(size_t{0}, &functions::plan_layers, plan); }
void tamis_plan_free(tamis_plan* plan) { free_by(&functions::plan_free, plan); }

tamis_result tamis_ffn_new(const tamis_ffn_parts* parts, tamis_layer** made, char* error) {
    return call(error, &functions::ffn_new, parts, made);
}
tamis_result tamis_linear_new(const tamis_matrix* w, const float* bias, const char* rule,
                              const float* numbers, int masks_only, tamis_layer** made, char* error) {
    return call(error, &functions::linear_new, w, bias, rule, numbers, masks_only, made);
}
void tamis_layer_free(tamis_layer* layer) { free_by(&functions::layer_free, layer); }
tamis_result tamis_layer_sizes(const tamis_layer* layer, size_t* inputs, size_t* outputs,
                               uint64_t* weight_bytes, char* error) {
    return call(error, &functions::layer_sizes, layer, inputs, outputs, weight_bytes);
}
tamis_result tamis_layer_workspace(const tamis_layer* layer, size_t tokens, size_t threads, size_t* bytes,
                                   char* error) {
    return call(error, &functions::layer_workspace, layer, tokens, threads, bytes);
}
tamis_result tamis_layer_run(const tamis_layer* layer, const tamis_call* c, char* error) {
    return call(error, &functions::layer_run, layer, c);
}

} // extern "C"
