#pragma once

#include <tamis/detail/widen.hpp>
#include <tamis/error.hpp>

#include <concepts>
#include <span>

TAMIS_BEGIN

/// How weights are stored: what one row of them is in memory. A format is a class of static members:
///     static constexpr const char* name                    // "bf16"
///     using storage = ...;                                  // what one unit in memory is (float, std::uint16_t)
///     static constexpr std::size_t row_bytes(std::size_t n) // bytes of a row of n weights
///     static float at(const std::byte* row, std::size_t i)  // weight i of a row, as a float
/// and, if floats can be packed into it (others are read, and repacked into those that can),
///     static void pack(std::span<const float> from, std::byte* row)   // a row from floats, rounded
/// Without more the kernels fill vectors by `at`. For speed,
///     static detail::vec load(const std::byte* row, std::size_t i)
/// the weights i .. i + vec::size for i a multiple of vec::size (which is 16 at most), all of them in the row. A format
/// whose weights lie in blocks that have something in common (a scale, a minimum, tables) says with it how many share a
/// block,
///     static constexpr std::size_t block           // a multiple of 16, or tamis::whole_row: all of a row
/// and there are two ways from there. Either `load` gives the weights as they are: this fits any block. Or it leaves out
/// a scale, small numbers times which the weights are, and kernels take that once a block:
///     static float scale(const std::byte* row, std::size_t i) // of the block of weight i
/// (dot products are scaled when a block, or row, is summed: |x| up to 2^100 then overflows nowhere)
/// where a block is 16, 32 or 64 weights, or the row, and a row is blocks of equal size behind each other, so that
/// row + row_bytes(i) - row_bytes(0) is read as a row that begins at weight i. For speed again, for the first `count`
/// blocks of a row, at most 16, times a factor,
///     static void scales(const std::byte* row, std::size_t count, float factor, float* out) // may write all 16
/// and, where there is a quicker way than `load`, all vectors of the row's first block, as q4_0 has it,
///     static void load_block(const std::byte* row, detail::vec* out)
/// Weights that are not a small number times a scale (there is a minimum too, scales lie in larger blocks, or codes look up
/// a table) are unpacked several vectors at a time, as they are, instead of by `load`:
///     static constexpr std::size_t unit            // so many at once: 16, 32 or 64, a divisor of the block
///     static constexpr std::size_t factors         // so many floats are made for each unit beforehand; 0 is none
///     static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out)
///                                                  // those of at most 16 units from weight i on, one behind the other
///     static void load_unit(const std::byte* row, std::size_t i, const float* factors, detail::vec* out)
/// with i a multiple of the unit. The weights are those of `at`, bit for bit.
/// A format whose weights are whole numbers times a scale (plus an offset) may say so in a class of static members `codes`, and
/// then is multiplied in integers where that is asked for (in_int8):
///     static constexpr std::size_t unit, run     // 32 or 64 codes are loaded at once; 16 or 32, or the row, share a scale
///     static constexpr bool are_signed           // bytes -128 .. 127; else 0 .. most (at most 127), less `zero`
///     static constexpr int most, zero
///     static constexpr bool has_offset
///     static constexpr int reach                 // of signed codes, where it is known: the largest magnitude
///     static constexpr std::size_t halves_at     // of blocks of 32 that hold sixteen bytes, low halves first: where in a block.
///                                                // (Halves that look up signed codes have their table in the format: F::table)
///     static int at(const std::byte* row, std::size_t i)                  // code i less zero
///     static void load(const std::byte* row, std::size_t i, detail::bytes32* out) // `unit` codes as they are
///     static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float* offsets)
/// The last gives those of `runs` runs from weight i on, a multiple of 512, of 512 weights at most, and may write what all of
/// them take. Models: q8_0, q4_0, q4_k.
/// A format that knows no row with a part of a block says so, and other widths are refused:
///     static constexpr bool whole_blocks = true
/// Parts that do not go together are refused with what to add (detail::explain_format).
/// Models: f32, f16, bf16, q8_0, q4_0, int8_by_row; q4_1 and q4_k for units.
template <class F>
concept weight_format = requires(const std::byte* row, std::size_t n) {
    typename F::storage;
    { F::name } -> std::convertible_to<const char*>;
    { F::row_bytes(n) } -> std::same_as<std::size_t>;
    { F::at(row, n) } -> std::same_as<float>;
};

