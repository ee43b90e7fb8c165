#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

TAMIS_BEGIN

// Which rows of a matrix a kernel reads: all of them, or the active ones by their ascending indices. The kernels
// are written once over both.

class all_rows {
  public:
    constexpr explicit all_rows(std::size_t count) : count_{count} {}
    constexpr std::size_t size() const { return count_; }
    constexpr std::size_t operator[](std::size_t k) const { return k; }

  private:
    std::size_t count_;
};

class active_rows {
  public:
    constexpr explicit active_rows(std::span<const std::uint32_t> indices) : indices_{indices} {}
    constexpr std::size_t size() const { return indices_.size(); }
    constexpr std::size_t operator[](std::size_t k) const { return indices_[k]; }

  private:
    std::span<const std::uint32_t> indices_;
};

TAMIS_END
