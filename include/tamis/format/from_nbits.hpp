#pragma once

#include <tamis/any_numbers.hpp>
#include <tamis/ffn/any_format.hpp>
#include <tamis/format/byte_groups.hpp>
#include <tamis/format/from_int4.hpp>

#include <algorithm>

TAMIS_BEGIN

/// The formats that repack_nbits makes rows of: for a list of formats.
using nbits_formats =
    formats<int4_groups<32>, int4_groups<64>, int4_groups<128>, byte_groups<16>, byte_groups<32>>;

/// The tensors of ONNX Runtime's MatMulNBits, of 2, 4 or 8 bits, in blocks of 16, 32, 64 or a multiple of 128 inputs:
/// codes[output][block][bytes], from the low bits up; scales[output][block]; zero points packed as codes are (a row of them padded to
/// bytes), or as numbers that are whole, or none: 2^(bits - 1) then. Borrowed. (Four bits whose types are known when it is
/// compiled: repack_matmul_nbits.)
struct nbits_tensors {
    /// Of the layer.
    std::size_t outputs, inputs;
    /// Of a code, and inputs of a block.
    std::size_t bits, block;
    /// From the low bits of a byte up.
    std::span<const std::uint8_t> codes{};
    /// One a block.
    any_numbers scales{};
    /// Zero points packed as codes are; empty where there are none, or where they are numbers.
    std::span<const std::uint8_t> zero_points{};
    /// Zero points as numbers, or none.
    any_numbers zero_numbers{};

    /// How many blocks an output has (sizes that repack_nbits takes).
    std::size_t blocks() const { return block == 0 ? 0 : (inputs + block - 1) / block; }
    /// The format of its rows. Refuses bits and blocks that there are not.
    const char* format() const {
        const bool known = (bits == 2 || bits == 4 || bits == 8) &&
                           (block == 16 || block == 32 || block == 64 || (block != 0 && block % 128 == 0));
        if (!known) {
            fail_sizes(
                "tamis: MatMulNBits of %zu bits in blocks of %zu: 2, 4 and 8 bits in blocks of 16, 32, 64 and "
                "multiples of 128 are known",
                bits, block);
        }
        return block == 16   ? byte_groups<16>::name
               : bits == 8   ? byte_groups<32>::name
               : block == 32 ? int4_groups<32>::name
               : block == 64 ? int4_groups<64>::name
                             : int4_groups<128>::name;
    }
};

namespace detail {

/// Code i of bytes that have 8 / bits each, from the low bits up.
inline unsigned code_at(const std::uint8_t* bytes, std::size_t bits, std::size_t i) {
    const std::size_t each = 8 / bits;
    return static_cast<unsigned>(bytes[i / each]) >> (i % each * bits) & ((1u << bits) - 1);
}
/// The first `count` of them, a byte each; a constant number of bits makes vectors of it.
template <std::size_t Bits>
void unpack_codes(const std::uint8_t* bytes, std::size_t count, std::uint8_t* out) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = static_cast<std::uint8_t>(code_at(bytes, Bits, i));
    }
}

/// The zero point of a block, whole and at most `most`.
inline unsigned nbits_zero(const nbits_tensors& t, std::size_t output, std::size_t b, unsigned most) {
    if (!t.zero_numbers) {
        const std::size_t bytes = (t.blocks() * t.bits + 7) / 8;
        return t.zero_points.empty() ? 1u << (t.bits - 1)
                                     : code_at(t.zero_points.data() + output * bytes, t.bits, b);
    }
    const float number = t.zero_numbers[output * t.blocks() + b];
    const unsigned zero =
        number >= 0 && number <= static_cast<float>(most) ? static_cast<unsigned>(number) : most + 1;
    if (static_cast<float>(zero) != number) {
        fail_value(
            "tamis: the zero points of MatMulNBits have to be whole numbers within its codes, got %g; "
            "leave this layer to the engine",
            static_cast<double>(number));
    }
    return zero;
}

