#pragma once

#include <tamis/detail/simd.hpp>
#include <tamis/ffn/activation.hpp>

#include <cstring>
#include <span>

TAMIS_BEGIN

namespace detail {

/// An activation that takes a vector of floats too.
template <class Activation>
concept takes_lanes = requires(const Activation& sigma, const vec& z) {
    { sigma.lanes(z) } -> std::same_as<vec>;
};

/// sigma of each value, by one and the same way for all: where it takes vectors, what is left over is filled up to one. So
/// equal values have equal results wherever they lie, and ties live or die together.
template <activation Activation>
void activate(const Activation& sigma, std::span<float> values) {
    if constexpr (takes_lanes<Activation>) {
        std::size_t i = 0;
        for (; i + vec::size <= values.size(); i += vec::size) {
            store(&values[i], sigma.lanes(load(&values[i])));
        }
        if (i < values.size()) {
            const auto left = values.subspan(i);
            float rest[vec::size] = {};
            std::memcpy(rest, left.data(), left.size_bytes());
            store(rest, sigma.lanes(load(rest)));
            std::memcpy(left.data(), rest, left.size_bytes());
        }
    } else {
        for (float& value : values) {
            value = static_cast<float>(sigma(value));
        }
    }
}

} // namespace detail

TAMIS_END
