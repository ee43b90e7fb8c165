#pragma once

#include <tamis/mask/mask.hpp>

#include <string>

/// A mask as text, entry 0 first: "11100".
inline std::string show(tamis::mask_view mask) {
    std::string text;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        text += mask[i] ? '1' : '0';
    }
    return text;
}

/// Whether the bits behind the last entry are zero, as they have to be.
inline bool is_clear_behind(tamis::mask_view mask) {
    const std::size_t used = mask.size() % 64;
    return used == 0 || mask.words().back() >> used == 0;
}
