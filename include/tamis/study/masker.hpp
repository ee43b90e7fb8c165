#pragma once

#include <tamis/mask/apply.hpp>
#include <tamis/study/hook.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/plan.hpp>

TAMIS_BEGIN

namespace study {

/// The hook that carries a plan out: makes each token's mask, shows values and mask to an observer, and sets what is not
/// active to zero. Masks are those of glu_ffn, but that gate and up are masked and shown in full, whatever the other's mask
/// left out: with policies at both, up's mask is made over all of up. The plan and the observer are borrowed.
/// Workspace: plan.workspace_bytes(the widest site).
template <layer_observer Observer = no_layer_observer>
class masker {
  public:
    masker(const plan& p, workspace w, Observer& see) : plan_{&p}, workspace_{w}, see_{&see} {}
    masker(const plan& p, workspace w)
        requires std::is_same_v<Observer, const no_layer_observer>
        : masker{p, w, nothing} {}

    void operator()(std::size_t layer, site where, block<float> values) {
        const any_selector* const chosen = plan_->at(layer, where);
        workspace w = workspace_;
        mask_span made;
        if (chosen != nullptr) {
            made = mask_span{w.take<std::uint64_t>(mask_words(values.columns())), values.columns()};
        }
        for (std::size_t token = 0; token < values.rows(); ++token) {
            const std::span<float> row = values.row(token);
            if (chosen != nullptr) {
                chosen->select(row, made, w);
            }
            (*see_)(layer, sighting{where, row, made, chosen != nullptr, token});
            if (chosen != nullptr) {
                zero_inactive(row, made);
            }
        }
    }

  private:
    static constexpr no_layer_observer nothing{};

    const plan* plan_;
    workspace workspace_;
    Observer* see_;
};
masker(const plan&, workspace) -> masker<const no_layer_observer>;

} // namespace study

TAMIS_END
