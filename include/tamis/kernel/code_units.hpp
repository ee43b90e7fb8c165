#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/kernel/int8_values.hpp>
#include <tamis/kernel/step.hpp>

TAMIS_BEGIN

// How a row of integer codes falls into units, runs and stretches, and the simple loop of a dot product with them.

namespace detail {

/// The weights of a run of F as integers: what it says of them in F::codes (see weight_format).
template <class F>
inline constexpr std::size_t run_of_codes =
    F::codes::run == whole_row ? int8_block : std::size_t{F::codes::run};

/// The simple loop: one row times one token's values.
template <class F>
float dot_int8_plain(const std::byte* row, std::size_t columns, const int8_vector& x) {
    using C = typename F::codes;
    float sum = 0;
    constexpr std::size_t run = run_of_codes<F>;
    float scales[int8_stretch / run] = {};
    float offsets[int8_stretch / run] = {};
    for (std::size_t first = 0; first < columns; first += run) {
        const std::size_t r = C::run == whole_row ? 0 : first % int8_stretch / run;
        if (r == 0) {
            const std::size_t runs = ((std::min)(columns - first, int8_stretch) + run - 1) / run;
            C::numbers(row, first, runs, scales, offsets);
        }
        int products = 0;
        for (std::size_t j = first; j < (std::min)(first + run, columns); ++j) {
            products += unseen_byte(C::at(row, j)) * x.codes[j];
        }
        sum += scales[r] * x.scales[first / run] * static_cast<float>(products);
        sum += C::has_offset ? offsets[r] * x.sums[first / run] : 0.0f;
    }
    return sum;
}

/// Units of codes in a row, and where memory is asked for ahead.
template <class F>
struct code_units {
    using C = typename F::codes;
    static constexpr std::size_t weights = C::unit;
    static constexpr std::size_t in_bytes =
        block_of<F> == 1 || block_of<F> == whole_row ? weights : (std::max)(block_of<F>, weights);
    static constexpr std::size_t bytes = (F::row_bytes(in_bytes) - F::row_bytes(0)) * weights / in_bytes;
    static constexpr std::size_t vectors = weights / 32;
    static constexpr std::size_t runs = weights / run_of_codes<F>;
    static constexpr std::size_t a_line = bytes < 64 ? (64 + bytes / 2) / bytes : 1;
    static constexpr std::size_t a_stretch = int8_stretch / weights;
    static constexpr std::size_t runs_a_stretch = int8_stretch / run_of_codes<F>;
    static constexpr bool scaled = C::run != whole_row; // by more than x's scales
};

/// How far ahead of a row that is so long memory is asked for: a whole row, up to a length, as in step.hpp.
constexpr std::size_t code_bytes_ahead(std::size_t row_bytes) {
    return row_bytes <= kernel_traits::whole_row_ahead ? row_bytes : kernel_traits::ahead_unpacking;
}

/// The same for rows of a pass, of which so many bytes each are read, for products in integers with vectors of eight lanes: they
/// keep up with memory, and are like others that do, but for rows of a list: a processor can not know where the next one lies.
inline std::size_t int8_bytes_ahead(const row_list& rows, std::size_t row_bytes) {
    if (kernel_traits::few_in_flight) {
        return rows.are_all() || row_bytes > 6144 ? 512 : row_bytes;
    }
    return (std::min)(row_bytes, std::size_t{1536});
}

} // namespace detail

TAMIS_END
