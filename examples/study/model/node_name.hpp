#pragma once

#include <cstddef>
#include <string_view>

namespace app {

/// The number behind the last dash of "ffn_swiglu-7", of six digits at most; -1: there is none.
constexpr long layer_of(std::string_view name) {
    const std::size_t dash = name.rfind('-');
    if (dash == std::string_view::npos || dash + 1 == name.size() || name.size() - dash > 7) {
        return -1;
    }
    long layer = 0;
    for (const char c : name.substr(dash + 1)) {
        if (c < '0' || c > '9') {
            return -1;
        }
        layer = 10 * layer + (c - '0');
    }
    return layer;
}

} // namespace app
