#pragma once

#include <tamis/detail/hardened.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

TAMIS_BEGIN

// Which rows of a matrix a kernel reads: all of them, or the active ones by their ascending indices.

/// So many tokens share one reading of the weights at most.
inline constexpr std::size_t most_tokens = 16;

class all_rows {
  public:
    constexpr explicit all_rows(std::size_t count) : count_{count} {}
    constexpr std::size_t size() const { return count_; }
    constexpr std::size_t operator[](std::size_t k) const { return first_ + k; }
    constexpr std::size_t first() const { return first_; }
    /// Those from place k on, `count` of them.
    constexpr all_rows part(std::size_t k, std::size_t count) const { return all_rows{count, first_ + k}; }

  private:
    constexpr all_rows(std::size_t count, std::size_t first) : count_{count}, first_{first} {}

    std::size_t count_;
    std::size_t first_ = 0;
};

class active_rows {
  public:
    constexpr explicit active_rows(std::span<const std::uint32_t> indices) : indices_{indices} {}
    constexpr std::size_t size() const { return indices_.size(); }
    constexpr std::size_t operator[](std::size_t k) const { return indices_[k]; }
    constexpr std::span<const std::uint32_t> indices() const { return indices_; }
    constexpr active_rows part(std::size_t k, std::size_t count) const {
        return active_rows{indices_.subspan(k, count)};
    }

  private:
    std::span<const std::uint32_t> indices_;
};

namespace detail {

/// Either of them, and where the rows lie: all that a kernel is told of a matrix but its format, so that it is compiled once
/// for all layouts and lists.
class row_list {
  public:
    template <class M>
    row_list(const M& w, all_rows rows)
        : first_{w.row(rows.first())}, stride_{w.stride_bytes()}, start_{rows.first()}, size_{rows.size()} {}
    template <class M>
    row_list(const M& w, active_rows rows)
        : first_{w.row(0)}, stride_{w.stride_bytes()}, indices_{rows.indices().data()}, size_{rows.size()} {
        if constexpr (hardened) {
            for (std::size_t k = 0; k < size_; ++k) {
                need_index("tamis: a matrix has %zu rows, but an active row is %zu", indices_[k], w.rows());
                if (k != 0 && indices_[k] <= indices_[k - 1]) {
                    fail_sizes("tamis: active rows have to ascend, but row %zu is followed by %zu",
                               indices_[k - 1], indices_[k]);
                }
            }
        }
    }

    std::size_t size() const { return size_; }
    /// The number of the row at place k.
    std::size_t operator[](std::size_t k) const { return indices_ != nullptr ? indices_[k] : start_ + k; }
    /// Whether each row lies behind the one before, so that a processor can go on by itself.
    bool are_all() const { return indices_ == nullptr; }
    /// Where it begins.
    const std::byte* memory(std::size_t k) const {
        return first_ + (indices_ != nullptr ? indices_[k] : k) * stride_;
    }

    /// Bytes from row i of a piece to row i of the next, where the list is cut into so many; of listed rows what they are a
    /// multiple of.
    std::size_t spacing(std::size_t pieces) const {
        return indices_ != nullptr ? stride_ : size_ / pieces * stride_;
    }

  private:
    const std::byte* first_;
    std::size_t stride_;
    const std::uint32_t* indices_ = nullptr; // none: all rows from `start_` on
    std::size_t start_ = 0;
    std::size_t size_;
};

} // namespace detail

TAMIS_END
