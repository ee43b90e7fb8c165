#pragma once

#include <tamis/study/any_joint_selector.hpp>
#include <tamis/study/masker.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

TAMIS_BEGIN

namespace study {

/// The tokens of a whole block under one cut.
inline constexpr std::size_t whole_block = (std::numeric_limits<std::size_t>::max)();

/// Which rule masks which site jointly, in every layer, and how many tokens share a cut. Empty: the dense model.
class joint_plan {
  public:
    /// `tokens`: rows of a block that have a cut together; the last ones may be fewer. Refuses 0.
    explicit joint_plan(std::size_t tokens = whole_block) : tokens_{tokens} {
        if (tokens == 0) {
            fail("tamis::study::joint_plan: at least 1 token has to share a cut, got 0");
        }
    }

    /// What selects at a site, over all tokens of a call.
    joint_plan& set(site where, any_joint_selector s) {
        at_[static_cast<std::size_t>(where)] = std::move(s);
        return *this;
    }
    /// Null where nothing is masked.
    const any_joint_selector* at(site where) const {
        const auto& s = at_[static_cast<std::size_t>(where)];
        return s ? &*s : nullptr;
    }
    /// How many tokens were counted.
    std::size_t tokens() const { return tokens_; }

    /// Bytes of workspace for blocks of at most so many rows and columns, masks included.
    std::size_t workspace_bytes(std::size_t rows, std::size_t columns) const {
        const std::size_t together = (std::min)(rows, tokens_);
        std::size_t most = 0;
        for (const auto& s : at_) {
            most = (std::max)(most, s ? s->selection_bytes(together * columns) : 0);
        }
        return most + workspace_bytes_of<std::uint64_t>(together * mask_words(columns));
    }

  private:
    std::size_t tokens_;
    std::array<std::optional<any_joint_selector>, all_sites.size()> at_;
};

/// The hook that carries out a joint_plan, as masker does a plan: makes the masks of the tokens that share a cut, shows each
/// token's values and mask to an observer, and sets what is not active to zero. LLaDA in [U] masks a sample's block as a
/// whole, with without_crossing{top_p{p}}. Plan and observer are borrowed. Workspace: plan.workspace_bytes(the most rows
/// of a block, the widest site).
template <layer_observer Observer = no_layer_observer>
class joint_masker {
  public:
    /// All borrowed; memory of workspace_bytes, what is seen goes to the observer.
    joint_masker(const joint_plan& p, workspace w, Observer& see) : plan_{&p}, workspace_{w}, see_{&see} {}
    /// The same, and nothing is shown.
    joint_masker(const joint_plan& p, workspace w)
        requires std::is_same_v<Observer, const no_layer_observer>
        : joint_masker{p, w, nothing} {}

    void operator()(std::size_t layer, site where, block<float> values) {
        const any_joint_selector* const chosen = plan_->at(where);
        std::size_t together = 0;
        for (std::size_t first = 0; first < values.rows(); first += together) {
            together = (std::min)(values.rows() - first, plan_->tokens());
            const block<float> tokens{values.row(first).data(), together, values.columns(), values.stride()};
            if (chosen != nullptr) {
                mask(*chosen, layer, where, tokens, first);
            } else {
                for (std::size_t i = 0; i < together; ++i) {
                    (*see_)(layer, sighting{where, tokens.row(i), {}, false, first + i});
                }
            }
        }
    }

  private:
    void mask(const any_joint_selector& chosen, std::size_t layer, site where, block<float> tokens,
              std::size_t first) {
        workspace w = workspace_;
        const mask_block_span masks{w.take<std::uint64_t>(tokens.rows() * mask_words(tokens.columns())),
                                    tokens.rows(), tokens.columns()};
        chosen.select(tokens, masks, w);
        for (std::size_t i = 0; i < tokens.rows(); ++i) {
            masker_part::show_and_mask(*see_, layer, {where, tokens.row(i), masks.row(i), true, first + i},
                                       tokens.row(i));
        }
    }

    static constexpr no_layer_observer nothing{};

    const joint_plan* plan_;
    workspace workspace_;
    Observer* see_;
};
joint_masker(const joint_plan&, workspace) -> joint_masker<const no_layer_observer>;

} // namespace study

TAMIS_END
