#pragma once

#include <tamis/detail/unseen.hpp>
#include <tamis/kernel/kernel_traits.hpp>
#include <tamis/kernel/rows.hpp>
#include <tamis/matrix.hpp>
#include <tamis/values.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

// A build without flags compiles and runs, and nothing else would say what it costs.
#if (defined(__x86_64__) || defined(__i386__)) && !defined(__AVX2__) && !defined(TAMIS_NO_ISA_NOTE)
// clang-format off
#pragma message("tamis: compiled without AVX2, its kernels take several times as long. Pass -march=native, or -march=x86-64-v3 for nearly all processors since 2013; -D TAMIS_NO_ISA_NOTE silences this note.")
// clang-format on
#endif

TAMIS_BEGIN

// What the kernels are made of. They take several rows in one pass, a unit of each at a time, and ask for memory ahead: in
// the same rows, then in those of the next pass. Long runs through memory are what processors fetch best. So a list of
// rows is cut into as many pieces as there are rows in a pass, and each pass takes the next row of every piece: a few
// runs that go on from row to row, and cross the memory once.

namespace detail {

template <class T>
constexpr block<T> unseen(block<T> values) {
    return {unseen(values.row(0).data()), values.rows(), values.columns(), values.stride()};
}

/// How a row of F falls into units: what one load and one scale deal in, a block that has a scale or else a vector, or what
/// the format says. So many units make a stretch.
template <class F>
struct unit_of {
    static constexpr std::size_t weights = [] {
        if constexpr (unit_format<F>) {
            return std::size_t{F::unit};
        } else {
            return scaled_by_block<F> ? block_of<F> : vec::size;
        }
    }();
    /// Floats that are made for a unit before it is loaded: its scale, or what the format says.
    static constexpr std::size_t numbers = [] {
        if constexpr (unit_format<F>) {
            return std::size_t{F::factors};
        } else {
            return std::size_t{scaled_by_block<F> ? 1 : 0};
        }
    }();
    // Of blocks without a scale a mean, which says where memory is asked for ahead, and no more.
    static constexpr std::size_t in_bytes = (std::max)(block_of<F>, weights);
    static constexpr std::size_t bytes =
        (std::max)((F::row_bytes(in_bytes) - F::row_bytes(0)) * weights / in_bytes, std::size_t{1});
    static constexpr std::size_t vectors = weights / vec::size;
    static constexpr std::size_t stretch = 16;
    static constexpr std::size_t a_line = bytes < 64 ? 64 / bytes : 1; // as many share a cache line
    using each_vector = std::make_index_sequence<vectors>;
    /// Units that loops take between two tests, for formats whose unit is a vector.
    static constexpr std::size_t in_hand =
        numbers != 0 || vectors != 1 ? 1 : (std::max)(a_line, kernel_traits::vectors_in_hand);
    using each_in_hand = std::make_index_sequence<in_hand>;
};

/// Whether weights of F take longer to unpack than to fetch.
template <class F>
inline constexpr bool takes_unpacking = unit_of<F>::bytes < 2 * unit_of<F>::weights;

/// Whether memory is asked for no further ahead than hides the way to it: of weights that are read nearly as fast as memory, where few
/// lines may be in flight.
template <class F>
inline constexpr bool asks_near =
    kernel_traits::few_in_flight && unit_of<F>::numbers == 0 && unit_of<F>::bytes >= unit_of<F>::weights;

/// Rows a pass of pieces that are so many bytes apart.
template <class F>
constexpr std::size_t rows_a_pass(const tuning& by, std::size_t spacing) {
    if (by.rows != tuning::by_instruction_set) {
        return by.rows <= 4 ? 4 : 8;
    }
    return kernel_traits::few_ways && (unit_format<F> || (!asks_near<F> && spacing % 4096 == 0)) ? 4 : 8;
}

/// How far ahead memory is asked for, in units: twice as far where half as many rows are in hand. Formats that take longer to
/// unpack than to fetch did best with a whole row, up to a length.
template <class F>
constexpr std::size_t units_ahead(std::size_t units_in_row, const tuning& by = {}, bool halved = false) {
    using unit = unit_of<F>;
    constexpr bool unpacks = takes_unpacking<F> && !asks_near<F>;
    if (by.ahead != tuning::by_instruction_set) {
        return (std::min)(by.ahead / unit::bytes, units_in_row);
    }
    const bool whole = unpacks && units_in_row * unit::bytes <= kernel_traits::whole_row_ahead;
    return whole ? units_in_row
                 : (std::min)((unpacks  ? kernel_traits::ahead_unpacking
                               : halved ? 2 * kernel_traits::ahead
                                        : kernel_traits::ahead) /
                                  unit::bytes,
                              units_in_row);
}

/// Count * passes rows of a list from place `first` on, cut into Count pieces of equal length: pass i takes row i of each.
/// Or into twice as many pieces, of which every other pass takes the first half, and the next one the second: what is summed
/// row after row then comes in the order of passes of twice the rows.
template <std::size_t Count>
struct passes_of {
    const row_list& rows;
    std::size_t first, passes;
    bool halved = false;

