#pragma once

#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/study/figure.hpp>
#include <tamis/study/fp8.hpp>

#include <array>
#include <limits>
#include <span>

TAMIS_BEGIN

namespace study {

// What a smaller number format does to activations, without leaving float: each value becomes the nearest number that the
// format has. The papers' masks were measured in bfloat16; an engine's own precision may be another.

/// A member `name`, and `float operator()(float) const`: the number that the format holds for a float. If it likes, a member
/// `largest`, the largest finite one: without it no value counts as saturated.
/// Models: to_f32, to_f16, to_bf16, to_e4m3, to_e5m2, any_rounding.
template <class R>
concept rounding = requires(const R& r, float value) {
    { r.name } -> std::convertible_to<const char*>;
    { r(value) } -> std::same_as<float>;
};

/// As it is.
struct to_f32 {
    static constexpr const char* name = "f32";
    static constexpr float largest = (std::numeric_limits<float>::max)();
    constexpr float operator()(float value) const { return value; }
};
/// tamis::f16: ties to even, infinite from 65520 on.
struct to_f16 {
    static constexpr const char* name = f16::name;
    static constexpr float largest = 65504;
    constexpr float operator()(float value) const { return f16::widen(f16::round(value)); }
};
/// tamis::bf16: ties to even; denormals as float has them.
struct to_bf16 {
    static constexpr const char* name = bf16::name;
    static constexpr float largest = 0x1.fep127f;
    constexpr float operator()(float value) const {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bf16::round(value)) << 16);
    }
};
/// e4m3: saturates at 448.
struct to_e4m3 {
    static constexpr const char* name = e4m3::name;
    static constexpr float largest = 448;
    constexpr float operator()(float value) const { return e4m3::widen(e4m3::round(value)); }
};
/// e5m2: infinite from 61440 on.
struct to_e5m2 {
    static constexpr const char* name = e5m2::name;
    static constexpr float largest = 57344;
    constexpr float operator()(float value) const { return e5m2::widen(e5m2::round(value)); }
};

/// The largest finite number of a rounding's format; infinity where it does not say.
template <rounding R>
constexpr float largest_of(const R& rounding) {
    if constexpr (requires { rounding.largest; }) {
        return rounding.largest;
    } else {
        return std::bit_cast<float>(infinity_bits<float>);
    }
}

/// What rounding lost, over all values seen. They stay in the model as they became: an infinity spoils what is computed from
/// it, the format's largest number does not, but is not the value either.
struct rounding_losses {
    /// How many were rounded.
    std::uint64_t values = 0;
    /// Finite, and became infinite or NaN; finite and beyond the format's largest number, and became finite; not zero, and
    /// became zero.
    std::uint64_t overflowed = 0, saturated = 0, flushed = 0;
    /// NaN or infinite before.
    std::uint64_t not_finite = 0;

    /// Values and what became of them, as many.
    constexpr void add(std::span<const float> before, std::span<const float> after, float largest) {
        values += before.size();
        for (std::size_t i = 0; i < before.size(); ++i) {
            const std::uint32_t was = magnitude_bits(before[i]), is = magnitude_bits(after[i]);
            const bool finite = was < infinity_bits<float>, stays = is < infinity_bits<float>;
            not_finite += finite ? 0u : 1u;
            overflowed += finite && !stays ? 1u : 0u;
            saturated += finite && stays && was > magnitude_bits(largest) ? 1u : 0u;
            flushed += was != 0 && is == 0 ? 1u : 0u;
        }
    }
    /// Of both.
    constexpr void merge(const rounding_losses& other) {
        values += other.values;
        overflowed += other.overflowed;
        saturated += other.saturated;
        flushed += other.flushed;
        not_finite += other.not_finite;
    }
    template <class Archive>
    constexpr void state(Archive& a) {
        a(values, overflowed, saturated, flushed, not_finite);
    }
    friend constexpr bool operator==(const rounding_losses&, const rounding_losses&) = default;
};

/// A rounding without members of its own, chosen at run time: one indirect call a row.
class any_rounding {
  public:
    /// Of any rounding.
    template <rounding R>
        requires(std::is_empty_v<R> && std::default_initializable<R>)
    constexpr any_rounding(R rounding)
        : name{rounding.name}, largest{largest_of(rounding)}, round_{[](std::span<float> values) {
              for (float& value : values) {
                  value = R{}(value);
              }
          }} {}

    const char* name;
    float largest;

    constexpr float operator()(float value) const {
        round_({&value, 1});
        return value;
    }
    constexpr void round(std::span<float> values) const { round_(values); }

  private:
    void (*round_)(std::span<float>);
};

/// All of the library's, to be looked up by name.
inline constexpr std::array<any_rounding, 5> all_roundings{to_f32{}, to_f16{}, to_bf16{}, to_e4m3{},
                                                           to_e5m2{}};

/// Every value rounded, in place.
template <rounding R>
constexpr void round_all(const R& rounding, std::span<float> values) {
    if constexpr (requires { rounding.round(values); }) {
        rounding.round(values);
    } else {
        for (float& value : values) {
            value = rounding(value);
        }
    }
}

} // namespace study

TAMIS_END