/// One that floats can be packed into.
template <class F>
concept packable_format =
    weight_format<F> && requires(std::byte* out, std::span<const float> from) { F::pack(from, out); };

/// The block of a format in which all weights of a row share one scale.
inline constexpr std::size_t whole_row = 0;

namespace detail {

template <class F>
concept fast_format = requires(const std::byte* row, std::size_t i) {
    { F::load(row, i) } -> std::same_as<vec>;
};
template <class F>
concept has_block = requires {
    { F::block } -> std::convertible_to<std::size_t>;
};
template <class F>
concept scaled_format = fast_format<F> && has_block<F> && requires(const std::byte* row, std::size_t i) {
    { F::scale(row, i) } -> std::same_as<float>;
};

/// One whose weights are unpacked a unit at a time.
template <class F>
concept unit_format = requires(const std::byte* row, std::size_t i, const float* factors, vec* out) {
    { F::unit } -> std::convertible_to<std::size_t>;
    { F::factors } -> std::convertible_to<std::size_t>;
    F::load_unit(row, i, factors, out);
};
template <class F>
concept whole_block_format = requires { requires F::whole_blocks; };

/// Whether row_bytes grows by the same step for each `weights` of them.
template <class F>
constexpr bool grows_evenly(std::size_t weights) {
    const std::size_t step = F::row_bytes(weights) - F::row_bytes(0);
    for (std::size_t i = 2; i <= 4; ++i) {
        if (F::row_bytes(i * weights) - F::row_bytes(0) != i * step) {
            return false;
        }
    }
    return true;
}

/// The same of units; see below.
template <class F>
consteval void explain_units() {
    if constexpr (unit_format<F>) {
        static_assert(F::unit == 16 || F::unit == 32 || F::unit == 64,
                      "tamis: the unit of a format is 16, 32 or 64 weights");
        static_assert(
            has_block<F>,
            "tamis: a format with `unit` needs `static constexpr std::size_t block`, how many weights lie "
            "in one (the unit itself, if nothing larger), or tamis::whole_row");
        static_assert(F::block % F::unit == 0,
                      "tamis: the block of a format with `unit` is a multiple of it");
        static_assert(
            F::factors == 0 || requires(const std::byte* row, std::size_t n,
                                        float* out) { F::unpack_factors(row, n, n, out); },
            "tamis: a format with `factors` needs `static void unpack_factors(const std::byte* row, "
            "std::size_t i, std::size_t units, float* out)`; those of 0 need none");
        static_assert(
            !requires { &F::load; } && !requires { &F::scale; },
            "tamis: a format has `load` or `load_unit`, which gives the weights as they are; `scale` belongs "
            "to `load`");
    } else {
        static_assert(
            !requires { &F::load_unit; },
            "tamis: a format with `load_unit` needs `static constexpr std::size_t unit` and `factors`, and is "
            "`static void load_unit(const std::byte* row, std::size_t i, const float* factors, "
            "tamis::detail::vec* out)`");
    }
    if constexpr (whole_block_format<F>) {
        static_assert(has_block<F>,
                      "tamis: a format with `whole_blocks` needs `static constexpr std::size_t block`");
    }
}

/// Says what is missing where a format has some of the members for speed, and not what they need: read by half of them its
/// weights would be wrong.
template <class F>
consteval bool explain_format() {
    explain_units<F>();
    if constexpr (fast_format<F>) {
        if constexpr (has_block<F>) {
            static_assert(F::block % 16 == 0,
                          "tamis: the block of a format with `load` is a multiple of 16 weights, or "
                          "tamis::whole_row; for others leave `load` away: they are read by `at`");
        } else {
            static_assert(
                grows_evenly<F>(vec::size),
                "tamis: row_bytes of this format does not grow by the same step for each vector of "
                "weights, so they lie in blocks: add `static constexpr std::size_t block`, how many "
                "weights share one");
        }
        if constexpr (scaled_format<F>) {
            static_assert(
                F::block <= 64 && 64 % (F::block + (F::block == 0)) == 0,
                "tamis: the block of a format with `scale` is 16, 32 or 64 weights, or "
                "tamis::whole_row; for others have `load` give the weights scaled, and leave `scale` "
                "away");
            static_assert(grows_evenly<F>(F::block == 0 ? vec::size : std::size_t{F::block}),
                          "tamis: row_bytes of a format with `scale` grows by the same step for each block; "
                          "where blocks lie in larger ones have `load` give the weights scaled, and leave "
                          "`scale` away");
        } else {
            static_assert(
                !requires { &F::scale; },
                "tamis: a format with `load` and `scale` needs `static constexpr std::size_t block` "
                "(how many weights share a scale, or tamis::whole_row) and `static float "
                "scale(const std::byte* row, std::size_t i)`; a `load` that gives the weights as they "
                "are needs no scale");
        }
    } else {
        static_assert(
            !requires { &F::load; },
            "tamis: `load` of a format is `static tamis::detail::vec load(const std::byte* row, "
            "std::size_t i)`");
        static_assert(
            !requires { &F::load_block; },
            "tamis: a format with `load_block` needs `load` too: not all vectors begin at a block");
    }
    if constexpr (!scaled_format<F>) {
        static_assert(
            !requires { &F::scales; }, "tamis: a format with `scales` needs `load`, `block` and `scale` too");
        static_assert(
            !requires { &F::load_block; },
            "tamis: a format with `load_block` needs `load`, `block` and `scale` too");
    } else {
        static_assert(
            !requires { &F::load_block; } ||
                requires(const std::byte* row, vec* out) { F::load_block(row, out); },
            "tamis: `load_block` of a format is `static void load_block(const std::byte* row, "
            "tamis::detail::vec* out)`");
        static_assert(
            !requires { &F::scales; } || requires(const std::byte* row, std::size_t n, float x,
                                                  float* out) { F::scales(row, n, x, out); },
            "tamis: `scales` of a format is `static void scales(const std::byte* row, std::size_t "
            "count, float factor, float* out)`");
    }
    return true;
}

/// So many weights lie in one block; 1 of a format that knows none.
template <class F>
inline constexpr std::size_t block_of = [] {
    static_assert(explain_format<F>());
    if constexpr (has_block<F>) {
        return std::size_t{F::block};
    } else {
        return std::size_t{1};
    }
}();

template <class F>
inline constexpr bool scaled_by_row = scaled_format<F> && block_of<F> == whole_row;
template <class F>
inline constexpr bool scaled_by_block = scaled_format<F> && block_of<F> != whole_row;
/// Whether row + row_bytes(i) - row_bytes(0) is read as a row that begins at vector i.
template <class F>
inline constexpr bool vectors_are_apart = fast_format<F> && (block_of<F> == 1 || scaled_by_row<F>);

/// vec::size weights of a row from i on, with whatever the format has; a scale is left out.
template <class F>
vec load_unscaled(const std::byte* row, std::size_t i) {
    if constexpr (fast_format<F>) {
        return F::load(row, i);
    } else {
        float floats[vec::size];
        for (std::size_t k = 0; k < vec::size; ++k) {
            floats[k] = F::at(row, i + k);
        }
        return load(floats);
    }
}
/// The same with the scale.
template <class F>
vec load_weights(const std::byte* row, std::size_t i) {
    if constexpr (scaled_by_block<F>) {
        return load_unscaled<F>(row, i) * vec(F::scale(row, i - i % block_of<F>));
    } else if constexpr (scaled_by_row<F>) {
        return load_unscaled<F>(row, i) * vec(F::scale(row, 0));
    } else {
        return load_unscaled<F>(row, i);
    }
}

} // namespace detail

TAMIS_END
