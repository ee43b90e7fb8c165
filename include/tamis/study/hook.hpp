#pragma once

#include <tamis/ffn/site.hpp>
#include <tamis/values.hpp>

TAMIS_BEGIN

namespace study {

/// How a study reaches into a model of any engine. The model calls `hook(layer, where, values)` for every FFN and block of
/// tokens, at the sites input, gate (behind sigma), up, intermediate in this order; values is [tokens x width] and goes on
/// as the hook leaves it. At input it is a copy: the residual stream keeps its own x. An engine without hooks of its own
/// can run its FFNs by hooked_ffn. What one hook does it does for one thread at a time.
/// Models: masker, joint_masker, rounded, predicted, precision_drift, no_hook, chained, hook_ref.
template <class H>
concept site_hook =
    requires(H& h, std::size_t layer, site where, block<float> values) { h(layer, where, values); };

/// The hook of those who change nothing: the dense model.
struct no_hook {
    /// As a hook is called: layer, site, values that it may write.
    constexpr void operator()(std::size_t, site, block<float>) const {}
};

/// A hook of any type by reference, for code that is compiled once. It is valid as long as the hook.
class hook_ref {
  public:
    /// Of any hook, borrowed.
    template <site_hook H>
        requires(!std::is_same_v<std::remove_const_t<H>, hook_ref>)
    hook_ref(H& hook)
        : hook_{const_cast<void*>(static_cast<const void*>(&hook))},
          call_{[](void* h, std::size_t layer, site where, block<float> values) {
              (*static_cast<H*>(h))(layer, where, values);
          }} {}

    /// As a hook is called: layer, site, values that it may write.
    void operator()(std::size_t layer, site where, block<float> values) const {
        call_(hook_, layer, where, values);
    }

  private:
    void* hook_;
    void (*call_)(void*, std::size_t, site, block<float>);
};

/// Hooks one after the other.
template <site_hook First, site_hook Second>
class chained {
  public:
    /// Both borrowed; the second sees what the first left.
    chained(First& first, Second& second) : first_{&first}, second_{&second} {}
    /// As a hook is called: layer, site, values that it may write.
    void operator()(std::size_t layer, site where, block<float> values) {
        (*first_)(layer, where, values);
        (*second_)(layer, where, values);
    }

  private:
    First* first_;
    Second* second_;
};

} // namespace study

TAMIS_END
