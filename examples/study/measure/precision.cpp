#include "measure/precision.hpp"

#include "measure/observe.hpp"

#include <tamis/study/rounded.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace app {

condition rounded_condition(condition c, const study::any_rounding& rounding,
                            std::vector<tamis::site> sites) {
    c.before = [rounding, sites = std::move(sites)](study::hook_ref masks, const onlooker& see,
                                                    const condition::use_hook& use) {
        study::rounded context{rounding, sites},
            rounds{rounding, sites}; // what context loses counts elsewhere
        const auto round = [&](std::size_t layer, tamis::site where, tamis::block<float> values) {
            const std::size_t first = std::min(see.first, values.rows());
            if (first > 0) {
                context(layer, where, {values.row(0).data(), first, values.columns(), values.stride()});
            }
            if (first < values.rows()) {
                rounds(layer, where,
                       {values.row(first).data(), values.rows() - first, values.columns(), values.stride()});
            }
        };
        study::chained both{round, masks};
        use(both);
        see.rounded(rounds.losses());
    };
    return c;
}

study::mask_drift drift_of(const subject& s, const condition& c, const study::any_rounding& rounding,
                           tamis::site where, std::size_t threads, const progress_report& report,
                           not_finite* lost) {
    return observe(s, s.stories, dense(s.layers()), study::precision_drift{c.plan, rounding}, threads, report,
                   lost)
        .at(where);
}

} // namespace app
