#pragma once

#include <tamis/select_block.hpp>

#include <memory>

TAMIS_BEGIN

namespace study {

/// What select_joint takes: a rule on |v|, or a score with a rule. Masks that are made of several scores have no one cut.
template <class S>
concept joint_selector = selector<S> && (rule_for<S, float> || requires(const S& s) {
                             s.score_part();
                             s.rule_part();
                         });

/// One cut for a block of tokens x width of floats, by a rule that is chosen at run time: the masks of select_joint, for a
/// virtual call a block. Copies share what they hold, which is never changed.
class any_joint_selector {
    struct face {
        virtual ~face() = default;
        virtual void select(block<const float>, mask_block_span, workspace) const = 0;
        virtual std::size_t bytes(std::size_t n) const = 0;
    };
    template <class S>
    struct holder final : face {
        explicit holder(S s) : held{std::move(s)} {}
        void select(block<const float> values, mask_block_span out, workspace w) const override {
            select_joint(held, values, out, w);
        }
        std::size_t bytes(std::size_t n) const override { return tamis::selection_bytes(held, n); }
        S held;
    };

  public:
    /// Of any selector: copies of it share one. Allocates.
    template <joint_selector S>
    any_joint_selector(S s) : held_{std::make_shared<const holder<S>>(std::move(s))} {}

    /// Refuses masks of another shape. Workspace: selection_bytes(rows * columns).
    void select(block<const float> values, mask_block_span out, workspace w) const {
        held_->select(values, out, w);
    }
    std::size_t selection_bytes(std::size_t n) const { return held_->bytes(n); }

  private:
    std::shared_ptr<const face> held_;
};

} // namespace study

TAMIS_END
