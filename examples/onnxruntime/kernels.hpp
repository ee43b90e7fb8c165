#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

// The border between the operator and tamis's kernels, which are compiled once for each level of instruction sets: plain types
// and calls through pointers alone. What can not be right is thrown as std::invalid_argument; the operator makes statuses of it.

namespace tamis_onnx {

enum class element { f32, f16, bf16 };

/// Numbers of a tensor: borrowed. Null where there is none.
struct numbers {
    const void* data = nullptr;
    element type = element::f32;
    std::size_t count = 0;

    explicit operator bool() const { return data != nullptr; }
};

/// One of the three linear layers, as the graph has it: all outputs of the tensor, or `outputs` of them from `first` on
/// (gate and up in one).
struct linear_layer {
    const char* name = "";
    std::size_t inputs = 0, outputs = 0, first = 0, all_outputs = 0;

    numbers weights;        // in floats: [inputs][all_outputs], or the other way round
    bool by_outputs = true; // a row of the tensor is an output

    std::span<const std::uint8_t> codes; // or as MatMulNBits has it: [all_outputs][block][code]
    std::size_t bits = 0, block = 0;
    numbers scales; // [all_outputs][block]
    std::span<const std::uint8_t>
        zero_points;              // [all_outputs], packed as codes are; empty where there are none,
    numbers unpacked_zero_points; // or they are numbers

    numbers bias; // as many as outputs, from bias_first on
    std::size_t bias_first = 0;
};

enum class activation { silu, gelu, gelu_tanh, relu, relu2, linear };

struct description {
    linear_layer gate, up, down;
    activation sigma = activation::silu;
    std::string rules;   // "top_p=0.9@input,intermediate;threshold=0.1@gate"; empty: none
    std::string laid_as; // the format of quantised matrices that have to be transposed: q8_0 or f16
    bool in_int8 = false;
};

/// The session's threads.
struct crew {
    std::size_t width;
    void (*run)(const crew& self, std::size_t count, void (*task)(void*, std::size_t), void* user);
    const void* context;
};

struct call {
    const void* x;
    void* y;
    element type;
    std::size_t tokens;
    std::span<std::byte> memory;
    const crew* threads;
};
/// Bytes of weights that a call read, and those of a dense one.
struct bytes_of_call {
    std::int64_t read, dense;
};

struct ffn {
    virtual ~ffn() = default;
    virtual std::size_t memory(std::size_t threads, std::size_t tokens) const = 0;
    virtual bytes_of_call run(const call& c) const = 0;
};

struct kernels {
    const char* level;
    std::unique_ptr<ffn> (*make)(const description& d);
};

/// Those of the best level that this machine runs; null if it runs none.
const kernels* best_kernels();

} // namespace tamis_onnx
