#pragma once

#include <tamis/ffn/observer.hpp>
#include <tamis/mask/set_operations.hpp>

#include <cstddef>
#include <vector>

TAMIS_BEGIN

/// An observer: how the union of the tokens' masks at a site grows over the tokens of a block, which is what a block has to
/// read. Give it to one call with a block (or to several with one token each), then ask.
class union_growth {
  public:
    /// Of the masks at a site.
    explicit union_growth(site where) : where_{where} {}

    void operator()(const sighting& s) {
        if (s.where != where_ || !s.has_policy) {
            return;
        }
        if (union_.size() != s.mask.size()) {
            union_ = mask{s.mask.size()};
            active_.clear();
        }
        unite(union_, s.mask, union_.span());
        active_.push_back(union_.count());
    }

    /// How many tokens were seen.
    std::size_t tokens() const { return active_.size(); }
    /// The share of entries that are active in any of the first k tokens, 1 <= k <= tokens().
    double active_after(std::size_t k) const {
        return static_cast<double>(active_[k - 1]) / static_cast<double>(union_.size());
    }
    /// Forgets them.
    void reset() {
        union_ = mask{};
        active_.clear();
    }

  private:
    site where_;
    mask union_;
    std::vector<std::size_t> active_;
};

TAMIS_END