    std::size_t row(std::size_t pass, std::size_t k) const { return rows[place(pass, k)]; }
    const std::byte* memory(std::size_t pass, std::size_t k) const { return rows.memory(place(pass, k)); }

  private:
    std::size_t place(std::size_t pass, std::size_t k) const {
        return halved ? first + pass / 2 + (pass % 2 * Count + k) * (passes / 2) : first + pass + k * passes;
    }
};

/// Where the rows of a pass begin, and those of the next one, which memory is asked for behind them (behind the last pass: its own).
template <std::size_t Count>
struct rows_of_pass {
    const std::byte* now[Count];
    const std::byte* next[Count];

    TAMIS_DETAIL_INLINE rows_of_pass(const passes_of<Count>& passes, std::size_t pass) {
        for (std::size_t k = 0; k < Count; ++k) {
            now[k] = unseen(passes.memory(pass, k));
            next[k] = passes.memory((std::min)(pass + 1, passes.passes - 1), k);
        }
    }
};

/// Calls f(passes, i) for every pass over the rows: Most rows at a time, and the rest by fewer.
template <std::size_t Most = 8, class F>
void for_each_pass(const row_list& rows, F&& f, std::size_t first = 0) {
    const passes_of<Most> all{rows, first, (rows.size() - first) / Most};
    for (std::size_t i = 0; i < all.passes; ++i) {
        f(all, i);
    }
    if constexpr (Most > 1) {
        for_each_pass<(Most == 4 ? 1 : Most / 2)>(rows, f, first + all.passes * Most);
    }
}
/// The same, eight rows or four at a time, as suits. The order of the rows is the same.
template <class F, class Call>
void for_each_tuned_pass(const row_list& rows, const tuning& by, Call&& call) {
    if (rows_a_pass<F>(by, rows.spacing(8)) == 8) {
        return for_each_pass<8>(rows, call);
    }
    const passes_of<4> all{rows, 0, rows.size() / 8 * 2, true};
    for (std::size_t i = 0; i < all.passes; ++i) {
        call(all, i);
    }
    for_each_pass<4>(rows, call, all.passes * 4);
}

/// Where the rows of a pass begin in memory, those of the next one, and what is asked for ahead in either.
template <class F, std::size_t Count>
struct rows_in_hand {
    using unit = unit_of<F>;
    const std::byte* now[Count];
    const std::byte* next[Count];
    const std::byte* ask[Count];
    std::size_t first, last, ahead; // units

    /// Units [first_unit, last_unit) of the rows of pass i.
    rows_in_hand(const passes_of<Count>& all, std::size_t i, std::size_t first_unit, std::size_t last_unit,
                 const tuning& by = {})
        : first{first_unit}, last{last_unit}, ahead{units_ahead<F>(last - first, by, all.halved)} {
        for (std::size_t k = 0; k < Count; ++k) {
            now[k] = unseen(all.memory(i, k));
            next[k] = all.memory((std::min)(i + 1, all.passes - 1), k);
        }
    }

