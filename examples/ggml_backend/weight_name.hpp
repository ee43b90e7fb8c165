#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tamis_ggml {

/// What a weight's name tells: blk.3.ffn_down.weight, blk.3.ffn_up_exps.weight.
struct weight_name {
    std::size_t layer;
    enum kind { gate, up, down } which;
    bool experts;
};

/// Nothing for any other name. Names come from files: a layer of no digits, or of more than six, is none.
constexpr std::optional<weight_name> name_of_weight(std::string_view name) {
    const auto skip = [&name](std::string_view text) {
        const bool there = name.starts_with(text);
        name.remove_prefix(there ? text.size() : 0);
        return there;
    };
    if (!skip("blk.")) {
        return {};
    }
    weight_name result{0, weight_name::gate, false};
    std::size_t digits = 0;
    for (; digits < name.size() && name[digits] >= '0' && name[digits] <= '9'; ++digits) {
        if (digits == 6) {
            return {};
        }
        result.layer = 10 * result.layer + static_cast<std::size_t>(name[digits] - '0');
    }
    name.remove_prefix(digits);
    if (digits == 0 || !skip(".ffn_")) {
        return {};
    }
    if (skip("up")) {
        result.which = weight_name::up;
    } else if (skip("down")) {
        result.which = weight_name::down;
    } else if (!skip("gate")) {
        return {};
    }
    result.experts = skip("_exps");
    return name == ".weight" ? std::optional{result} : std::nullopt;
}

} // namespace tamis_ggml
