#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// The border between this backend and tamis's kernels, which are compiled once for each level of instruction sets: plain types
// and calls through pointers alone.

namespace tamis_ggml {

enum class place { input, gate, up, intermediate };
inline constexpr std::size_t places = 4;

/// A rule as calibration files name it; empty where there is none.
struct rule {
    const char* name = "";
    double value = 0;
    const std::vector<float>* values = nullptr; // of channel_thresholds

    explicit operator bool() const { return *name != 0; }
};

/// A matrix as ggml has it: a row an output.
struct stored_matrix {
    const char* format; // tamis's name
    const void* data;
    std::size_t rows, columns;
};

/// One with what lay_out made of it; null: nothing, it is taken as stored.
struct kept_matrix {
    stored_matrix stored;
    const std::byte* laid_out;
};

/// Entries at a place, and those of them that masks kept; bytes that a dense call reads, and those that were read.
struct counts {
    std::uint64_t entries[places] = {}, active[places] = {}, bytes = 0, read = 0;
};

struct call {
    const float* x;
    float* y;
    std::size_t x_stride, y_stride, tokens;
    std::span<std::byte> memory;
    counts* seen; // written by thread 0
};

/// The engine's threads, all of which come to each call.
struct crew {
    virtual ~crew() = default;
};
/// A product, or a whole FFN, that every one of nth threads enters.
struct operation {
    virtual ~operation() = default;
    virtual std::size_t memory(std::size_t threads, std::size_t tokens) const = 0;
    virtual void enter(crew& threads, std::size_t ith, std::size_t nth, const call& c) const = 0;
};

enum class gating { silu, gelu_tanh, gelu_erf, relu };

struct kernels {
    const char* level;
    /// Whether a format can be read, and in which it is laid out with a row an input; null if not at all.
    const char* (*laid_out_format)(const char* format);
    /// Bytes of a matrix laid out with a row an input, and the making of it; bytes of it as stored.
    std::size_t (*laid_out_bytes)(const stored_matrix& m);
    void (*lay_out)(const stored_matrix& m, std::byte* to);

    crew* (*new_crew)(std::size_t most_threads);
    /// y = W x with a mask over x; `laid_out` is what lay_out made of m.
    operation* (*new_product)(const stored_matrix& m, const std::byte* laid_out, const rule& at_x);
    /// A gated FFN with rules at its places: down laid out, gate and up as stored or (for a rule at the input) laid out.
    operation* (*new_ffn)(const kept_matrix& gate, const kept_matrix& up, const kept_matrix& down,
                          gating sigma, const rule (&at)[places]);
};

/// Those of the best level that this machine runs; null if it runs none.
const kernels* best_kernels();

} // namespace tamis_ggml
