#pragma once

#include <tamis/ffn/site_rules.hpp>
#include <tamis/study/calibrate/calibration.hpp>

#include <array>
#include <cstdio>
#include <span>

TAMIS_BEGIN

namespace study {

/// The rules of one layer of a calibration, as read_policies and any_layer take rules: text, and the lists of values of those that have one,
/// by site. What is wrong is in rules.error.
struct layer_rules {
    site_rules rules{};                              ///< as read_rule reads them
    std::array<std::span<const float>, 4> numbers{}; ///< borrowed from the calibration
};

/// Of layer `layer`, from 0 on. Numbers are written so that they are read again as they are. Allocates.
///     const calibration_reading plan = read_calibration(json);
///     const layer_rules of = rules_of_layer(*plan.value, layer);
///     any_layer<...> ffn{ffn_parts{.gate = gate, .up = up, .down = down, .rules = of.rules, .numbers = of.numbers}};
inline layer_rules rules_of_layer(const calibration& plan TAMIS_LIFETIMEBOUND, std::size_t layer) {
    layer_rules result;
    if (layer >= plan.layers) {
        result.rules.error = "tamis: there is no layer " + std::to_string(layer) + ": the plan has " +
                             std::to_string(plan.layers) + ", from 0 on";
    }
    for (const calibrated_rule& r : plan.rules) {
        if (r.layer == layer && result.rules.error.empty()) {
            const auto place = static_cast<std::size_t>(r.where);
            char value[64];
            std::snprintf(value, sizeof value, "=%.17g", r.value);
            result.rules.at[place] = r.rule + (r.rule == of_channels ? "" : value);
            result.numbers[place] = r.values;
        }
    }
    return result;
}

} // namespace study

TAMIS_END
