#pragma once

#include <tamis/detail/config.hpp>

TAMIS_BEGIN_SHARED

/// Where in the FFN a mask is applied [U, section 3]:
/// input: x, one mask for gate and up; gate: sigma(W_gate x + b_gate); up: W_up x + b_up, before the product;
/// intermediate: their product (of an ungated FFN: sigma(W_up x + b_up)).
enum class site { input, gate, up, intermediate };

TAMIS_END

TAMIS_BEGIN

constexpr const char* name_of(site where) {
    switch (where) {
        case site::input: return "input";
        case site::gate: return "gate";
        case site::up: return "up";
        default: return "intermediate";
    }
}

/// Which matrices' weights a mask lets the FFN leave unread.
struct skipped_matrices {
    /// Whether the matrix is left partly unread.
    bool gate = false, up = false, down = false;

    /// Whether there is any: if (ffn.skips<site::gate>()) ...
    constexpr explicit operator bool() const { return gate || up || down; }

    friend constexpr bool operator==(const skipped_matrices&, const skipped_matrices&) = default;
};

TAMIS_END
