#include "measure/precision.hpp"

#include "measure/observe.hpp"

#include <tamis/study/rounded.hpp>

#include <utility>

namespace app {

condition rounded_condition(condition c, const study::any_rounding& rounding,
                            std::vector<tamis::site> sites) {
    c.before = [rounding, sites = std::move(sites)](study::hook_ref masks, const onlooker& see,
                                                    const condition::use_hook& use) {
        study::rounded rounds{rounding, sites};
        study::chained both{rounds, masks};
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
