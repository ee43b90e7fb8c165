#pragma once

#include <tamis/study/hook.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/round.hpp>

#include <vector>

TAMIS_BEGIN

namespace study {

/// The hook that rounds the values of some sites, of all unless told otherwise, to another number format; it goes in front of
/// those that are to see rounded values: `chained{rounded_to_bf16, masker}` rounds, then masks. Weights and the sums of
/// products keep float's precision. What overflows is counted: losses() of all that it rounded, of all layers and sites. One
/// object serves one thread.
template <rounding R>
class rounded {
  public:
    /// At these sites.
    explicit rounded(R rounding, std::span<const site> sites = all_sites) : rounding_{std::move(rounding)} {
        for (const site where : sites) {
            rounds_[static_cast<std::size_t>(where)] = true;
        }
    }

    void operator()(std::size_t, site where, block<float> values) {
        if (rounds_[static_cast<std::size_t>(where)]) {
            for (std::size_t token = 0; token < values.rows(); ++token) {
                const std::span<float> row = values.row(token);
                before_.assign(row.begin(), row.end());
                round_all(rounding_, row);
                losses_.add(before_, row, largest_of(rounding_));
            }
        }
    }

    const char* name() const { return rounding_.name; }
    /// What was lost so far.
    const rounding_losses& losses() const { return losses_; }

  private:
    [[no_unique_address]] R rounding_;
    std::array<bool, all_sites.size()> rounds_{};
    std::vector<float> before_;
    rounding_losses losses_;
};

} // namespace study

TAMIS_END
