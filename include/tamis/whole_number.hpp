#pragma once

#include <tamis/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <type_traits>

TAMIS_BEGIN

namespace detail {

template <class N>
concept converts_without_loss =
    requires(const N& n) { std::size_t{n}; } || requires(const N& n) { std::ptrdiff_t{n}; };

/// What counts: integers (bool is none), and classes and enumerations that convert to one without loss, such as
/// std::integral_constant.
template <class N>
concept counts = (std::integral<N> && !std::same_as<N, bool>) ||
                 ((std::is_class_v<N> || std::is_enum_v<N>)&&converts_without_loss<N>);

} // namespace detail

/// An argument that counts (entries, rows, threads): any integer type, signed or not. C++ would turn 0.5 into 0 and -1
/// into 2^64 - 1 without a word; here the first does not compile, and the second is refused with its name and value.
class whole_number {
  public:
    /// Any integer; or_fail refuses a negative one.
    template <detail::counts N>
    constexpr whole_number(const N& n) {
        if constexpr (std::is_unsigned_v<N> || requires { std::size_t{n}; }) {
            value_ = static_cast<std::size_t>(n);
        } else {
            const auto given = static_cast<std::ptrdiff_t>(n);
            value_ = static_cast<std::size_t>(given);
            negative_ = given < 0;
        }
    }

    // Compilers show this line with its comment.
    // clang-format off
    template <class N> requires(std::convertible_to<N, std::size_t> && !detail::counts<N>)
    whole_number(N) = delete; // tamis: a count is a whole number; for a share of the entries write top_k::fraction(0.5)
    // clang-format on

    /// The count. A negative one is refused; `argument` says whose it is: "tamis::top_k: k".
    constexpr std::size_t or_fail(const char* argument) const {
        if (negative_) {
            fail_negative(argument, static_cast<std::ptrdiff_t>(value_));
        }
        return value_;
    }

  private:
    [[noreturn]] static void fail_negative(const char* argument, std::ptrdiff_t value) {
        char text[256];
        std::snprintf(text, sizeof text, "%s must be a whole number from 0 on, got %td", argument, value);
        fail(text);
    }

    std::size_t value_ = 0;
    bool negative_ = false;
};

TAMIS_END
