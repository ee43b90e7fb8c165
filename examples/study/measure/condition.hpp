#pragma once

#include "settings.hpp"

#include <tamis/study/hook.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/round.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace app {

namespace study = tamis::study;

/// Whoever looks on, whatever its type.
struct onlooker {
    std::function<void(std::size_t layer, const tamis::sighting&)> see;
    /// Takes what rounding lost.
    std::function<void(const study::rounding_losses&)> rounded;
    std::size_t first = 0; ///< the first token that counts

    void operator()(std::size_t layer, const tamis::sighting& s) const { see(layer, s); }
};

/// Shows the tokens from one on to another: those before it are context, which counts elsewhere.
template <class Observer>
struct from_token {
    Observer& to;
    std::size_t first;

    void operator()(std::size_t layer, const tamis::sighting& s) {
        if (s.token >= first) {
            to(layer, s);
        }
    }
    void rounded(const study::rounding_losses& losses)
        requires requires { to.rounded(losses); }
    {
        to.rounded(losses);
    }
};

/// The first token that counts for an observer.
template <class Observer>
std::size_t first_of(const Observer&) {
    return 0;
}
template <class Observer>
std::size_t first_of(const from_token<Observer>& see) {
    return see.first;
}

/// What is done to a model for one row of a table, and what the row is called. No plan: the dense model.
struct condition {
    std::string site = "dense", rule = "-", value = "-";
    double number = 0; ///< the value
    study::plan plan{};
    /// What else happens at the sites, in front of the masks: rounding, predictions. It calls `use` with a hook that does
    /// both, and shows masks of its own to `see`. Empty: nothing.
    using use_hook = std::function<void(study::hook_ref)>;
    std::function<void(study::hook_ref masks, const onlooker& see, const use_hook& use)> before{};

    bool dense() const { return site == "dense"; }

    /// Calls use(hook) with the hook that does all of it, shown to `see`. Workspace: the plan's.
    template <class Observer, class Use>
    void apply(tamis::workspace memory, Observer& see, Use&& use) const {
        study::masker masks{plan, memory, see};
        if (before) {
            before(masks,
                   {[&](std::size_t layer, const tamis::sighting& s) { see(layer, s); },
                    [&](const study::rounding_losses& losses) {
                        if constexpr (requires { see.rounded(losses); }) {
                            see.rounded(losses);
                        }
                    },
                    first_of(see)},
                   use);
        } else {
            use(study::hook_ref{masks});
        }
    }
};

/// The same rule with one value at the sites of `where`, in all layers or in one.
inline condition masked(std::size_t layers, const site_choice& where, const rule_family& rule,
                        const rule_value& value, std::optional<std::size_t> only_layer = {}) {
    condition c{where.name, rule.name, value.text, value.number, study::plan{layers}, {}};
    for (const tamis::site s : where.sites) {
        const tamis::any_selector chosen = rule.make(value.number);
        for (std::size_t l = 0; l < layers; ++l) {
            if (!only_layer || *only_layer == l) {
                c.plan.set(l, s, chosen);
            }
        }
    }
    return c;
}
inline condition dense(std::size_t layers) {
    condition c;
    c.plan = study::plan{layers};
    return c;
}

} // namespace app
