#include "measure/refine.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace app {
namespace {

/// The value halfway between two points, as it is written; empty when there is none between them.
std::string value_between(double a, double b) {
    const std::string text = line(a + (b - a) / 2);
    const double value = std::strtod(text.c_str(), nullptr);
    return value == a || value == b ? std::string{} : text;
}

/// Where a row of this site and value belongs: behind the site's others that drop less.
std::size_t place_in_sweep(const swept& sweep, const condition& c, bool falls) {
    std::size_t place = 0;
    for (std::size_t i = 1; i < sweep.conditions.size(); ++i) {
        const condition& other = sweep.conditions[i];
        const bool before = falls ? other.number > c.number : other.number < c.number;
        place = other.site == c.site && (before || place == 0) ? (before ? i + 1 : i) : place;
    }
    return place == 0 ? sweep.conditions.size() : place;
}

} // namespace

std::size_t refine(swept& sweep, const subject& s, const std::vector<site_choice>& sites,
                   const rule_family& rule, double bracket, std::size_t most_rounds,
                   const measure_rows& measured) {
    const double dense_end = rule.falls ? rule.most : 0.0;
    std::size_t added = 0;
    for (std::size_t round = 0; round < most_rounds; ++round) {
        std::vector<condition> missing;
        for (const curve& c : curves_of(s, sweep.conditions, sweep.rows)) {
            const study::critical_point at = c.critical();
            if (at.undefined || bracket_of(at) <= bracket || c.of == curve::task) {
                continue;
            }
            const std::string value = value_between(at.dense_only ? dense_end : at.kept.value, at.lost.value);
            const auto where = std::find_if(sites.begin(), sites.end(),
                                            [&](const site_choice& one) { return one.name == c.site; });
            const bool planned = std::any_of(missing.begin(), missing.end(), [&](const condition& m) {
                return m.site == c.site && m.value == value;
            });
            if (!value.empty() && !planned && where != sites.end()) {
                missing.push_back(
                    masked(s.layers(), *where, rule, {std::strtod(value.c_str(), nullptr), value}));
            }
        }
        if (missing.empty()) {
            break;
        }
        auto rows = measured(missing);
        for (std::size_t i = 0; i < missing.size(); ++i, ++added) {
            const auto place = static_cast<std::ptrdiff_t>(place_in_sweep(sweep, missing[i], rule.falls));
            sweep.conditions.insert(sweep.conditions.begin() + place, std::move(missing[i]));
            sweep.rows.insert(sweep.rows.begin() + place, std::move(rows[static_cast<std::size_t>(i)]));
        }
    }
    return added;
}

} // namespace app
