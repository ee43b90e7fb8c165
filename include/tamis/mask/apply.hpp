#pragma once

#include <tamis/mask/mask.hpp>
#include <tamis/values.hpp>

TAMIS_BEGIN

// What is made of a mask: the list of active indices, and values with the rest set to zero.

/// Writes the indices of the active entries, ascending, into `out`; returns how many. `out` holds at least
/// mask.count() (size() is always enough); fewer is refused.
inline std::size_t active_indices(mask_view mask, std::span<std::uint32_t> out) {
    if (out.size() < mask.size() && out.size() < mask.count()) {
        fail_sizes("tamis::active_indices: needs room for %zu indices, got %zu", mask.count(), out.size());
    }
    std::size_t count = 0;
    mask.for_each_active([&](std::size_t i) { out[count++] = static_cast<std::uint32_t>(i); });
    return count;
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
        fail_sizes("tamis::zero_inactive: a mask over %zu entries is needed, got one over %zu", view.size(), mask.size());
    }
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (!mask[i]) {
            view[i] = entry{};
        }
    }
}

TAMIS_END
