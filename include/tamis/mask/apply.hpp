#pragma once

#include <tamis/mask/mask.hpp>
#include <tamis/values.hpp>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

TAMIS_BEGIN

// What is made of a mask: the list of active indices, and values with the rest set to zero.

/// The indices of the active entries by the simple loop; `out` holds at least mask.count().
inline std::size_t plain_active_indices(mask_view mask, std::span<std::uint32_t> out) {
    std::size_t count = 0;
    mask.for_each_active([&](std::size_t i) { out[count++] = static_cast<std::uint32_t>(i); });
    return count;
}

/// Writes the indices of the active entries, ascending, into `out`; returns how many. `out` holds at least
/// mask.count(), or fewer are refused; with room for mask.size() it is written a vector at a time where the machine
/// can, and what lies behind the last index is then undefined.
inline std::size_t active_indices(mask_view mask, std::span<std::uint32_t> out) {
    if (out.size() < mask.size()) {
        if (out.size() < mask.count()) {
            fail_sizes("tamis::active_indices: needs room for %zu indices, got %zu", mask.count(),
                       out.size());
        }
        return plain_active_indices(mask, out);
    }
#if defined(__AVX512F__)
    std::size_t count = 0;
    const std::size_t whole =
        mask.size() / 64; // words whose 64 entries exist: a store of 16 stays within size()
    __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (std::size_t word = 0; word < whole; ++word) {
        const std::uint64_t bits = mask.words()[word];
        for (unsigned part = 0; part < 64; part += 16) {
            const auto chosen = static_cast<__mmask16>(bits >> part);
            _mm512_storeu_si512(out.data() + count, _mm512_maskz_compress_epi32(chosen, lanes));
            count += static_cast<std::size_t>(std::popcount(static_cast<std::uint16_t>(chosen)));
            lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(16));
        }
    }
    for (std::size_t i = whole * 64; i < mask.size(); ++i) {
        out[count] = static_cast<std::uint32_t>(i);
        count += mask[i] ? 1 : 0;
    }
    return count;
#else
    return plain_active_indices(mask, out);
#endif
}

/// The same as a vector.
inline std::vector<std::uint32_t> active_indices(mask_view mask) {
    std::vector<std::uint32_t> indices(mask.count());
    active_indices(mask, indices);
    return indices;
}

/// Sets the entries that are not active to zero, in place.
template <class V>
constexpr void zero_inactive(V&& v, mask_view mask) {
    const auto view = view_of(v);
    using entry = std::remove_reference_t<decltype(view[0])>;
    static_assert(!std::is_const_v<entry>, "tamis::zero_inactive: these values are read-only");
    if (view.size() != mask.size()) {
        fail_sizes("tamis::zero_inactive: a mask over %zu entries is needed, got one over %zu", view.size(),
                   mask.size());
    }
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (!mask[i]) {
            view[i] = entry{};
        }
    }
}

TAMIS_END
