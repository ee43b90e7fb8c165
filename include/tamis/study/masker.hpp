#pragma once

#include <tamis/mask/apply.hpp>
#include <tamis/study/hook.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/plan.hpp>

TAMIS_BEGIN

namespace study {

namespace masker_part {

/// What every hook that masks does with a token: shows its values as they are with the mask, then sets what is not active
/// to zero. Without a policy it only shows.
template <layer_observer Observer>
void show_and_mask(Observer& see, std::size_t layer, const sighting& s, std::span<float> values) {
    see(layer, s);
    if (s.has_policy) {
        zero_inactive(values, s.mask);
    }
}

} // namespace masker_part

/// The hook that carries a plan out: makes each token's mask, shows values and mask to an observer, and sets what is not
/// active to zero. Masks are those of glu_ffn, but that gate and up are masked and shown in full, whatever the other's mask
/// left out: with policies at both, up's mask is made over all of up. The plan and the observer are borrowed.
/// Workspace: plan.workspace_bytes(the widest site).
template <layer_observer Observer = no_layer_observer>
class masker {
  public:
    /// All borrowed; memory of workspace_bytes, what is seen goes to the observer.
    masker(const plan& p, workspace w, Observer& see) : plan_{&p}, workspace_{w}, see_{&see} {}
    /// The same, and nothing is shown.
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
                chosen->select_row(row, token, made, w);
            }
            masker_part::show_and_mask(*see_, layer, {where, row, made, chosen != nullptr, token}, row);
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
