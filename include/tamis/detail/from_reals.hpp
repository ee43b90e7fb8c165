#pragma once

#include <tamis/detail/to_reals.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>

TAMIS_BEGIN

// Floats as activations of 16 bits: rounded to nearest, ties to even; infinities stay, NaN stays a NaN.

namespace detail {

/// The types that activations have: float, and IEEE 754's binary16 and bfloat16, whoever defines the type.
template <class T>
concept activation_type = std::is_same_v<T, float> ||
                          (element<T> && (is_binary16<T> || is_bfloat16<T>)&&std::is_trivially_copyable_v<T>);

template <activation_type T>
void from_reals(const float* from, std::size_t count, T* out) {
    if constexpr (std::is_same_v<T, float>) {
        copy_n(from, count, out);
    } else {
        std::size_t i = 0;
        auto* const bytes = reinterpret_cast<std::byte*>(out);
#if defined(__F16C__)
        if constexpr (is_binary16<T>) {
            for (; i + 8 <= count; i += 8) {
                _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + i * sizeof(T)),
                                 _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
            }
        }
#endif
        using format = std::conditional_t<is_binary16<T>, f16, bf16>;
        format::pack(std::span{from + i, count - i}, bytes + i * sizeof(T));
    }
}

} // namespace detail

TAMIS_END
