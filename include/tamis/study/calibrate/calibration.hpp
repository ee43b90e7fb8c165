#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/rule/cett.hpp>
#include <tamis/rule/channel_thresholds.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/study/plan.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

TAMIS_BEGIN

namespace study {

/// The rule of one site of one layer, and its one number:
///
///     rule            value
///     threshold       eps: finite, >= 0
///     cett            eps of tamis::cett, at the intermediate: finite, >= 0; needs the layer's neuron_norms
///     top_p, max_p    p in [0, 1]
///     top_k           k: a whole number, 0 .. 2^53
///     top_k_fraction  the kept fraction, in [0, 1]
///
/// or its one list:
///
///     rule                values
///     channel_thresholds  one a channel: finite, >= 0
struct calibrated_rule {
    /// From 0.
    std::size_t layer = 0;
    /// Its site.
    site where = site::intermediate;
    /// The name, as in the table above.
    std::string rule;
    /// Of a rule that has one number.
    double value = 0;
    /// Of a rule that has a list.
    std::vector<float> values{};

    friend bool operator==(const calibrated_rule&, const calibrated_rule&) = default;
};

/// What a calibration found, to be kept: see calibration_json.hpp. A site that has a rule in one layer has one in each.
struct calibration {
    /// Of the format; a reader refuses a newer one.
    static constexpr int version = 2;

    std::string model;  ///< its name
    std::string source; ///< what it was calibrated on: a hash of the weights, of the text; free text
    std::string kind;   ///< "cett", "cett_ppl", "teal", "cats" ...; free text
    double target = 0;  ///< of that kind: the CETT, the sparsity
    /// How many were looked at.
    std::uint64_t tokens = 0;
    /// The model's.
    std::size_t layers = 0;
    /// At most one a layer and site.
    std::vector<calibrated_rule> rules;

    // What a file need not have.
    std::string weights{}; ///< a hash of the model's, to tell whether this belongs to them: "sha256:9f1c..."
    std::string stories{}; ///< the part of the text: "0:50"
    std::string criterion{};          ///< what was to be met: "PPL at most 1.01 times the dense model's"
    std::optional<double> attained{}; ///< what that came to: 1.0099

    friend bool operator==(const calibration&, const calibration&) = default;
};

/// More would be a damaged file.
inline constexpr std::size_t most_layers = std::size_t{1} << 16;

/// The rule that has a list of values in the place of one.
inline constexpr std::string_view of_channels = "channel_thresholds";

/// What is wrong with a rule, or with a calibration; empty when nothing is.
inline std::string problem_of(const calibrated_rule& r) {
    char value[32];
    if (r.rule == of_channels) {
        for (const float t : r.values) {
            if (!detail::is_between(widen(t), 0.0, detail::infinite_double) ||
                magnitude_bits(t) >= infinity_bits<float>) {
                std::snprintf(value, sizeof value, "%.9g", static_cast<double>(t));
                return "the values of channel_thresholds must be finite and >= 0, got " + std::string{value};
            }
        }
        return r.values.empty() ? "channel_thresholds needs a value for each channel, got none"
                                : std::string{};
    }
    const bool number = detail::is_between(r.value, 0.0, detail::infinite_double) &&
                        magnitude_bits(r.value) < infinity_bits<double>;
    const char* domain = nullptr;
    bool inside = number;
    if (r.rule == "threshold" || r.rule == "cett") {
        domain = "finite and >= 0";
    } else if (r.rule == "top_p" || r.rule == "max_p" || r.rule == "top_k_fraction") {
        domain = "in [0, 1]";
        inside = number && r.value <= 1.0;
    } else if (r.rule == "top_k") {
        domain = "a whole number, at most 2^53";
        inside = number && r.value <= 0x1p53 &&
                 static_cast<double>(static_cast<std::uint64_t>(r.value)) == r.value;
    } else {
        return "there is no rule '" + r.rule +
               "'; there are threshold, cett, top_p, max_p, top_k, top_k_fraction and channel_thresholds";
    }
    if (r.rule == "cett" && r.where != site::intermediate) {
        return std::string{"cett belongs at the intermediate, not at "} + name_of(r.where);
    }
    std::snprintf(value, sizeof value, "%.12g", r.value);
    return inside ? std::string{} : "the value of " + r.rule + " must be " + domain + ", got " + value;
}
inline std::string problem_of(const calibration& c) {
    const auto place = [](std::size_t layer, site where) {
        return "layer " + std::to_string(layer) + ", " + name_of(where) + ": ";
    };
    if (magnitude_bits(c.target) >= infinity_bits<double>) {
        return "the target must be a finite number";
    }
    if (c.attained && magnitude_bits(*c.attained) >= infinity_bits<double>) {
        return "what the criterion attained must be a finite number";
    }
    if (c.layers > most_layers) {
        return "there can be " + std::to_string(most_layers) + " layers, not " + std::to_string(c.layers);
    }
    std::vector<std::array<int, all_sites.size()>> seen(c.layers);
    std::array<bool, all_sites.size()> used{};
    for (const calibrated_rule& r : c.rules) {
        if (r.layer >= seen.size()) {
            return "there are " + std::to_string(c.layers) + " layers, and a rule for layer " +
                   std::to_string(r.layer);
        }
        if (const std::string problem = problem_of(r); !problem.empty()) {
            return place(r.layer, r.where) + problem;
        }
        const auto s = static_cast<std::size_t>(r.where);
        if (++seen[r.layer][s] > 1) {
            return place(r.layer, r.where) + "two rules; a site takes one";
        }
        used[s] = true;
    }
    for (std::size_t layer = 0; layer < seen.size(); ++layer) {
        for (const site where : all_sites) {
            const auto s = static_cast<std::size_t>(where);
            if (used[s] && seen[layer][s] == 0) {
                return place(layer, where) + "no rule, though other layers have one there";
            }
        }
    }
    return {};
}

/// One rule a layer from a calibration's numbers, in the order of layers: rules_for(site::gate, "threshold", quantiles).
template <class Number>
std::vector<calibrated_rule> rules_for(site where, std::string_view rule, const std::vector<Number>& values) {
    std::vector<calibrated_rule> rules;
    for (std::size_t layer = 0; layer < values.size(); ++layer) {
        rules.push_back({layer, where, std::string{rule}, widen(values[layer])});
    }
    return rules;
}

namespace calibration_part {

/// channel_thresholds with thresholds of its own: movable, not copyable.
class held_thresholds : public selects<held_thresholds> {
  public:
    /// Of a rule that has a list.
    explicit held_thresholds(std::vector<float> values) : values_{std::move(values)}, over_{values_} {}
    held_thresholds(held_thresholds&&) = default;
    held_thresholds& operator=(held_thresholds&&) = default;
    ~held_thresholds() = default;

