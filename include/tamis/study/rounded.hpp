#pragma once

#include <tamis/study/hook.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/round.hpp>

TAMIS_BEGIN

namespace study {

/// The hook that rounds the values of some sites, of all unless told otherwise, to another number format; it goes in front of
/// those that are to see rounded values: `chained{rounded_to_bf16, masker}` rounds, then masks. Weights and the sums of
/// products keep float's precision.
template <rounding R>
class rounded {
  public:
    explicit rounded(R rounding, std::span<const site> sites = all_sites) : rounding_{std::move(rounding)} {
        for (const site where : sites) {
            rounds_[static_cast<std::size_t>(where)] = true;
        }
    }

    void operator()(std::size_t, site where, block<float> values) const {
        if (rounds_[static_cast<std::size_t>(where)]) {
            for (std::size_t token = 0; token < values.rows(); ++token) {
                round_all(rounding_, values.row(token));
            }
        }
    }

    const char* name() const { return rounding_.name; }

  private:
    [[no_unique_address]] R rounding_;
    std::array<bool, all_sites.size()> rounds_{};
};

} // namespace study

TAMIS_END
