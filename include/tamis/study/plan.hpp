#pragma once

#include <tamis/any_selector.hpp>
#include <tamis/ffn/site.hpp>
#include <tamis/whole_number.hpp>

#include <array>
#include <optional>
#include <vector>

TAMIS_BEGIN

namespace study {

inline constexpr std::array all_sites{site::input, site::gate, site::up, site::intermediate};

/// Which selector masks which site of which layer, chosen at run time. Empty: the dense model. One plan serves many
/// threads.
class plan {
  public:
    /// No rule anywhere.
    explicit plan(whole_number layers = 0) : at_(layers.or_fail("tamis::study::plan: layers")) {}

    /// How many layers.
    std::size_t layers() const { return at_.size(); }

    /// Refuses a layer that is not there.
    plan& set(std::size_t layer, site where, const any_selector& s) {
        if (layer >= at_.size()) {
            fail_sizes("tamis::study::plan: layers below %zu can be set, not layer %zu", at_.size(), layer);
        }
        slot(layer, where) = s;
        return *this;
    }
    /// The same selector in every layer, as top-p has one p for all.
    plan& set_all(site where, const any_selector& s) {
        for (std::size_t layer = 0; layer < at_.size(); ++layer) {
            set(layer, where, s);
        }
        return *this;
    }

    /// Null where nothing is masked, and for layers beyond the plan's.
    const any_selector* at(std::size_t layer, site where) const {
        if (layer >= at_.size()) {
            return nullptr;
        }
        const auto& s = at_[layer][static_cast<std::size_t>(where)];
        return s ? &*s : nullptr;
    }

    /// Bytes of workspace for one mask over at most n values, words included.
    std::size_t workspace_bytes(std::size_t n) const {
        std::size_t most = 0;
        for (const auto& layer : at_) {
            for (const auto& s : layer) {
                most = (std::max)(most, s ? s->selection_bytes(n) : 0);
            }
        }
        return most + workspace_bytes_of<std::uint64_t>(mask_words(n));
    }

  private:
    std::optional<any_selector>& slot(std::size_t layer, site where) {
        return at_[layer][static_cast<std::size_t>(where)];
    }

    std::vector<std::array<std::optional<any_selector>, all_sites.size()>> at_;
};

/// The plan that masks one layer as p does and leaves all others dense: what a single layer tolerates. Refuses a layer that
/// is not there.
inline plan only_layer(const plan& p, std::size_t layer) {
    if (layer >= p.layers()) {
        fail_sizes("tamis::study::only_layer: the plan has %zu layers, there is no layer %zu", p.layers(),
                   layer);
    }
    plan alone{p.layers()};
    for (const site where : all_sites) {
        if (const any_selector* const s = p.at(layer, where)) {
            alone.set(layer, where, *s);
        }
    }
    return alone;
}

} // namespace study

TAMIS_END
