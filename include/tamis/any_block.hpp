#pragma once

#include <tamis/foreign_memory.hpp>
#include <tamis/sixteen_bits.hpp>
#include <tamis/values.hpp>

#include <cstddef>
#include <cstdint>

TAMIS_BEGIN

/// What numbers in memory are, where that is known at run time.
enum class number_type { f32, f64, f16, bf16, int8 };

/// Calls f with a number of the type; returns what it returns. Refuses another value than those of number_type.
template <class Call>
decltype(auto) with_number(number_type type, Call&& f) {
    switch (type) {
        case number_type::f32: return f(float{});
        case number_type::f64: return f(double{});
        case number_type::f16: return f(binary16{});
        case number_type::bf16: return f(bfloat16{});
        case number_type::int8: return f(std::int8_t{});
    }
    fail_value("tamis: there is no number_type %.0f; there are f32, f64, f16, bf16 and int8",
               static_cast<double>(type));
}
/// Bytes of one. Refuses the same.
inline std::size_t bytes_of(number_type type) {
    return with_number(type, []<class T>(T) { return sizeof(T); });
}

/// Rows of numbers whose type is known at run time: what an engine's tensor or another language's array says. Entry j of row i lies
/// i * row_stride + j * step numbers behind the first. Borrowed; Void is `const void` to read, `void` to write.
template <class Void>
class basic_any_block {
  public:
    /// Refuses numbers at a null pointer or one that is not aligned, and what overflows; there a block has the name.
    basic_any_block(number_type type, Void* data, std::size_t rows, std::size_t columns,
                    std::size_t row_stride, std::size_t step = 1, const char* name = "values")
        : type_{type},
          data_{data},
          rows_{rows},
          columns_{columns},
          row_stride_{row_stride},
          step_{step},
          memory_{name, data, checked_extent(name, rows, row_stride, columns, step, bytes_of(type)),
                  bytes_of(type)} {}

    /// What its numbers are.
    number_type type() const { return type_; }
    /// Where the first number is.
    Void* data() const { return data_; }
    /// How many rows.
    std::size_t rows() const { return rows_; }
    /// How many entries a row has.
    std::size_t columns() const { return columns_; }
    /// Numbers from a row to the next.
    std::size_t row_stride() const { return row_stride_; }
    /// Numbers from an entry to the next.
    std::size_t step() const { return step_; }
    /// From the first to the last, gaps included.
    const foreign_memory& memory() const { return memory_; }

    /// As a block of T, the type that it has. Refuses entries that do not lie directly behind each other.
    template <class T>
    block<T> as() const {
        if (step_ != 1 && columns_ > 1) {
            fail_sizes(
                "tamis: entries of a row have to lie directly behind each other, a step of %zu; it is %zu", 1,
                step_);
        }
        return {static_cast<T*>(data_), rows_, columns_, row_stride_};
    }

  private:
    number_type type_;
    Void* data_;
    std::size_t rows_, columns_, row_stride_, step_;
    foreign_memory memory_;
};
/// Numbers to read.
using any_block = basic_any_block<const void>;
/// Numbers to write.
using any_output = basic_any_block<void>;

TAMIS_END
