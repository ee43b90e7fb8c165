#pragma once

#include "tamis.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// What each level of instruction sets has for tamis.cpp, which checks what a caller hands over. Types of C and of the standard library
// alone go from one to the other: tamis's own have other names in each level.

namespace tamis_c {

struct rule {
    virtual ~rule() = default;
    virtual std::size_t bytes(tamis_type, std::size_t columns) const = 0;
    virtual void mask(tamis_type, const void* values, std::size_t rows, std::size_t columns,
                      std::size_t row_stride, std::size_t step, std::span<std::uint64_t> words,
                      std::span<std::byte> workspace) const = 0;
};

struct layer {
    virtual ~layer() = default;
    virtual std::size_t bytes(std::size_t tokens, std::size_t threads) const = 0; ///< of workspace
    virtual void run(const tamis_call&) const = 0;

    std::size_t inputs = 0, outputs = 0;
    std::uint64_t weight_bytes = 0;
};

/// The rules of a layer, by site.
struct rules_of_sites {
    std::array<std::string, TAMIS_SITES> text;
    std::array<std::span<const float>, TAMIS_SITES> numbers{};
};

/// Each refuses by an exception. The names of matrices are arguments'.
struct level {
    std::unique_ptr<const rule> (*make_rule)(std::string_view text, std::span<const float> numbers);
    std::unique_ptr<const layer> (*make_ffn)(const tamis_ffn_parts&, const rules_of_sites&);
    std::unique_ptr<const layer> (*make_linear)(const tamis_matrix&, const float* bias, std::string_view rule,
                                                const float* numbers, bool masks_only);
    const char* (*format)(std::size_t index);
    std::size_t (*row_bytes)(std::string_view format, std::size_t columns);
    std::size_t (*packed_bytes)(const tamis_matrix&, std::string_view format, tamis_layout);
    tamis_matrix (*pack)(const tamis_matrix&, std::string_view format, tamis_layout, std::span<std::byte>,
                         const tamis_threads&);
};

} // namespace tamis_c
