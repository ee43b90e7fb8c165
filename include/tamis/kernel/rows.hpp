#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

TAMIS_BEGIN

// Which rows of a matrix a kernel reads: all of them, or the active ones by their ascending indices. The kernels
// are written once over both.

/// So many tokens share one reading of the weights at most.
inline constexpr std::size_t most_tokens = 16;

class all_rows {
  public:
    constexpr explicit all_rows(std::size_t count) : count_{count} {}
    constexpr std::size_t size() const { return count_; }
    constexpr std::size_t operator[](std::size_t k) const { return first_ + k; }
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
    constexpr active_rows part(std::size_t k, std::size_t count) const {
        return active_rows{indices_.subspan(k, count)};
    }

  private:
    std::span<const std::uint32_t> indices_;
};

TAMIS_END
