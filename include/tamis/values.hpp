#pragma once

#include <tamis/detail/hardened.hpp>
#include <tamis/element.hpp>
#include <tamis/error.hpp>
#include <tamis/whole_number.hpp>

#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

TAMIS_BEGIN

// Values are what a mask is made over: a contiguous run of elements, or a strided one that says so.

/// A stepped pointer: `count` elements, `step` elements apart (a column of a row-major matrix, one channel of
/// interleaved data). Reading it is a simple loop without SIMD; it has to be asked for by name.
template <element T>
class strided {
  public:
    /// The type of an entry.
    using value_type = std::remove_cv_t<T>;

    /// Refuses a negative count; the step may be negative or 0.
    constexpr strided(T* data, whole_number count, std::ptrdiff_t step)
        : data_{data}, count_{count.or_fail("tamis::strided: the count")}, step_{step} {}
    template <std::floating_point Step>
    strided(T*, whole_number, Step) = delete; // tamis: the step is in elements, a whole number

    /// How many entries.
    constexpr std::size_t size() const { return count_; }
    /// Entry i; TAMIS_HARDENED checks i.
    constexpr T& operator[](std::size_t i) const {
        if constexpr (detail::hardened) {
            detail::need_index("tamis::strided: it has %zu entries, asked for was entry %zu", i, count_);
        }
        return data_[static_cast<std::ptrdiff_t>(i) * step_];
    }

  private:
    T* data_;
    std::size_t count_;
    std::ptrdiff_t step_;
};

/// How a type is seen as values: `static auto view(V&)` returns a std::span or a strided. Open for
/// specialisation: <tamis/eigen.hpp> adds Eigen's vectors, maps, segments and columns.
template <class V>
struct values_access {};

template <class V>
    requires std::ranges::contiguous_range<V> && std::ranges::sized_range<V>
struct values_access<V> {
    /// As they are read.
    static constexpr auto view(V& values) {
        return std::span{std::ranges::data(values), static_cast<std::size_t>(std::ranges::size(values))};
    }
};

/// Strided values are read where they lie.
template <class T>
struct values_access<strided<T>> {
    /// As they are read.
    static constexpr strided<T> view(const strided<T>& values) { return values; }
};
template <class T>
struct values_access<const strided<T>> : values_access<strided<T>> {};

namespace detail {

template <class View>
using view_element = std::remove_reference_t<decltype(std::declval<const View&>()[0])>;

} // namespace detail

/// Models: any contiguous sized range of elements (std::vector, std::array, std::span, T[N]); tamis::strided;
/// with <tamis/eigen.hpp> Eigen's dense vectors, maps, segments and columns.
template <class V>
concept values = requires(std::remove_reference_t<V>& v) {
    { values_access<std::remove_reference_t<V>>::view(v).size() } -> std::convertible_to<std::size_t>;
    requires element<detail::view_element<decltype(values_access<std::remove_reference_t<V>>::view(v))>>;
};

/// The view of values: std::span<T> or strided<T>. Says at compile time what to do when V is not values.
template <class V>
constexpr auto view_of(V&& v) {
    static_assert(
        values<V>,
        "tamis: these are not values. Values are a contiguous range of numbers (float, double, "
        "signed integers, half, bfloat16); wrap a strided row or column in tamis::strided(pointer, "
        "count, step); include <tamis/eigen.hpp> for Eigen vectors; evaluate an Eigen expression "
        "into a vector first; give a number type of your own tamis::element_traits. Unsigned numbers, bool "
        "and what a double would cut short (long double, float128_t) are none: convert them first.");
    return values_access<std::remove_reference_t<V>>::view(v);
}

/// The real that the elements of V are read as.
template <values V>
using values_real = real_of<detail::view_element<decltype(values_access<std::remove_reference_t<V>>::view(
    std::declval<std::remove_reference_t<V>&>()))>>;

/// Rows of equal length, `stride` elements apart: tokens x width.
template <element T>
class block {
  public:
    /// The type of an entry.
    using value_type = std::remove_cv_t<T>;

    /// Refuses a negative size, and a stride shorter than a row where there are several.
    constexpr block(T* data, whole_number rows, whole_number columns) : block{data, rows, columns, columns} {}
    /// Rows of `columns` entries, `stride` entries from one to the next. Refuses a stride shorter than a row, and null
    /// with a size.
    constexpr block(T* data, whole_number rows, whole_number columns, whole_number stride)
        : data_{data},
          rows_{rows.or_fail("tamis::block: rows")},
          columns_{columns.or_fail("tamis::block: columns")},
          stride_{stride.or_fail("tamis::block: stride")} {
        if (stride_ < columns_ && rows_ > 1) {
            fail_sizes("tamis::block: stride must be at least the %zu columns, got %zu", columns_, stride_);
        }
        if (data == nullptr && rows_ != 0 && columns_ != 0) {
            fail_sizes("tamis::block: %zu rows of %zu columns at a null pointer", rows_, columns_);
        }
    }
    /// To read.
    constexpr operator block<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data_, rows_, columns_, stride_};
    }

    /// How many rows.
    constexpr std::size_t rows() const { return rows_; }
    /// How many entries a row has.
    constexpr std::size_t columns() const { return columns_; }
    /// Entries from a row to the next.
    constexpr std::size_t stride() const { return stride_; }
    /// Row i; TAMIS_HARDENED checks i.
    constexpr std::span<T> row(std::size_t i) const {
        if constexpr (detail::hardened) {
            if (i != 0) { // row 0 of an empty block is where it would begin
                detail::need_index("tamis::block: it has %zu rows, asked for was row %zu", i, rows_);
            }
        }
        return {data_ + i * stride_, columns_};
    }

  private:
    T* data_;
    std::size_t rows_, columns_, stride_;
};

TAMIS_END
