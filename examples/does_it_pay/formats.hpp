#pragma once

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/tamis.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

// The formats that can be asked for, and weights in them.

using all_formats =
    tamis::formats<tamis::f32, tamis::f16, tamis::bf16, tamis::int8_by_row, tamis::q8_0, tamis::q4_0,
                   tamis::q4_1, tamis::q5_0, tamis::q4_k, tamis::q6_k, tamis::mxfp4>;
using ffn_of_any_format = tamis::any_ffn<all_formats, tamis::gatings<tamis::silu>>;

struct format_entry {
    std::string_view name;
    std::size_t (*row_bytes)(std::size_t);
    bool whole_blocks;
    void (*fill)(std::byte* row, std::size_t columns, float scale, std::mt19937& random);
};

/// A row of normal weights; of a format that is read alone, bytes that are small numbers in it.
template <class F>
void fill_row(std::byte* row, std::size_t columns, float scale, std::mt19937& random) {
    if constexpr (tamis::packable_format<F>) {
        std::normal_distribution<float> normal{0.0f, scale};
        std::vector<float> weights(columns);
        for (float& w : weights) {
            w = normal(random);
        }
        F::pack(weights, row);
    } else {
        for (std::size_t i = 0; i + 1 < F::row_bytes(columns); i += 2) { // halves of 0.005 to 0.006
            row[i] = static_cast<std::byte>(random() & 0xff);
            row[i + 1] = static_cast<std::byte>(0x1d);
        }
    }
}

template <class... Fs>
std::vector<format_entry> entries_of(tamis::formats<Fs...>) {
    const auto has_whole_blocks = []<class F>(F) {
        if constexpr (requires { F::whole_blocks; }) {
            return F::whole_blocks;
        } else {
            return false;
        }
    };
    return {format_entry{Fs::name, Fs::row_bytes, has_whole_blocks(Fs{}), fill_row<Fs>}...};
}
inline const std::vector<format_entry>& formats_here() {
    static const std::vector<format_entry> all = entries_of(all_formats{});
    return all;
}

/// Letters to change, add or leave out until one word is the other.
inline std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t corner = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
            corner = row[j];
            row[j] = (std::min)(changed, (std::min)(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.size()];
}

/// "no format 'q8' here; did you mean q8_0? There are: f32, f16 ..."
inline std::string no_such_format(std::string_view name) {
    std::string text = "no format '" + std::string{name} + "' here";
    std::string_view nearest;
    std::size_t least = 3;
    std::string list;
    for (const format_entry& f : formats_here()) {
        if (const std::size_t d = distance(name, f.name); d < least) {
            least = d;
            nearest = f.name;
        }
        list += (list.empty() ? "" : ", ") + std::string{f.name};
    }
    if (!nearest.empty()) {
        text += "; did you mean " + std::string{nearest} + "?";
    }
    return text + " There are: " + list;
}
