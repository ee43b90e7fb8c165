#pragma once

#include <tamis/mask/set_operations.hpp>
#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <array>

TAMIS_BEGIN

namespace study {

/// How stable a site's masks are along a sequence: the Jaccard index of each token's mask with that of the token before [U],
/// and the share of entries that any of k successive tokens wants, which is what k tokens together have to read. Tokens are
/// those of a sequence in their order; begin() starts one. Groups of k do not overlap and begin with the sequence; the last
/// one counts if it is full. O(n / 64) a token for each k.
class stability_meter {
  public:
    /// Of how many neighbouring tokens the unions are.
    static constexpr std::array<std::size_t, 6> group_sizes{1, 2, 4, 8, 16, 32};

    /// At a site.
    explicit stability_meter(site where) : where_{where} {}

    void begin() { position_ = 0; }

    /// Refuses a mask of another size within a sequence.
    void operator()(const sighting& s) {
        if (s.where != where_ || !s.has_policy) {
            return;
        }
        if (position_ != 0) {
            jaccard_.add(jaccard(before_, s.mask));
        }
        before_ = mask{s.mask};
        ++position_;
        for (std::size_t g = 0; g < group_sizes.size(); ++g) {
            const std::size_t place = position_ % group_sizes[g]; // 0: the last of its group
            if (place == 1 || group_sizes[g] == 1) {
                unions_[g] = before_;
            } else {
                unite(unions_[g], s.mask, unions_[g].span());
            }
            if (place == 0) {
                wanted_[g] += unions_[g].count();
                entries_[g] += s.mask.size();
            }
        }
    }
    /// Refuses a meter of another site. Sequences end where they were fed: one may not be divided between two meters.
    void merge(const stability_meter& other) {
        if (other.where_ != where_) {
            fail("tamis::study::stability_meter: a meter of one site can not take one of another");
        }
        jaccard_.merge(other.jaccard_);
        for (std::size_t g = 0; g < group_sizes.size(); ++g) {
            wanted_[g] += other.wanted_[g];
            entries_[g] += other.entries_[g];
        }
    }

    /// The site that it counts.
    site where() const { return where_; }
    /// Pairs of neighbouring tokens, and the mean of their Jaccard indices; 0 of none. Two empty masks are alike: 1.
    std::uint64_t pairs() const { return jaccard_.count(); }
    /// Over pairs of neighbours.
    double mean_jaccard() const { return jaccard_.mean(); }

    /// The mean share of entries that are active in any of group_sizes[g] tokens; 0 where no group was full.
    double union_share(std::size_t g) const {
        return entries_[g] == 0 ? 0.0 : static_cast<double>(wanted_[g]) / static_cast<double>(entries_[g]);
    }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(where_), jaccard_, wanted_, entries_);
    }
    const char* problem() const {
        for (std::size_t g = 0; g < group_sizes.size(); ++g) {
            if (wanted_[g] > entries_[g]) {
                return "stability_meter: more wanted entries than entries";
            }
        }
        return jaccard_.left_out() != 0 || !jaccard_.can_be_of_shares()
                   ? "stability_meter: Jaccard indices that are not in [0, 1]"
                   : nullptr;
    }

  private:
    site where_;
    exact_total jaccard_;
    std::array<std::uint64_t, group_sizes.size()> wanted_{}, entries_{};
    // of the sequence that is under way
    std::size_t position_ = 0;
    mask before_;
    std::array<mask, group_sizes.size()> unions_;
};

} // namespace study

TAMIS_END
