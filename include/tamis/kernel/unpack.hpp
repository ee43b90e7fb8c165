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

/// Weights [begin, end) of a row as floats; begin is a multiple of 64.
template <class M>
void unpack(const M& w, std::size_t row, std::size_t begin, std::size_t end, float* out) {
    using F = typename M::format_type;
    using unit = detail::unit_of<F>;
    const std::byte* const from = detail::unseen(w.row(row));
    out = detail::unseen(out);
    [[maybe_unused]] float row_scale = 1;
    if constexpr (detail::scaled_by_row<F>) {
        row_scale = F::scale(from, 0);
    }
    const std::size_t last = end / unit::weights;
    float scales[unit::stretch];
    for (std::size_t i = begin / unit::weights; i < last; ++i) {
        const std::size_t in_stretch = (i - begin / unit::weights) % unit::stretch;
        if constexpr (detail::scaled_by_block<F>) {
            if (in_stretch == 0) {
                detail::stretch_scales<F, 1>::scales_of(from + i * unit::bytes,
                                                        (std::min)(unit::stretch, last - i), 1.0f, scales);
            }
        }
        detail::vec weights[unit::vectors];
        detail::load_unit<F>(from, i, weights);
        for (std::size_t v = 0; v < unit::vectors; ++v) {
            if constexpr (detail::scaled_by_block<F>) {
                weights[v] = weights[v] * detail::vec(scales[in_stretch]);
            } else if constexpr (detail::scaled_by_row<F>) {
                weights[v] = weights[v] * detail::vec(row_scale);
            }
            detail::store(out + i * unit::weights + v * detail::vec::size - begin, weights[v]);
        }
    }
    for (std::size_t j = (std::max)(last * unit::weights, begin); j < end; ++j) {
        out[j - begin] = w.at(row, j);
    }
}

TAMIS_END
