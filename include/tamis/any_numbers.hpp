#pragma once

#include <tamis/detail/from_reals.hpp>
#include <tamis/error.hpp>
#include <tamis/format/f32.hpp>

#include <string>
#include <string_view>
#include <vector>

TAMIS_BEGIN

/// A vector of numbers whose type is known at run time: a bias, norms, scales as a file or an engine has them. Borrowed; one without
/// any is no vector, and false.
class any_numbers {
  public:
    any_numbers() = default;
    /// `format` is f32, f16 or bf16; refuses others by the vector's name.
    any_numbers(const char* name, std::string_view format, const void* data, std::size_t size)
        : data_{static_cast<const std::byte*>(data)}, size_{size} {
        if (format == f32::name) {
            at_ = f32::at;
        } else if (format == f16::name) {
            at_ = f16::at;
        } else if (format == bf16::name) {
            at_ = bf16::at;
        } else {
            const std::string text = std::string{"tamis: "} + name + " is " +
                                     std::string{format.substr(0, 40)} +
                                     "; there are f32, f16 and bf16: convert it";
            fail(text.c_str());
        }
    }

    /// How many.
    std::size_t size() const { return size_; }
    /// Whether there are any.
    explicit operator bool() const { return size_ != 0; }
    /// Number i < size().
    float operator[](std::size_t i) const { return at_(data_, i); }
    /// `count` of them from `first` on, as what takes floats wants them; allocates. Refuses more than there are.
    std::vector<float> floats(std::size_t first, std::size_t count) const {
        if (first > size_ || count > size_ - first) {
            fail_sizes("tamis: %zu numbers are needed, but there are %zu", first + count, size_);
        }
        std::vector<float> all(count);
        for (std::size_t i = 0; i < count; ++i) {
            all[i] = (*this)[first + i];
        }
        return all;
    }

  private:
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    float (*at_)(const std::byte*, std::size_t) = nullptr;
};

TAMIS_END