    /// As channel_thresholds does.
    template <class View>
    void select(View values, mask_span out, workspace w) const {
        over_.select(values, out, w);
    }
    /// None.
    static constexpr std::size_t selection_bytes(std::size_t) { return 0; }

  private:
    std::vector<float> values_;
    channel_thresholds over_; // what a vector holds stays where it is when it is moved
};

} // namespace calibration_part

/// The selector of a rule, for a plan or a policy. cett borrows `norms`, the layer's neuron_norms; the others need none, and hold
/// what they need.
/// Refuses a rule with a problem, and cett without norms.
inline any_selector selector_of(const calibrated_rule& r, detail::kept_span<float> norms = {}) {
    if (const std::string problem = problem_of(r); !problem.empty()) {
        fail(("tamis::study::selector_of: " + problem).c_str());
    }
    if (r.rule == of_channels) {
        return calibration_part::held_thresholds{r.values};
    }
    if (r.rule == "cett") {
        if (norms.empty()) {
            fail("tamis::study::selector_of: cett needs the layer's neuron_norms, got none");
        }
        return cett(norms, r.value);
    }
    return r.rule == "threshold"        ? any_selector{threshold{r.value}}
           : r.rule == "top_p"          ? any_selector{top_p{r.value}}
           : r.rule == "max_p"          ? any_selector{max_p{r.value}}
           : r.rule == "top_k_fraction" ? any_selector{top_k::fraction(r.value)}
                                        : any_selector{top_k{static_cast<std::size_t>(r.value)}};
}

/// One site's selector of one layer, for an FFN that runs by itself:
///     glu_ffn{weights, silu{}, at_intermediate(selector_at(c, layer, site::intermediate, norms))}
/// Refuses a site without a rule.
inline any_selector selector_at(const calibration& c, std::size_t layer, site where,
                                detail::kept_span<float> norms = {}) {
    for (const calibrated_rule& r : c.rules) {
        if (r.layer == layer && r.where == where) {
            return selector_of(r, norms);
        }
    }
    fail(("tamis::study::selector_at: the calibration has no rule for layer " + std::to_string(layer) + ", " +
          name_of(where))
             .c_str());
}

/// The run-time form of a calibration. `norms` are the layers' neuron_norms, borrowed, and wanted where a rule is cett.
/// Refuses a calibration with a problem, and norms of another number of layers.
inline plan plan_of(const calibration& c, std::span<const std::vector<float>> norms = {}) {
    if (const std::string problem = problem_of(c); !problem.empty()) {
        fail(("tamis::study::plan_of: " + problem).c_str());
    }
    if (!norms.empty()) {
        detail::need("tamis::study::plan_of: the norms of %zu layers are needed, got those of %zu", c.layers,
                     norms.size());
    }
    plan p{c.layers};
    for (const calibrated_rule& r : c.rules) {
        p.set(r.layer, r.where,
              selector_of(r,
                          norms.empty() ? std::span<const float>{} : std::span<const float>{norms[r.layer]}));
    }
    return p;
}

} // namespace study

TAMIS_END
