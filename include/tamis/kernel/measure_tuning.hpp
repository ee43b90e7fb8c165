#pragma once

#include <tamis/error.hpp>
#include <tamis/kernel/dot_rows.hpp>
#include <tamis/kernel/sum_rows.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>

TAMIS_BEGIN

namespace detail {

/// Seconds of both products with the rows from place `first` on.
template <class M>
double seconds_with(const M& w, all_rows rows, std::span<float> x, std::span<float> y, const tuning& by) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    dot_rows(w, rows, x, y, by);
    sum_rows(w, rows, x, y, 0, w.columns(), by);
    return std::chrono::duration<double>(clock::now() - start).count();
}

} // namespace detail

/// The tuning with which this processor reads w quickest: of each format one, for all matrices of its widths. It takes as long
/// as reading the matrix 16 times; measure one that no cache holds, on a quiet machine, and keep the answer. `scratch`: floats,
/// twice as many as w has rows, or columns if those are more. A matrix of fewer than 1024 rows tells nothing: what follows
/// the instruction set is returned.
template <class M>
tuning measure_tuning(const M& w, std::span<float> scratch) {
    const std::size_t longest = (std::max)(w.rows(), w.columns());
    if (scratch.size() < 2 * longest) {
        fail_sizes(
            "tamis::measure_tuning: scratch needs %zu floats (twice the longer side of w), and has %zu",
            2 * longest, scratch.size());
    }
    constexpr tuning candidates[] = {{}, {4}, {8}, {4, 1024}, {4, 2048}, {8, 384}, {8, 1024}, {8, 2048}};
    constexpr std::size_t count = std::size(candidates);
    constexpr std::size_t rounds = 8;
    const std::size_t part = w.rows() / count / 8 * 8;
    if (part < 128) {
        return {};
    }
    detail::fill_n(scratch.data(), scratch.size(), 0.0f);
    const auto x = scratch.first(longest);
    const auto y = scratch.last(longest);
    double times[count][rounds];
    for (std::size_t round = 0; round < rounds; ++round) { // in turn, each on other rows every time
        for (std::size_t i = 0; i < count; ++i) {
            const auto rows = all_rows{w.rows()}.part((i + round) % count * part, part);
            times[i][round] = detail::seconds_with(w, rows, x, y, candidates[i]);
        }
    }
    std::size_t best = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::nth_element(times[i], times[i] + rounds / 2, times[i] + rounds);
        if (times[i][rounds / 2] < 0.98 * times[best][rounds / 2]) { // less is noise
            best = i;
        }
    }
    return candidates[best];
}

TAMIS_END
