#pragma once

#include <tamis/detail/config.hpp>

#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

TAMIS_BEGIN

// Where a loop over whole vectors is compiled into its caller, and the caller's array is seen to be shorter than a vector, g++
// warns of what the loop would read behind it, though it is never entered. So functions that have such loops look at memory
// through pointers of which the compiler does not know what they point into. It costs no instruction.

namespace detail {

template <class T>
constexpr T* unseen(T* p) {
#if defined(__GNUC__) && !defined(__clang__)
    if (!std::is_constant_evaluated()) {
        asm("" : "+r"(p));
    }
#endif
    return p;
}
template <class T>
constexpr std::span<T> unseen(std::span<T> values) {
    return {unseen(values.data()), values.size()};
}
/// A byte that is multiplied, to sum such products in a loop: g++ 12 makes AVX512_VNNI's instruction of it, wrongly where a loop has
/// 20 turns and more and is no whole number of vectors (-O3; not g++ 13). So it does not learn that it is a byte.
inline int unseen_byte(int code) {
#if defined(__GNUC__) && !defined(__clang__)
    asm("" : "+r"(code));
#endif
    return code;
}
/// A NaN that is not seen to be one: with fast math clang 22 takes it that a choice never falls on it.
inline float unseen_nan() {
    const volatile std::uint32_t bits = 0x7fc00000u;
    const std::uint32_t read = bits;
    float nan;
    std::memcpy(&nan, &read, sizeof nan);
    return nan;
}
/// Views that are no spans are read one by one.
template <class View>
constexpr View unseen(View values) {
    return values;
}

} // namespace detail

TAMIS_END
