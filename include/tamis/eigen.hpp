#pragma once

#include <tamis/values.hpp>

#include <Eigen/Core>

TAMIS_BEGIN

// Optional: Eigen's vectors as values. Nothing else in the library includes Eigen.

namespace detail {

template <class Derived>
void takes_dense(const Eigen::DenseBase<Derived>&);

template <class V>
concept eigen_dense = requires(const V& v) { takes_dense(v); };

template <class V>
concept eigen_direct_vector =
    eigen_dense<V> && (int(std::remove_cv_t<V>::Flags) & int(Eigen::DirectAccessBit)) != 0 &&
    bool(std::remove_cv_t<V>::IsVectorAtCompileTime);

} // namespace detail

/// Eigen's contiguous vectors: VectorX, Map, segment, head, a column of a column-major matrix, a row of a
/// row-major one. In Eigen 5 some of these are contiguous ranges already.
template <class V>
    requires(detail::eigen_direct_vector<V> && int(std::remove_cv_t<V>::InnerStrideAtCompileTime) == 1 &&
             !std::ranges::contiguous_range<V>)
struct values_access<V> {
    /// As a span.
    static auto view(V& v) { return std::span{v.data(), static_cast<std::size_t>(v.size())}; }
};

/// An Eigen vector of any stride (a row of a column-major matrix) as values, by the simple loop.
template <class V>
    requires detail::eigen_direct_vector<std::remove_reference_t<V>>
auto strided_eigen(V&& v) {
    return strided{v.data(), static_cast<std::size_t>(v.size()),
                   static_cast<std::ptrdiff_t>(v.innerStride())};
}

/// The rows of a row-major Eigen matrix (a token a row) as a block.
template <class M>
auto eigen_block(M&& m) {
    static_assert(bool(std::remove_cvref_t<M>::IsRowMajor),
                  "tamis::eigen_block: a row-major matrix is needed, a token a row");
    return block{m.data(), static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols()),
                 static_cast<std::size_t>(m.outerStride())};
}

TAMIS_END
