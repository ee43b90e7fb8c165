#pragma once

#include <tamis/kernel/step.hpp>

TAMIS_BEGIN

// Rows of weights as floats: what a dense product by another library takes.

/// The simple loop that unpack must equal, bit for bit.
template <class M>
void unpack_plain(const M& w, std::size_t row, std::size_t begin, std::size_t end, float* out) {
    for (std::size_t j = begin; j < end; ++j) {
        out[j - begin] = w.at(row, j);
    }
}

namespace detail {

/// Weights [begin, end) of the row of F that begins at `from`.
template <class F>
void unpack_row(const std::byte* from, std::size_t begin, std::size_t end, float* out) {
    using unit = unit_of<F>;
    using made = stretch_numbers<F, 1>;
    [[maybe_unused]] float row_scale = 1;
    if constexpr (scaled_by_row<F>) {
        row_scale = F::scale(from, 0);
    }
    const std::size_t last = end / unit::weights;
    typename made::of_row numbers{};
    for (std::size_t i = begin / unit::weights; i < last; ++i) {
        const std::size_t in_stretch = (i - begin / unit::weights) % unit::stretch;
        if constexpr (unit::numbers != 0) {
            if (in_stretch == 0) {
                made::fill(from, i, (std::min)(unit::stretch, last - i), 1.0f, numbers);
            }
        }
        vec weights[unit::vectors];
        load_scaled<F>(from, i, made::at(&numbers, 0, in_stretch), weights, typename unit::each_vector{});
        for (std::size_t v = 0; v < unit::vectors; ++v) {
            if constexpr (scaled_by_row<F>) {
                weights[v] = weights[v] * vec(row_scale);
            }
            store(out + i * unit::weights + v * vec::size - begin, weights[v]);
        }
    }
    for (std::size_t j = (std::max)(last * unit::weights, begin); j < end; ++j) {
        out[j - begin] = F::at(from, j);
    }
}

} // namespace detail

/// Weights [begin, end) of a row as floats; begin is a multiple of 64.
template <class M>
void unpack(const M& w, std::size_t row, std::size_t begin, std::size_t end, float* out) {
    detail::unpack_row<typename M::format_type>(detail::unseen(w.row(row)), begin, end, detail::unseen(out));
}

TAMIS_END
