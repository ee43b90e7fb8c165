#pragma once

#include "support/bits.hpp"
#include "support/generate.hpp"

#include <tamis/tamis.hpp>

#include <cstring>
#include <string_view>
#include <vector>

// What the tests of formats that are unpacked by units share: their rows, and a table of them, so that each test is compiled
// once.

/// Any bits in a row, and scales that are small numbers where they are wanted.
template <class F>
std::vector<std::byte> row_of_bits(std::size_t columns, engine& random, bool tame) {
    std::vector<std::byte> row(F::row_bytes(columns));
    for (std::byte& byte : row) {
        byte = static_cast<std::byte>(random());
    }
    constexpr std::string_view name = F::name;
    const auto set_half = [&](std::byte* at) {
        const auto half = static_cast<std::uint16_t>(0x2c00 + below(random, 0x800)); // 1/16 .. 1/4
        std::memcpy(at, &half, sizeof half);
    };
    const auto set_float = [&](std::byte* at) {
        const float scale = 0.001f * static_cast<float>(1 + below(random, 100));
        std::memcpy(at, &scale, sizeof scale);
    };
    if (!tame) {
        return row;
    }
    if (name == "fp8_by_row" || name == "fp8_blocks") {
        for (std::byte& code : row) { // no NaN
            code = (code & std::byte{0x7f}) == std::byte{0x7f} ? std::byte{} : code;
        }
    }
    if (name == "fp8_by_row") {
        set_float(row.data());
        return row;
    }
    const std::size_t step = F::row_bytes(F::block == 0 ? 32 : F::block);
    for (std::size_t place = 0; place < row.size(); place += step) {
        std::byte* const block = row.data() + place;
        if (name == "q4_1" || name == "q5_1" || name == "q4_k" || name == "q5_k") {
            set_half(block);
            set_half(block + 2);
        } else if (name == "q5_0" || name == "iq4_nl") {
            set_half(block);
        } else if (name == "q2_k") {
            set_half(block + 80);
            set_half(block + 82);
        } else if (name == "q3_k" || name == "q6_k" || name == "tq2_0") {
            set_half(block + step - 2);
        } else if (name == "mxfp4") {
            block[0] = static_cast<std::byte>(118 + below(random, 10));
        } else {
            set_float(block);
            if (name == "fp8_blocks") {
                set_float(block + 4);
                block[8] = static_cast<std::byte>(below(random, 129));
            } else {
                block[4] = static_cast<std::byte>(below(random, 17));
            }
        }
    }
    return row;
}

struct unit_format_case {
    const char* name;
    std::size_t block; // 1 where a row may end anywhere
    bool scales_are_floats;
    std::vector<std::byte> (*row)(std::size_t columns, engine& random, bool tame);
    float (*at)(const std::byte* row, std::size_t i);
    void (*unpack)(const std::byte* row, std::size_t begin, std::size_t end, float* out);
};
template <class F>
constexpr unit_format_case unit_case_of() {
    static_assert(tamis::detail::unit_format<F> && tamis::weight_format<F>);
    constexpr std::string_view name = F::name;
    constexpr bool scales_are_floats =
        name.starts_with("fp8") || name.starts_with("int4") || name.starts_with("byte");
    return {F::name,
            tamis::detail::whole_block_format<F> ? F::block : 1,
            scales_are_floats,
            row_of_bits<F>,
            F::at,
            tamis::detail::unpack_row<F>};
}

inline const unit_format_case unit_format_cases[] = {
    unit_case_of<tamis::q4_1>(),
    unit_case_of<tamis::q5_0>(),
    unit_case_of<tamis::q5_1>(),
    unit_case_of<tamis::q2_k>(),
    unit_case_of<tamis::q3_k>(),
    unit_case_of<tamis::q4_k>(),
    unit_case_of<tamis::q5_k>(),
    unit_case_of<tamis::q6_k>(),
    unit_case_of<tamis::iq4_nl>(),
    unit_case_of<tamis::mxfp4>(),
    unit_case_of<tamis::tq2_0>(),
    unit_case_of<tamis::fp8_by_row>(),
    unit_case_of<tamis::fp8_blocks>(),
    unit_case_of<tamis::int4_groups<32>>(),
    unit_case_of<tamis::int4_groups<64>>(),
    unit_case_of<tamis::int4_groups<128>>(),
    unit_case_of<tamis::byte_groups<16>>(),
    unit_case_of<tamis::byte_groups<32>>(),
};

inline bool is_nan_by_bits(float value) { return tamis::is_nan(value); }

/// FNV-1a over the bits; of a NaN neither sign nor payload counts.
inline std::uint64_t hash_of(const void* data, std::size_t bytes, std::uint64_t hash = 0xcbf29ce484222325u) {
    for (std::size_t i = 0; i < bytes; ++i) {
        hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3u;
    }
    return hash;
}
inline std::uint64_t hash_of(std::span<const float> values) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const float value : values) {
        const std::uint32_t bits = is_nan_by_bits(value) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(value);
        hash = hash_of(&bits, sizeof bits, hash);
    }
    return hash;
}
