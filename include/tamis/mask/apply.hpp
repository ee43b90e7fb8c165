#pragma once

#include <tamis/detail/compress.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/values.hpp>

#include <vector>

TAMIS_BEGIN

// What is made of a mask: the list of active indices, and values with the rest set to zero.

/// The indices of the active entries by the simple loop; `out` holds at least mask.count().
inline std::size_t plain_active_indices(mask_view mask, std::span<std::uint32_t> out) {
    detail::need_indices_for(mask.size());
    std::size_t count = 0;
    mask.for_each_active([&](std::size_t i) { out[count++] = static_cast<std::uint32_t>(i); });
    return count;
}

/// Writes the indices of the active entries, ascending, into `out`; returns how many. `out` holds at least
/// mask.count(), or fewer are refused; with room for mask.size() it is written a vector at a time where the machine
/// can, and what lies behind the last index is then undefined. Refuses masks over more than 2^32 entries.
inline std::size_t active_indices(mask_view mask, std::span<std::uint32_t> out) {
    detail::need_indices_for(mask.size());
    if (out.size() < mask.size()) {
        if (out.size() < mask.count()) {
            fail_sizes("tamis::active_indices: needs room for %zu indices, got %zu", mask.count(),
                       out.size());
        }
        return plain_active_indices(mask, out);
    }
    constexpr std::size_t lanes = 16;
    std::uint32_t* const first_index = detail::unseen(out.data());
    std::uint32_t* next = first_index;
    for (std::size_t first = 0; first < mask.size(); first += lanes) {
        std::uint64_t active = (mask.words()[first / 64] >> (first % 64)) & 0xffff;
        if (first + lanes <= mask.size()) { // a store of so many stays within size()
            next += detail::compress_indices<lanes>(next, first, active);
        } else {
            for (; active != 0; active &= active - 1) {
                *next++ = static_cast<std::uint32_t>(first + detail::lowest_bit(active));
            }
        }
    }
    return static_cast<std::size_t>(next - first_index);
}

/// The same as a vector.
inline std::vector<std::uint32_t> active_indices(mask_view mask) {
    detail::need_indices_for(mask.size()); // before all of it is counted
    std::vector<std::uint32_t> indices(mask.count());
    active_indices(mask, indices);
    return indices;
}

/// Sets the entries that are not active to zero, in place.
template <class V>
constexpr void zero_inactive(V&& v, mask_view mask) {
    const auto view = detail::unseen(view_of(v));
    using value = std::remove_reference_t<decltype(view[0])>;
    static_assert(!std::is_const_v<value>, "tamis::zero_inactive: these values are read-only");
    if (view.size() != mask.size()) {
        fail_sizes("tamis::zero_inactive: a mask over %zu entries is needed, got one over %zu", view.size(),
                   mask.size());
    }
    std::size_t first = 0;
    for (const std::uint64_t word : mask.words()) {
        const std::size_t count = view.size() - first < 64 ? view.size() - first : 64;
        for (std::size_t i = 0; i < count; ++i) {
            view[first + i] = ((word >> i) & 1) != 0 ? view[first + i] : value{};
        }
        first += 64;
    }
}

TAMIS_END