/// One output's row. The group of F divides the block, whose scale and zero point each has.
template <class F>
void write_nbits_row(const nbits_tensors& t, std::size_t output, std::byte* out) {
    constexpr bool in_nibbles = sizeof(typename F::storage) < F::block;
    const auto unpack = t.bits == 8 ? unpack_codes<8> : t.bits == 4 ? unpack_codes<4> : unpack_codes<2>;
    for (std::size_t i = 0; i < t.inputs; i += F::block) {
        const std::size_t b = output * t.blocks() + i / t.block;
        const unsigned zero = nbits_zero(t, output, i / t.block, in_nibbles ? 16 : 255);
        const std::size_t inside = smaller(F::block, t.inputs - i);
        std::uint8_t q[F::block];
        unpack(t.codes.data() + (b * t.block + i % t.block) * t.bits / 8, inside, q);
        fill_n(q + inside, F::block - inside,
               static_cast<std::uint8_t>(in_nibbles ? smaller(zero, 15u) : zero));
        const float scale = t.scales[b];
        if constexpr (in_nibbles) {
            write_int4_group<F::block>(
                scale, zero, [&](std::size_t k) { return unsigned{q[k]}; }, out);
        } else {
            std::memcpy(out, &scale, sizeof scale);
            out[4] = static_cast<std::byte>(zero);
            std::memcpy(out + 5, q, F::block);
        }
        out += sizeof(typename F::storage);
    }
}

} // namespace detail

/// Bytes of the rows of so many outputs.
inline std::size_t nbits_bytes(const nbits_tensors& t, std::size_t outputs) {
    return outputs * any_row_bytes<nbits_formats>(t.format(), t.inputs);
}

/// Rows of outputs [first, first + outputs), codes, scales and zero points as they are, in `memory` of nbits_bytes at least: neuron_major
/// for gate and up, output_major for down. Refuses tensors of other sizes (those of a damaged file, too), zero points that are not whole, and too little memory.
inline any_matrix repack_nbits(const nbits_tensors& t, weight_layout l, std::size_t first,
                               std::size_t outputs, std::span<std::byte> memory) {
    const char* const format = t.format();
    const std::size_t most = ~std::size_t{0} / 8 / (t.outputs + 1 == 0 ? t.outputs : t.outputs + 1);
    if (t.inputs > most || t.block > most) { // products below would not be what they say
        fail_sizes("tamis: MatMulNBits of %zu outputs and %zu inputs: no memory has so many", t.outputs,
                   t.inputs);
    }
    const std::size_t blocks = t.outputs * t.blocks();
    detail::need("tamis: codes of MatMulNBits are %zu bytes, got %zu", blocks * (t.block * t.bits / 8),
                 t.codes.size());
    detail::need("tamis: scales of MatMulNBits are %zu, got %zu", blocks, t.scales.size());
    if (!t.zero_points.empty()) {
        detail::need("tamis: zero points of MatMulNBits are %zu bytes, got %zu",
                     t.outputs * ((t.blocks() * t.bits + 7) / 8), t.zero_points.size());
    }
    if (t.zero_numbers) {
        detail::need("tamis: zero points of MatMulNBits are %zu, got %zu", blocks, t.zero_numbers.size());
    }
    if (first > t.outputs || outputs > t.outputs - first) {
        fail_sizes("tamis: MatMulNBits has not so many outputs: up to %zu are wanted, of %zu",
                   first + outputs, t.outputs);
    }
    if (memory.size() < nbits_bytes(t, outputs)) {
        fail_sizes("tamis: the repacked rows take %zu bytes, but the memory has %zu", nbits_bytes(t, outputs),
                   memory.size());
    }
    with_format<nbits_formats>(format, [&]<class F>(F) {
        for (std::size_t o = 0; o < outputs; ++o) {
            detail::write_nbits_row<F>(t, first + o, memory.data() + o * F::row_bytes(t.inputs));
        }
    });
    return {format, l, memory.data(), outputs, t.inputs};
}

TAMIS_END
