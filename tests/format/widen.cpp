#include "support/generate.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstring>

namespace widen_test {

// What widens small numbers on instruction sets that are not named equals what does on this one, and the formats' own plain
// way: all halves and all bytes.

namespace {

/// As many lanes as a vector has, in no register of the machine's.
template <std::size_t Lanes>
struct lanes_in_memory {
    static constexpr std::size_t size = Lanes;
    std::array<float, Lanes> values;

    static lanes_in_memory load_unaligned(const float* p) {
        lanes_in_memory result;
        std::copy_n(p, Lanes, result.values.begin());
        return result;
    }
};

std::array<float, tamis::detail::vec::size> lanes_of(const tamis::detail::vec& v) {
    std::array<float, tamis::detail::vec::size> lanes;
    tamis::detail::store(lanes.data(), v);
    return lanes;
}

template <std::size_t Lanes>
bool same(const std::array<float, Lanes>& a, const std::array<float, Lanes>& b) {
    return std::memcmp(a.data(), b.data(), sizeof a) == 0;
}

template <class Widening, std::size_t Lanes, class Lane>
std::size_t wrong_halves(Lane&& lanes) {
    std::size_t wrong = 0;
    for (std::uint32_t first = 0; first < 0x10000; first += Lanes) {
        std::array<std::uint16_t, Lanes> halves;
        std::array<float, Lanes> f16, bf16;
        for (std::size_t i = 0; i < Lanes; ++i) {
            halves[i] = static_cast<std::uint16_t>(first + i);
            f16[i] = tamis::f16::widen(halves[i]);
            bf16[i] = tamis::bf16::at(reinterpret_cast<const std::byte*>(halves.data()), i);
        }
        wrong += same(lanes(Widening::f16(halves.data())), f16) ? 0u : 1u;
        wrong += same(lanes(Widening::bf16(halves.data())), bf16) ? 0u : 1u;
    }
    return wrong;
}

template <class Widening, class Vector, std::size_t Lanes, class Lane>
std::size_t wrong_bytes(Lane&& lanes) {
    std::size_t wrong = 0;
    for (std::uint32_t first = 0; first < 256; ++first) {
        std::array<std::uint8_t, Lanes> bytes;
        std::array<float, Lanes> int8, low, high;
        for (std::size_t i = 0; i < Lanes; ++i) {
            bytes[i] = static_cast<std::uint8_t>(first + i);
            int8[i] = static_cast<float>(static_cast<std::int8_t>(bytes[i]));
            low[i] = static_cast<float>((bytes[i] & 15) - 8);
            high[i] = static_cast<float>((bytes[i] >> 4) - 8);
        }
        Vector of_low, of_high;
        Widening::nibbles(bytes.data(), of_low, of_high);
        wrong += same(lanes(Widening::int8(bytes.data())), int8) ? 0u : 1u;
        wrong += same(lanes(of_low), low) && same(lanes(of_high), high) ? 0u : 1u;
    }
    return wrong;
}

template <std::size_t Lanes>
void check_in_memory() {
    using vector = lanes_in_memory<Lanes>;
    const auto lanes = [](const vector& v) { return v.values; };
    CHECK(wrong_halves<tamis::detail::widening<vector>, Lanes>(lanes) == 0);
    CHECK(wrong_bytes<tamis::detail::widening<vector>, vector, Lanes>(lanes) == 0);
}

} // namespace

TEST_CASE("widening on this machine") {
    constexpr std::size_t lanes = tamis::detail::vec::size;
    using widening = tamis::detail::widen_to_vec;
    CHECK(wrong_halves<widening, lanes>(lanes_of) == 0);
    CHECK(wrong_bytes<widening, tamis::detail::vec, lanes>(lanes_of) == 0);
}

TEST_CASE("widening where no instruction set is named") {
    check_in_memory<4>();
    check_in_memory<8>();
}

} // namespace widen_test
