#pragma once

#include <tamis/format/int4_groups.hpp>
#include <tamis/matrix.hpp>

#include <algorithm>
#include <span>

TAMIS_BEGIN

// Four-bit checkpoints keep codes, scales and zero points in three tensors; a row of int4_groups has all of them. So these are
// copied once: codes, scales and zero points as they are, in 5.25, 4.625 or 4.31 bits a weight for groups of 32, 64 or 128.
// The kinds differ in the order of codes, in what a stored zero point means and in what a row is, and one read as another
// looks plausible: each has a function of its name. Rows of the result are outputs: neuron_major for gate and up,
// output_major for down.

/// AutoAWQ's ("gemm"): qweight[input][output / 8], qzeros[input / group][output / 8], scales[input / group][output] as
/// binary16. A word's nibbles are outputs 0, 2, 4, 6, 1, 3, 5, 7 from its low bits up.
struct awq_tensors {
    /// Eight codes a word, in the order of the kind.
    const std::uint32_t* qweight;
    /// Zero points, eight a word.
    const std::uint32_t* qzeros;
    const std::uint16_t* scales;
    /// The linear layer's sizes.
    std::size_t outputs, inputs;
};
/// AutoGPTQ's: qweight[input / 8][output], qzeros[input / group][output / 8], scales[input / group][output] as binary16, and the
/// group of each input, which may be left away where it is input / group. Nibbles are in order from the low bits up.
struct gptq_tensors {
    /// Eight codes a word, in the order of the kind.
    const std::uint32_t* qweight;
    /// Zero points, eight a word.
    const std::uint32_t* qzeros;
    const std::uint16_t* scales;
    /// The linear layer's sizes.
    std::size_t outputs, inputs;
    /// The group of each input, or empty; act-order is refused.
    std::span<const std::int32_t> g_idx{};
};
/// ONNX Runtime's MatMulNBits of four bits: b[output][group][bytes], scales[output][group] (float, or binary16 as
/// std::uint16_t), zero_points[output][(groups + 1) / 2] in nibbles, or none: they are 8 then. Nibbles are in order from the
/// low bits up.
template <class Scale>
struct matmul_nbits_tensors {
    /// Codes, two a byte.
    const std::uint8_t* b;
    const Scale* scales;
    const std::uint8_t* zero_points; ///< or null
    /// The linear layer's sizes.
    std::size_t outputs, inputs;
};

namespace detail {

inline float scale_of(float scale) { return scale; }
inline float scale_of(std::uint16_t half) { return f16::widen(half); }

/// One group, whose code k < Group is code(k): of each 32, sixteen low halves and then the high ones.
template <std::size_t Group, class Code>
void write_int4_group(float scale, unsigned zero, Code&& code, std::byte* out) {
    std::memcpy(out, &scale, sizeof scale);
    out[4] = static_cast<std::byte>(zero);
    for (std::size_t k = 0; k < Group / 2; ++k) {
        const std::size_t low = k / 16 * 32 + k % 16;
        out[5 + k] = static_cast<std::byte>(code(low) | code(low + 16) << 4);
    }
}

/// code(output, input), scale(output, group) and zero(output, group) in rows.
template <std::size_t Group, layout L, class Code, class Scale, class Zero>
matrix<int4_groups<Group>, L> write_int4(std::size_t outputs, std::size_t inputs, std::span<std::byte> memory,
                                         Code&& code, Scale&& scale, Zero&& zero) {
    using F = int4_groups<Group>;
    if (memory.size() < outputs * F::row_bytes(inputs)) {
        fail_sizes("tamis: the repacked rows take %zu bytes, but the memory has %zu",
                   outputs * F::row_bytes(inputs), memory.size());
    }
    std::byte* out = memory.data();
    for (std::size_t o = 0; o < outputs; ++o) {
        for (std::size_t first = 0; first < inputs; first += Group, out += sizeof(typename F::storage)) {
            const auto none = static_cast<unsigned>(zero(o, first / Group));
            const auto at = [&](std::size_t k) {
                return first + k < inputs ? static_cast<unsigned>(code(o, first + k)) : (std::min)(none, 15u);
            };
            write_int4_group<Group>(scale(o, first / Group), none, at, out);
        }
    }
    return {memory.data(), outputs, inputs};
}

constexpr unsigned nibble(std::uint32_t word, std::size_t k) { return word >> (4 * k) & 15u; }

inline void need_whole_groups(std::size_t group, std::size_t outputs, std::size_t inputs) {
    if (outputs % 8 != 0) {
        fail_value("tamis: AWQ and GPTQ have eight outputs a word of zero points, but there are %.0f outputs",
                   static_cast<double>(outputs));
    }
    if (inputs % group != 0) {
        fail_sizes(
            "tamis: groups of %zu do not divide %zu inputs: say the group size that the checkpoint's "
            "quantization_config has",
            group, inputs);
    }
}

template <std::size_t Group, layout L>
matrix<int4_groups<Group>, L> write_gptq(const gptq_tensors& from, std::span<std::byte> memory,
                                         unsigned added) {
    need_whole_groups(Group, from.outputs, from.inputs);
    if (!from.g_idx.empty()) {
        need("tamis: g_idx has an entry for each of %zu inputs, but %zu are given", from.inputs,
             from.g_idx.size());
    }
    for (std::size_t i = 0; i < from.g_idx.size(); ++i) {
        if (static_cast<std::size_t>(from.g_idx[i]) != i / Group) {
            fail_sizes(
                "tamis: input %zu is in group %zu: this checkpoint's groups are not in the order of its inputs "
                "(act-order), which no row of groups holds; sort the inputs by g_idx, here and in what they "
                "are multiplied with, or dequantise to f16",
                i, static_cast<std::size_t>(from.g_idx[i]));
        }
    }
    return write_int4<Group, L>(
        from.outputs, from.inputs, memory,
        [&](std::size_t o, std::size_t i) { return nibble(from.qweight[i / 8 * from.outputs + o], i % 8); },
        [&](std::size_t o, std::size_t g) { return scale_of(from.scales[g * from.outputs + o]); },
        [&](std::size_t o, std::size_t g) {
            return nibble(from.qzeros[(g * from.outputs + o) / 8], o % 8) + added;
        });
}

} // namespace detail

