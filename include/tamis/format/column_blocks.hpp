#pragma once

#include <tamis/format/iq4_nl.hpp>
#include <tamis/format/mxfp4.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q4_1.hpp>
#include <tamis/format/q5_0.hpp>
#include <tamis/format/q5_1.hpp>
#include <tamis/format/q8_0.hpp>

#include <array>
#include <string_view>

TAMIS_BEGIN

namespace detail {

/// What a format's blocks of 32 are transposed with: how many bits a code has, how many bytes of numbers (a scale, a minimum) lie
/// before the codes of a block, and what a code means. `zero` is taken off codes that are not negative, `most` the largest of
/// them: what products in integers are made of.
template <class F>
struct column_codes {
    static constexpr int bits = 0;
};
template <int Bits, int Zero, int Most, std::size_t NumberBytes = 2>
struct integer_column_codes {
    static constexpr int bits = Bits, zero = Zero, most = Most;
    static constexpr std::size_t number_bytes = NumberBytes;
    static int value(unsigned code) { return static_cast<int>(code) - zero; }
};
template <>
struct column_codes<q8_0> : integer_column_codes<8, 128, 255> { // in memory as they are, signed
    static int value(unsigned code) { return static_cast<std::int8_t>(static_cast<std::uint8_t>(code)); }
};
template <>
struct column_codes<q4_0> : integer_column_codes<4, 8, 15> {};
template <>
struct column_codes<q4_1> : integer_column_codes<4, 0, 15, 4> {};
template <>
struct column_codes<q5_0> : integer_column_codes<5, 16, 31> {};
template <>
struct column_codes<q5_1> : integer_column_codes<5, 0, 31, 4> {};
/// Four bits that look up a table of signed bytes.
template <class F, int Zero, int Most, std::size_t NumberBytes>
struct table_column_codes : integer_column_codes<4, Zero, Most, NumberBytes> {
    static constexpr const std::int8_t (&table)[16] = F::table;
    static int value(unsigned code) { return table[code]; }
};
template <>
struct column_codes<iq4_nl> : table_column_codes<iq4_nl, 128, 255, 2> {};
template <>
struct column_codes<mxfp4> : table_column_codes<mxfp4, 12, 24, 1> {};

template <class F>
concept looks_up_columns = requires { column_codes<F>::table; };

} // namespace detail

/// A format whose blocks of 32 can be turned: q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl, mxfp4.
template <class F>
concept turnable_format = detail::column_codes<F>::bits != 0;

/// F's blocks of 32 weights down the columns of a matrix, where F itself has them along its rows. A matrix of F is transposed into
/// this exactly: codes and scales are moved, none is rounded. In memory it is a block of 32 rows behind the other. A block is the
/// scales of its columns (f16, or what F has), then their minima if F has those, then the codes of each of its rows. With a row
/// padded to n columns, a multiple of 64, code j is
///     of eight bits: byte j of the row,
///     of four: the low half of byte 32 (j / 64) + j % 32 if j % 64 < 32, else its high half
///     of five: the low four as those, and bit j % 8 of byte n / 2 + j / 8
/// The last block may have fewer rows, and ends with them. So it takes as many bytes as F does.
/// Not a weight_format, since no row of it can be read alone: see matrix<column_blocks<F>, L>.
template <turnable_format F>
struct column_blocks {
    using storage = std::byte;
    /// What it was transposed from.
    using turned_format = F;
    /// Rows that share a column's scale.
    static constexpr std::size_t block = 32;
    /// Columns that lie together.
    static constexpr std::size_t unit = 64;

  private:
    using codes = detail::column_codes<F>;
    static constexpr auto joined = [] {
        constexpr std::string_view suffix = " by columns";
        constexpr std::string_view first = F::name;
        std::array<char, first.size() + suffix.size() + 1> all{};
        for (std::size_t i = 0; i < first.size() + suffix.size(); ++i) {
            all[i] = i < first.size() ? first[i] : suffix[i - first.size()];
        }
        return all;
    }();

  public:
    static constexpr const char* name = joined.data();

    /// Columns with what fills up the last unit.
    static constexpr std::size_t padded(std::size_t columns) { return (columns + unit - 1) / unit * unit; }
    /// Bytes of the codes of a row.
    static constexpr std::size_t row_bytes(std::size_t columns) { return padded(columns) / 8 * codes::bits; }
    /// Bytes of the scales and minima of a block.
    static constexpr std::size_t number_bytes(std::size_t columns) {
        return padded(columns) * codes::number_bytes;
    }
    /// Bytes from a block to the next.
    static constexpr std::size_t block_bytes(std::size_t columns) {
        return number_bytes(columns) + block * row_bytes(columns);
    }

    /// Code j of a row, as F has it in memory.
    static unsigned code(const std::byte* row, std::size_t columns, std::size_t j) {
        if constexpr (codes::bits == 8) {
            return detail::byte_at(row, j);
        } else {
            const unsigned pair = detail::byte_at(row, j / unit * 32 + j % 32);
            const unsigned low = j % unit < 32 ? pair & 15u : pair >> 4;
            if constexpr (codes::bits == 4) {
                return low;
            } else {
                return low | (detail::byte_at(row, padded(columns) / 2 + j / 8) >> j % 8 & 1u) << 4;
            }
        }
    }
    /// Weight j of a row, by the numbers of its block.
    static float at(const std::byte* numbers, const std::byte* row, std::size_t columns, std::size_t j) {
        const unsigned in_memory = code(row, columns, j);
        const auto q = static_cast<float>(codes::value(in_memory));
        if constexpr (codes::number_bytes == 1) { // as it is, where a product would be denormal, and flushed
            std::byte one[sizeof(typename F::storage)] = {numbers[j], static_cast<std::byte>(in_memory)};
            return F::at(one, 0);
        } else if constexpr (codes::number_bytes == 2) {
            return f16::at(numbers, j) * q;
        } else {
            return f16::at(numbers, j) * q + f16::at(numbers, padded(columns) + j);
        }
    }
    /// mxfp4's scale of halves: 2^(e - 128), denormal for an e below 2.
    static float power_of_two(unsigned e) {
        return detail::bits_as<float>(e > 1 ? (e - 1) << 23 : 0x200000u << e);
    }
};

namespace detail {

/// column_blocks, or what has its members.
template <class F>
concept column_blocked = requires { typename F::turned_format; };

} // namespace detail

TAMIS_END
