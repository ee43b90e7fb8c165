#pragma once

#include <tamis/ffn/site.hpp>
#include <tamis/values.hpp>

TAMIS_BEGIN

namespace study {

/// How a study reaches into a model of any engine. The model calls `hook(layer, where, values)` for every FFN and block of
/// tokens, at the sites input, gate (behind sigma), up, intermediate in this order; values is [tokens x width] and goes on
/// as the hook leaves it. At input it is a copy: the residual stream keeps its own x. An engine without hooks of its own
/// can run its FFNs by hooked_ffn. What one hook does it does for one thread at a time.
/// Models: masker, rounded, calibration's meters.
template <class H>
concept site_hook =
    requires(H& h, std::size_t layer, site where, block<float> values) { h(layer, where, values); };

/// The hook of those who change nothing: the dense model.
struct no_hook {
    constexpr void operator()(std::size_t, site, block<float>) const {}
};

/// Hooks one after the other.
template <site_hook First, site_hook Second>
class chained {
  public:
    chained(First& first, Second& second) : first_{&first}, second_{&second} {}
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
