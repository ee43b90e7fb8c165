#pragma once

#include <tamis/rule/selects.hpp>

#include <algorithm>
#include <utility>

TAMIS_BEGIN

namespace study {

/// A rule without its crossing entry: active is what is strictly greater than the least score that the rule keeps, so that
/// entry and all its ties are left out. Under top-p they are where the sum reaches p; the published code for diffusion
/// models [U] leaves them out, its text and its other code keep them. top-p with p = 0 so keeps nothing, with p = 1 all but
/// the least scores above zero. Infinities stay active where the rule keeps them, NaN always. O(n) beside the rule.
template <rule R>
class without_crossing : public selects<without_crossing<R>> {
  public:
    /// The rule whose crossing entry is left out.
    constexpr explicit without_crossing(R rule) : rule_{std::move(rule)} {}

    template <class Real>
        requires rule_for<R, Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        const cut<Real> kept = tamis::cut_of(rule_, s, w);
        bits_of<Real> least = infinity_bits<Real>;
        for (std::size_t i = 0; i < s.size(); ++i) {
            least = kept.keeps(s.bits(i)) ? (std::min)(least, s.bits(i)) : least;
        }
        return kept &
               cut<Real>::at_bits((std::min)(static_cast<bits_of<Real>>(least + 1), infinity_bits<Real>));
    }
    constexpr std::size_t workspace_bytes(std::size_t n) const { return rule_workspace_bytes(rule_, n); }

  private:
    R rule_;
};

} // namespace study

TAMIS_END
