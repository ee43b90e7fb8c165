#pragma once

#include <tamis/rule/selects.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

TAMIS_BEGIN

/// A rule or selector over floats that is chosen at run time: the same masks as the selector it is made of, for one
/// virtual call a mask. It is a selector itself, so one type of FFN serves every rule. Copies share what they hold, which
/// is never changed, and one that was moved from is still what it was; making one allocates, selecting does not.
class any_selector : public selects<any_selector> {
    struct face {
        virtual ~face() = default;
        virtual void select(std::span<const float>, std::size_t row, mask_span, workspace) const = 0;
        virtual std::size_t bytes(std::size_t n) const = 0;
    };
    template <class S>
    struct holder final : face {
        explicit holder(S s) : held{std::move(s)} {}
        void select(std::span<const float> values, std::size_t row, mask_span out,
                    workspace w) const override {
            tamis::select_row(held, values, row, out, w);
        }
        std::size_t bytes(std::size_t n) const override { return tamis::selection_bytes(held, n); }
        S held;
    };

  public:
    /// Of any selector: copies of it share one. Allocates.
    template <selector S>
        requires(!std::is_same_v<S, any_selector>)
    any_selector(S s) : held_{std::make_shared<const holder<S>>(std::move(s))} {}
    any_selector(const any_selector&) = default; // no move: it would leave one that holds nothing
    any_selector& operator=(const any_selector&) = default;

    void select(std::span<const float> values, mask_span out, workspace w) const {
        held_->select(values, 0, out, w);
    }
    void select_row(std::span<const float> values, std::size_t row, mask_span out, workspace w) const {
        held_->select(values, row, out, w);
    }
    std::size_t selection_bytes(std::size_t n) const { return held_->bytes(n); }

  private:
    std::shared_ptr<const face> held_;
};

TAMIS_END