/// Refuses sizes that groups do not divide, and too little memory (outputs times int4_groups<Group>::row_bytes(inputs)).
template <std::size_t Group, layout L>
matrix<int4_groups<Group>, L> repack_awq(const awq_tensors& from, std::span<std::byte> memory) {
    detail::need_whole_groups(Group, from.outputs, from.inputs);
    constexpr std::size_t place[8] = {0, 4, 1, 5, 2, 6, 3, 7}; // of output k of eight
    return detail::write_int4<Group, L>(
        from.outputs, from.inputs, memory,
        [&](std::size_t o, std::size_t i) {
            return detail::nibble(from.qweight[(i * from.outputs + o) / 8], place[o % 8]);
        },
        [&](std::size_t o, std::size_t g) { return detail::scale_of(from.scales[g * from.outputs + o]); },
        [&](std::size_t o, std::size_t g) {
            return detail::nibble(from.qzeros[(g * from.outputs + o) / 8], place[o % 8]);
        });
}

/// GPTQ as most checkpoints have it (checkpoint_format "gptq"): a stored zero point is one less than it means. A stored 15 means
/// 16, as in exllama and vLLM; AutoGPTQ's oldest kernels took it for 0, and no quantiser of theirs writes it on purpose.
/// Refuses groups in another order than the inputs (act-order), sizes that groups do not divide, and too little memory.
template <std::size_t Group, layout L>
matrix<int4_groups<Group>, L> repack_gptq(const gptq_tensors& from, std::span<std::byte> memory) {
    return detail::write_gptq<Group, L>(from, memory, 1);
}
/// checkpoint_format "gptq_v2": a stored zero point is what it means.
template <std::size_t Group, layout L>
matrix<int4_groups<Group>, L> repack_gptq_v2(const gptq_tensors& from, std::span<std::byte> memory) {
    return detail::write_gptq<Group, L>(from, memory, 0);
}

/// Any number of inputs: the last group of an output is padded. Refuses too little memory.
template <std::size_t Group, layout L, class Scale>
matrix<int4_groups<Group>, L> repack_matmul_nbits(const matmul_nbits_tensors<Scale>& from,
                                                  std::span<std::byte> memory) {
    const std::size_t groups = (from.inputs + Group - 1) / Group;
    return detail::write_int4<Group, L>(
        from.outputs, from.inputs, memory,
        [&](std::size_t o, std::size_t i) {
            return detail::nibble(from.b[o * groups * (Group / 2) + i / 2], i % 2);
        },
        [&](std::size_t o, std::size_t g) { return detail::scale_of(from.scales[o * groups + g]); },
        [&](std::size_t o, std::size_t g) {
            return from.zero_points == nullptr
                       ? 8u
                       : detail::nibble(from.zero_points[o * ((groups + 1) / 2) + g / 2], g % 2);
        });
}

TAMIS_END
