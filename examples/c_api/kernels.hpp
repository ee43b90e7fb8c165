#pragma once

#include "tamis.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

// The border between the C interface and tamis's kernels, which are compiled once for each level of instruction sets: plain
// types and calls through pointers alone. What comes here has been checked as far as that needs no tamis; the kernels refuse
// the rest by exceptions, which tamis.cpp makes codes and texts of.

namespace tamis_c {

struct values {
    tamis_type type;
    const void* data;
    std::size_t rows, columns, row_stride, step;
};
/// A rule or selector.
struct mask_maker {
    virtual ~mask_maker() = default;
    virtual std::size_t bytes(tamis_type type, std::size_t columns) const = 0;
    /// Returns how many entries are active.
    virtual std::uint64_t mask(const values& v, std::span<std::uint64_t> words,
                               std::span<std::byte> memory) const = 0;
};

/// An FFN or a linear layer.
struct layer {
    virtual ~layer() = default;
    virtual std::size_t inputs() const = 0;
    virtual std::size_t outputs() const = 0;
    virtual std::uint64_t weight_bytes() const = 0;
    virtual std::size_t memory(std::size_t tokens, std::size_t threads) const = 0;
    virtual void run(const tamis_call& c) const = 0;
};

/// A rule's text (empty: none), and its numbers for each entry.
struct worded_rule {
    std::string_view text;
    std::span<const float> numbers;
};
struct ffn_parts {
    const tamis_ffn_parts* given;
    std::array<worded_rule, TAMIS_SITES> rules;
};

struct kernels {
    const char* level;
    const char* (*format)(std::size_t index);
    std::size_t (*row_bytes)(std::string_view format, std::size_t columns);
    std::size_t (*packed_bytes)(const tamis_matrix& from, std::string_view format, tamis_layout layout);
    void (*pack)(const tamis_matrix& from, std::string_view format, tamis_layout layout,
                 std::span<std::byte> memory, const tamis_threads& threads);
    std::unique_ptr<mask_maker> (*new_rule)(const worded_rule& r);
    std::unique_ptr<layer> (*new_ffn)(const ffn_parts& parts);
    std::unique_ptr<layer> (*new_linear)(const tamis_matrix& w, std::span<const float> bias,
                                         const worded_rule& r, bool masks_only);
};

/// Those of the best level that this machine runs; null if it runs none.
const kernels* best_kernels();

} // namespace tamis_c
