#pragma once

#include <tamis/study/meter.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/state.hpp>

#include <algorithm>
#include <array>

TAMIS_BEGIN

namespace study {

/// Mask sparsity (accounting 1): dropped entries over all entries of a site, pooled over tokens; the same by the token's
/// position in its block; and how it is distributed over tokens. Sites without a policy have nothing to count. A token whose
/// mask has no entries counts with a sparsity of 0. O(n / 64) a sighting.
class sparsity_meter {
  public:
    /// Entries seen and, of these, not active.
    struct counts {
        /// All entries, and those that masks dropped or that were zero.
        std::uint64_t entries = 0, dropped = 0;

        /// In [0, 1]; 0 of nothing.
        double sparsity() const {
            return entries == 0 ? 0.0 : static_cast<double>(dropped) / static_cast<double>(entries);
        }
        /// Of both.
        void operator+=(const counts& other) {
            entries += other.entries;
            dropped += other.dropped;
        }
        template <class Archive>
        void state(Archive& a) {
            a(entries, dropped);
        }
        const char* problem() const {
            return dropped > entries ? "sparsity_meter: more dropped entries than entries" : nullptr;
        }
        friend bool operator==(const counts&, const counts&) = default;
    };
    /// Tokens by their sparsity: bin b counts those in [b, b + 1) percent, the last one those that dropped everything.
    using histogram = std::array<std::uint64_t, 101>;

    void operator()(const sighting& s) {
        if (!s.has_policy) {
            return;
        }
        at_site& here = at(s.where);
        const std::uint64_t entries = s.mask.size();
        const counts c{entries, entries - s.mask.count()};
        here.all += c;
        if (here.by_position.size() <= s.token) {
            here.by_position.resize(s.token + 1);
        }
        here.by_position[s.token] += c;
        ++here.bins[entries == 0 ? 0 : static_cast<std::size_t>(100 * c.dropped / entries)];
        here.least = here.tokens == 0 ? c.sparsity() : (std::min)(here.least, c.sparsity());
        here.greatest = (std::max)(here.greatest, c.sparsity());
        ++here.tokens;
    }

    void merge(const sparsity_meter& other) {
        for (std::size_t i = 0; i < sites_.size(); ++i) {
            sites_[i].merge(other.sites_[i]);
        }
    }

    /// How many were counted there.
    std::uint64_t tokens(site where) const { return at(where).tokens; }
    /// Over all tokens.
    const counts& pooled(site where) const { return at(where).all; }
    /// Dropped entries over all, pooled over tokens; 0 of nothing.
    double sparsity(site where) const { return pooled(where).sparsity(); }
    /// One for each sighting::token that was seen, from 0.
    std::span<const counts> by_position(site where) const { return at(where).by_position; }

    /// How sparsity is distributed over tokens.
    const histogram& distribution(site where) const { return at(where).bins; }
    /// The sparsity of the least and the most sparse token; 0 of none.
    double least(site where) const { return at(where).least; }
    /// That of the most sparse token; 0 of none.
    double greatest(site where) const { return at(where).greatest; }

    template <class Archive>
    void state(Archive& a) {
        a(sites_);
    }

  private:
    struct at_site {
        counts all;
        std::vector<counts> by_position;
        histogram bins{};
        std::uint64_t tokens = 0;
        double least = 0, greatest = 0;

        void merge(const at_site& other) {
            all += other.all;
            by_position.resize((std::max)(by_position.size(), other.by_position.size()));
            for (std::size_t i = 0; i < other.by_position.size(); ++i) {
                by_position[i] += other.by_position[i];
            }
            for (std::size_t i = 0; i < bins.size(); ++i) {
                bins[i] += other.bins[i];
            }
            if (other.tokens != 0) {
                least = tokens == 0 ? other.least : (std::min)(least, other.least);
                greatest = (std::max)(greatest, other.greatest);
            }
            tokens += other.tokens;
        }
        template <class Archive>
        void state(Archive& a) {
            a(all, by_position, bins, tokens, least, greatest);
        }
        const char* problem() const {
            counts positions;
            for (const counts& c : by_position) {
                positions += c;
            }
            std::uint64_t in_bins = 0;
            for (const std::uint64_t count : bins) {
                in_bins += count;
            }
            return positions != all || (tokens == 0 && !by_position.empty())
                       ? "sparsity_meter: the positions' counts do not add up to all"
                   : in_bins != tokens ? "sparsity_meter: the histogram does not add up to the tokens"
                   : !detail::is_between(least, 0.0, 1.0) || !detail::is_between(greatest, least, 1.0) ||
                           (tokens == 0 && magnitude_bits(greatest) != 0)
                       ? "sparsity_meter: the least and the greatest sparsity can not be"
                       : nullptr;
        }
    };
    at_site& at(site where) { return sites_[static_cast<std::size_t>(where)]; }
    const at_site& at(site where) const { return sites_[static_cast<std::size_t>(where)]; }

    std::array<at_site, all_sites.size()> sites_;
};

} // namespace study

TAMIS_END
