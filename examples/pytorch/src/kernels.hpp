#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The border between the operators, which know torch, and tamis's kernels, which are compiled once for each level of instruction
// sets: plain types and calls through pointers alone.

namespace tamis_torch {

/// A rule at a place; places are numbered as tamis::site is.
struct rule {
    std::string name;
    double value = 0;
    int where = 3;
};
inline constexpr const char* places[] = {"input", "gate", "up", "intermediate"};

/// "top_p=0.9@input,intermediate;top_k=32@gate": rules by name and number, several separated by ;, without a place at
/// `without_place`. Throws std::invalid_argument with what is wrong and the whole text.
std::vector<rule> read_rules(std::string_view text, int without_place);

/// Numbers that some rules need: the neurons' norms (cett), a threshold each (channel_thresholds).
struct numbers {
    std::span<const float> norms, thresholds;
};

/// A matrix as torch has it: outputs x inputs, by rows that lie `stride` entries apart, or transposed: by columns.
struct matrix_2d {
    const char* name;
    const char* format;
    const void* data;
    std::size_t outputs, inputs, stride;
    bool by_columns;
};

struct floats_2d {
    float* data;
    std::size_t rows, columns;
};

/// The caller's threads.
struct crew {
    std::size_t width;
    void (*run)(std::size_t width, std::size_t count, void (*task)(void*, std::size_t), void* held);
};

struct kernels {
    const char* level;
    void (*mask)(floats_2d x, const rule& r, const numbers& with, bool* out, const crew& threads);
    void (*glu_ffn)(floats_2d x, floats_2d y, const matrix_2d (&gate_up_down)[3],
                    const std::span<const float> (&biases)[3], std::string_view activation,
                    std::span<const rule> rules, const numbers& with, const crew& threads);
    void (*linear)(floats_2d x, floats_2d y, const matrix_2d& weight, std::span<const float> bias,
                   const rule* at_x, const numbers& with, const crew& threads);
};

/// Those of the best level that this machine runs; null if it runs none.
const kernels* best_kernels();

} // namespace tamis_torch
