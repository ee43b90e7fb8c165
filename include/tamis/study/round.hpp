#pragma once

#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/study/fp8.hpp>

#include <array>

TAMIS_BEGIN

namespace study {

// What a smaller number format does to activations, without leaving float: each value becomes the nearest number that the
// format has. The papers' masks were measured in bfloat16; an engine's own precision may be another.

/// A member `name`, and `float operator()(float) const`: the number that the format holds for a float.
/// Models: to_f32, to_f16, to_bf16, to_e4m3, to_e5m2, any_rounding.
template <class R>
concept rounding = requires(const R& r, float value) {
    { r.name } -> std::convertible_to<const char*>;
    { r(value) } -> std::same_as<float>;
};

/// As it is.
struct to_f32 {
    static constexpr const char* name = "f32";
    constexpr float operator()(float value) const { return value; }
};
/// tamis::f16: ties to even, infinite from 65520 on.
struct to_f16 {
    static constexpr const char* name = f16::name;
    constexpr float operator()(float value) const { return f16::widen(f16::round(value)); }
};
/// tamis::bf16: ties to even; denormals as float has them.
struct to_bf16 {
    static constexpr const char* name = bf16::name;
    constexpr float operator()(float value) const {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bf16::round(value)) << 16);
    }
};
/// e4m3: saturates at 448.
struct to_e4m3 {
    static constexpr const char* name = e4m3::name;
    constexpr float operator()(float value) const { return e4m3::widen(e4m3::round(value)); }
};
/// e5m2: infinite from 61440 on.
struct to_e5m2 {
    static constexpr const char* name = e5m2::name;
    constexpr float operator()(float value) const { return e5m2::widen(e5m2::round(value)); }
};

/// A rounding without members of its own, chosen at run time: one indirect call a row.
class any_rounding {
  public:
    template <rounding R>
        requires(std::is_empty_v<R> && std::default_initializable<R>)
    constexpr any_rounding(R rounding)
        : name{rounding.name}, round_{[](std::span<float> values) {
              for (float& value : values) {
                  value = R{}(value);
              }
          }} {}

    const char* name;

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
