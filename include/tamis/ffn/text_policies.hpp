#pragma once

#include <tamis/ffn/any_format.hpp>
#include <tamis/ffn/any_policy.hpp>
#include <tamis/ffn/site_rules.hpp>
#include <tamis/text_rule.hpp>

#include <vector>

TAMIS_BEGIN

/// What read_policies found.
struct policies_as_text {
    /// In the order of the sites.
    std::vector<any_policy> policies{};
    /// Empty, or what is wrong with the text, and the way out.
    std::string error{};
};

/// The policies of an FFN from the rules of its sites as text: what a setting, a graph's attribute or another language says.
///     const auto read = read_policies<all_formats>(read_site_rules("top_p=0.95@input;cett=0.01"), down);
///     any_ffn<...> ffn{weights, silu{}, std::span{read.policies}};
/// `numbers` are those of rules with a number for each entry, by site; copied. Where they are left out at the intermediate, weighted and
/// cett have the norms of W_down's neurons, which are computed then. masks_only as any_policy has it. Allocates.
template <class Formats>
policies_as_text read_policies(const site_rules& rules, const any_matrix& down,
                               const std::array<std::span<const float>, 4>& numbers = {},
                               bool masks_only = false) {
    policies_as_text result{{}, rules.error};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto where = static_cast<site>(i);
        const std::string& text = rules[where];
        if (text.empty() || !result.error.empty()) {
            continue;
        }
        rule_reading read = read_rule(text, numbers[i]);
        if (where == site::intermediate && numbers[i].empty() && read.wants_numbers &&
            !read.wants_thresholds) {
            std::vector<float> norms(down.layout() == weight_layout::neuron_major ? down.rows()
                                                                                  : down.columns());
            any_neuron_norms<Formats>(down, norms);
            read = read_rule(text, norms);
        }
        if (read) {
            result.policies.emplace_back(where, any_selector{std::move(*read.value)}, masks_only);
        } else {
            result.error = std::move(read.error) + " (at " + name_of(where) + ")";
        }
    }
    return result;
}

TAMIS_END
