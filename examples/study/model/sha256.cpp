#include "model/sha256.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>

namespace app {
namespace {

using words = std::array<std::uint32_t, 64>;

/// The first 32 bits of the fractional part of the primes' cube roots (or square roots), in whole numbers: floor(root(p) 2^32).
constexpr std::uint32_t fraction_of_root(std::uint64_t prime, int power) {
    std::uint64_t low = 0, high = std::uint64_t{1} << 36; // below 409 a root is below 2^4 and 4/5 more
    high <<= power == 2 ? 1 : 0;
    while (high - low > 1) { // low^power <= prime * 2^(32 power) < high^power, in 192 bits of 32 each
        const std::uint64_t middle = low + (high - low) / 2;
        std::array<std::uint64_t, 8> product{1};
        for (int i = 0; i < power; ++i) {
            std::array<std::uint64_t, 8> next{};
            const std::array<std::uint64_t, 2> factor{middle & 0xffffffff, middle >> 32};
            for (std::size_t a = 0; a < 6; ++a) {
                for (std::size_t b = 0; b < 2; ++b) {
                    const std::uint64_t part = product[a] * factor[b];
                    next[a + b] += part & 0xffffffff;
                    next[a + b + 1] += part >> 32;
                }
            }
            for (std::size_t a = 0; a < 7; ++a) {
                next[a + 1] += next[a] >> 32;
                next[a] &= 0xffffffff;
            }
            product = next;
        }
        const auto at = static_cast<std::size_t>(power);
        const std::uint64_t whole = product[at] | product[at + 1] << 32;
        (whole < prime ? low : high) = middle; // no root of a prime is a fraction of 2^32: never equal
    }
    return static_cast<std::uint32_t>(low);
}
struct constants {
    words rounds{};
    std::array<std::uint32_t, 8> start{};
};
constexpr constants make_constants() {
    constants c;
    std::size_t count = 0;
    for (std::uint64_t p = 2; count < 64; ++p) {
        bool prime = true;
        for (std::uint64_t d = 2; d * d <= p; ++d) {
            prime = prime && p % d != 0;
        }
        if (prime) {
            c.rounds[count] = fraction_of_root(p, 3);
            if (count < 8) {
                c.start[count] = fraction_of_root(p, 2);
            }
            ++count;
        }
    }
    return c;
}

void take_block(std::array<std::uint32_t, 8>& state, const unsigned char* block, const words& k) {
    words w{};
    for (std::size_t i = 0; i < 16; ++i) {
        w[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
               std::uint32_t{block[4 * i + 2]} << 8 | std::uint32_t{block[4 * i + 3]};
    }
    for (std::size_t i = 16; i < 64; ++i) {
        const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3),
                            s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                 ((e & f) ^ (~e & g)) + k[i] + w[i],
                            t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                                 ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const std::array<std::uint32_t, 8> next{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) {
        state[i] += next[i];
    }
}

} // namespace

std::string sha256(std::span<const std::byte> bytes) {
    static const constants c = make_constants();
    auto state = c.start;
    const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
    const std::size_t whole = bytes.size() / 64 * 64;
    for (std::size_t at = 0; at < whole; at += 64) {
        take_block(state, data + at, c.rounds);
    }
    std::array<unsigned char, 128> last{};
    const std::size_t rest = bytes.size() - whole, size = rest < 56 ? 64 : 128;
    for (std::size_t i = 0; i < rest; ++i) {
        last[i] = data[whole + i];
    }
    last[rest] = 0x80;
    for (std::size_t i = 0; i < 8; ++i) {
        last[size - 1 - i] = static_cast<unsigned char>(std::uint64_t{bytes.size()} * 8 >> (8 * i));
    }
    for (std::size_t at = 0; at < size; at += 64) {
        take_block(state, last.data() + at, c.rounds);
    }
    std::string text;
    for (const std::uint32_t word : state) {
        char part[9];
        std::snprintf(part, sizeof part, "%08x", static_cast<unsigned>(word));
        text += part;
    }
    return text;
}

} // namespace app
