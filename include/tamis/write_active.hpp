#pragma once

#include <tamis/cut.hpp>
#include <tamis/detail/compress.hpp>
#include <tamis/detail/lanes.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/score/score.hpp>

TAMIS_BEGIN

// What is made of a cut, in one pass over the scores: mask words, indices, (index, value) entries, or zeros in place.
// Each simple loop stands before the fast one that has to equal it.

/// The mask of the entries at or above a cut.
template <class Real>
void plain_write_mask(cut<Real> cut, scores<Real> s, mask_span out) {
    out.fill(false);
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (cut.keeps(s.bits(i))) {
            out.set(i, true);
        }
    }
}
template <class Real>
void write_mask(cut<Real> cut, scores<Real> s, mask_span out) {
    constexpr std::size_t lanes = detail::lane_count<Real>;
    const Real* const values = s.signed_scores().data();
    const detail::key_lanes<Real> below(static_cast<detail::key_of<Real>>(cut.bits()) - 1); // one instruction
    for (std::size_t word = 0; word < s.size() / 64; ++word) {
        std::uint64_t active = 0;
        for (std::size_t i = 0; i < 64; i += lanes) {
            active |= detail::lane_bits<Real>(detail::load_keys<Real>(values + word * 64 + i) > below) << i;
        }
        out.words()[word] = active;
    }
    if (s.size() % 64 != 0) {
        const std::size_t first = s.size() - s.size() % 64;
        plain_write_mask(cut, scores<Real>{s.signed_scores().subspan(first)},
                         mask_span{out.words().last(1), s.size() - first});
    }
}

/// The indices of the entries at or above a cut, ascending; how many. `out` holds as many as there are scores, and
/// what lies behind the last index is undefined. Refuses more than 2^32 scores, which 32 bits can not name.
template <class Real>
std::size_t plain_write_indices(cut<Real> cut, scores<Real> s, std::span<std::uint32_t> out) {
    detail::need_indices_for(s.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (cut.keeps(s.bits(i))) {
            out[count++] = static_cast<std::uint32_t>(i);
        }
    }
    return count;
}

/// The same with values, which are the scores' own or others beside them.
template <class Real>
std::size_t plain_write_entries(cut<Real> cut, scores<Real> s, std::span<const float> values,
                                std::span<entry> out) {
    detail::need_indices_for(s.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (cut.keeps(s.bits(i))) {
            out[count++] = {static_cast<std::uint32_t>(i), values[i]};
        }
    }
    return count;
}

template <class Real>
std::size_t write_indices(cut<Real> cut, scores<Real> s, std::span<std::uint32_t> out) {
    detail::need_indices_for(s.size());
    constexpr std::size_t lanes = detail::lane_count<Real>;
    const detail::key_lanes<Real> below(static_cast<detail::key_of<Real>>(cut.bits()) - 1); // one instruction
    std::uint32_t* next = out.data(); // in a register: nothing captures it
    std::size_t i = 0;
    for (; i + lanes <= s.size(); i += lanes) {
        const auto active = detail::load_keys<Real>(s.signed_scores().data() + i) > below;
        next += detail::compress_indices<lanes>(next, i, detail::lane_bits<Real>(active));
    }
    for (; i < s.size(); ++i) {
        if (cut.keeps(s.bits(i))) {
            *next++ = static_cast<std::uint32_t>(i);
        }
    }
    return static_cast<std::size_t>(next - out.data());
}

template <class Real>
std::size_t write_entries(cut<Real> cut, scores<Real> s, std::span<const float> values,
                          std::span<entry> out) {
    detail::need_indices_for(s.size());
    constexpr std::size_t lanes = detail::lane_count<Real>;
    const detail::key_lanes<Real> below(static_cast<detail::key_of<Real>>(cut.bits()) - 1); // one instruction
    entry* next = out.data();
    std::size_t i = 0;
    for (; i + lanes <= s.size(); i += lanes) {
        const auto active = detail::load_keys<Real>(s.signed_scores().data() + i) > below;
        next += detail::compress_entries<lanes>(next, values.data() + i, i, detail::lane_bits<Real>(active));
    }
    for (; i < s.size(); ++i) {
        if (cut.keeps(s.bits(i))) {
            *next++ = {static_cast<std::uint32_t>(i), values[i]};
        }
    }
    return static_cast<std::size_t>(next - out.data());
}

/// Sets what is below a cut to zero, in place.
template <class Real>
void plain_write_zeros(cut<Real> cut, std::span<Real> values) {
    for (Real& value : values) {
        if (!cut.keeps(magnitude_bits(value))) {
            value = Real{0};
        }
    }
}
template <class Real>
void write_zeros(cut<Real> cut, std::span<Real> values) {
    constexpr std::size_t lanes = detail::lane_count<Real>;
    const detail::key_lanes<Real> below(static_cast<detail::key_of<Real>>(cut.bits()) - 1); // one instruction
    const std::size_t whole = values.size() - values.size() % lanes;
    for (std::size_t i = 0; i < whole; i += lanes) {
        const auto bits = detail::bits_of_lanes<Real>(detail::real_lanes<Real>::load_unaligned(&values[i]));
        const auto active = detail::load_keys<Real>(&values[i]) > below;
        detail::reals_of<Real>(detail::only<Real>(active, bits)).store_unaligned(&values[i]);
    }
    plain_write_zeros(cut, values.subspan(whole));
}

TAMIS_END
