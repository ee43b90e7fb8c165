#pragma once

#include "ffn/support.hpp"

#include <tamis/ffn/repack.hpp>

#include <span>
#include <vector>

// What the tests of repack share.

/// The bytes that a result has to have: each row packed whole from the floats that `at` reads.
template <class F, class M>
std::vector<std::byte> packed_plainly(const M& source, bool transposed) {
    const std::size_t rows = transposed ? source.columns() : source.rows();
    const std::size_t columns = transposed ? source.rows() : source.columns();
    std::vector<std::byte> bytes(rows * F::row_bytes(columns));
    std::vector<float> floats(columns);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            floats[j] = transposed ? source.at(j, i) : source.at(i, j);
        }
        F::pack(floats, bytes.data() + i * F::row_bytes(columns));
    }
    return bytes;
}

/// The bytes of a matrix without what lies between its rows.
template <class F, class L>
std::vector<std::byte> bytes_of(const tamis::matrix<F, L>& m) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < m.rows(); ++i) {
        bytes.insert(bytes.end(), m.row(i), m.row(i) + m.row_bytes());
    }
    return bytes;
}

/// `rows` x `columns` weights, their rows apart and not aligned.
template <class F, class L>
stored<F, L> random_stored(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    engine random{seed};
    return {random_dense(rows, columns, random), true, 5, 1};
}

/// Rows and columns at, above and below whole vectors, blocks, tiles and bands.
inline constexpr std::pair<std::size_t, std::size_t> shapes_to_repack[] = {{1, 1},    {3, 5},    {17, 33},
                                                                           {64, 128}, {129, 65}, {32, 257},
                                                                           {300, 191}};