    /// Has ask[k] such that its unit i is what will be asked for while unit i of a stretch from `from` on is in hand.
    void look_ahead(std::size_t from) {
        for (std::size_t k = 0; k < Count; ++k) {
            ask[k] = from + ahead < last ? now[k] + ahead * unit::bytes
                                         : next[k] - (last - first - ahead) * unit::bytes;
        }
    }
    /// The end of the stretch from `from` on. One that has no numbers made for it ends where look_ahead comes to the next
    /// rows: two are all of a row.
    std::size_t end_of_stretch(std::size_t from) const {
        if constexpr (unit::numbers != 0) {
            return (std::min)(from + unit::stretch, last);
        } else {
            return from + ahead < last ? last - ahead : last;
        }
    }
    TAMIS_DETAIL_INLINE void ask_for([[maybe_unused]] std::size_t i) const {
        for (std::size_t k = 0; k < Count; ++k) {
            prefetch(ask[k] + i * unit::bytes);
            if constexpr (unit::bytes > 64) {
                prefetch(ask[k] + i * unit::bytes + 64);
            }
        }
    }
    /// Once a cache line, for unit U of those in hand from i on, or for the unit at a place of its stretch.
    template <std::size_t U>
    TAMIS_DETAIL_INLINE void ask_in_group(std::size_t i) const {
        if constexpr (U % unit::a_line == 0) {
            ask_for(i + U);
        }
    }
    TAMIS_DETAIL_INLINE void ask_in_turn(std::size_t i, std::size_t place) const {
        if (place % unit::a_line == 0) {
            ask_for(i);
        }
    }
};

/// A unit of a row as vectors, without its scale. (A fold, not a loop: g++ at -O2 keeps what a loop fills in memory.)
template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void load_each(const std::byte* row, std::size_t i, vec* out, std::index_sequence<V...>) {
    using unit = unit_of<F>;
    if constexpr (scaled_by_block<F> || vectors_are_apart<F>) {
        ((out[V] = F::load(row + i * unit::bytes, V * vec::size)), ...);
    } else {
        ((out[V] = load_unscaled<F>(row, i * unit::weights + V * vec::size)), ...);
    }
}
template <class F>
TAMIS_DETAIL_INLINE void load_unit(const std::byte* row, std::size_t i, [[maybe_unused]] const float* numbers,
                                   vec (&out)[unit_of<F>::vectors]) {
    if constexpr (unit_format<F>) {
        F::load_unit(row, i * unit_of<F>::weights, numbers, out);
    } else if constexpr (requires { F::load_block(row, out); }) {
        F::load_block(row + i * unit_of<F>::bytes, out);
    } else {
        load_each<F>(row, i, out, typename unit_of<F>::each_vector{});
    }
}

/// The same of what a row of so many columns has behind its last whole unit, with zeros or padding behind that, so that the
/// weights there can be treated as all others are. Nothing is read behind the row.
template <class F>
void load_rest(const std::byte* row, std::size_t i, std::size_t columns, vec (&out)[unit_of<F>::vectors]) {
    using unit = unit_of<F>;
    if constexpr (scaled_by_block<F> || vectors_are_apart<F>) {
        std::byte rest[F::row_bytes(unit::weights)] = {}; // of a row that is this unit alone
        std::memcpy(rest, row + i * unit::bytes,
                    (std::min)(sizeof rest, F::row_bytes(columns) - i * unit::bytes));
        load_unit<F>(rest, 0, nullptr, out);
    } else {
        float rest[unit::weights] = {};
        for (std::size_t j = i * unit::weights; j < columns; ++j) {
            rest[j - i * unit::weights] = F::at(row, j);
        }
        for (std::size_t v = 0; v < unit::vectors; ++v) {
            out[v] = load(rest + v * vec::size);
        }
    }
}

/// A unit of a row as vectors, with its scale.
template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void load_scaled(const std::byte* row, std::size_t i, const float* numbers,
                                     vec (&out)[sizeof...(V)], std::index_sequence<V...>) {
    load_unit<F>(row, i, numbers, out);
    if constexpr (scaled_by_block<F>) {
        ((out[V] = out[V] * vec(*numbers)), ...);
    }
}

/// What is made for the units of a stretch of Count rows before they are loaded, a stretch ahead, so that nothing waits for
/// conversions: the scales of blocks, each times a factor, or a format's own factors. Empty for formats that have none.
template <class F, std::size_t Count>
class stretch_numbers {
    using unit = unit_of<F>;
    static constexpr std::size_t each = (std::max)(unit::numbers, std::size_t{1});

  public:
    using of_row = float[unit::stretch * each];

    /// Makes those of the units from `from` on ready, as far as there are any before `last`.
    void ready(const std::byte* const (&rows)[Count], std::size_t from, std::size_t last,
               const float (&factor)[Count]) {
        if constexpr (unit::numbers != 0) {
            const std::size_t count = (std::min)(unit::stretch, last - from);
            for (std::size_t k = 0; k < Count && count != 0; ++k) {
                fill(rows[k], from, count, factor[k], numbers_[side_][k]);
            }
        }
    }
    /// Hands out what was made ready; the next will be made beside it.
    const of_row* turn() {
        side_ = 1 - side_;
        return numbers_[1 - side_];
    }
    /// Those of unit i of the stretch, of row k.
    static const float* at(const of_row* now, std::size_t k, std::size_t i) {
        return unit::numbers != 0 ? now[k] + i * each : now[0];
    }

    /// Those of `count` units of a row from unit `from` on.
    static void fill(const std::byte* row, std::size_t from, std::size_t count, [[maybe_unused]] float factor,
                     float* out) {
        if constexpr (unit_format<F>) {
            F::unpack_factors(row, from * unit::weights, count, out);
        } else {
            row += from * unit::bytes;
            if constexpr (requires { F::scales(row, count, factor, out); }) {
                F::scales(row, count, factor, out);
            } else {
                for (std::size_t b = 0; b < count; ++b) {
                    out[b] = factor * F::scale(row + b * unit::bytes, 0);
                }
            }
        }
    }

  private:
    of_row numbers_[2][unit::numbers != 0 ? Count : 1];
    std::size_t side_ = 0;
};

} // namespace detail

TAMIS_END
