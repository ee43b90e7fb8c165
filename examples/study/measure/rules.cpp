#include "settings.hpp"

#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/power.hpp>

#include <limits>

namespace app {

const std::vector<rule_family>& rule_families() {
    constexpr double any = std::numeric_limits<double>::max();
    constexpr const char *shares = "1,0.98,0.95,0.9,0.8,0.65,0.5,0.3",
                         *kept = "1,0.9,0.8,0.7,0.6,0.5,0.4,0.3";
    using tamis::any_selector;
    static const std::vector<rule_family> all{
        {"top_p", "the kept share of the mass", 1, true, shares,
         [](double p) { return any_selector{tamis::top_p{p}}; }},
        {"top_k", "the kept share of the entries", 1, true, kept,
         [](double f) { return any_selector{tamis::top_k::fraction(f)}; }},
        {"max_p", "a share of the largest entry", 1, false, "0,0.01,0.02,0.05,0.1,0.2,0.3",
         [](double p) { return any_selector{tamis::max_p{p}}; }},
        {"threshold", "the smallest magnitude kept", any, false, "0,0.01,0.02,0.05,0.1,0.2,0.5",
         [](double eps) { return any_selector{tamis::threshold{eps}}; }},
        {"top_p_energy", "the kept share of the squares", 1, true, "1,0.999,0.995,0.99,0.98,0.95,0.9,0.8",
         [](double p) {
             return any_selector{tamis::scored{tamis::power{2}, tamis::top_p{p}}};
         }},
        {"guarded_top_p", "the kept share of the mass, outliers of 64 times the median apart", 1, true,
         shares, [](double p) {
             return any_selector{tamis::guarded{64, tamis::top_p{p}}};
         }}};
    return all;
}

} // namespace app
