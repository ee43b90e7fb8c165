#pragma once

#include <tamis/study/meter.hpp>

TAMIS_BEGIN

namespace study {

/// Something that takes spans of floats, `add(values)`, and merges: a histogram, a CETT curve, a second pass.
template <class C>
concept values_counter =
    std::copy_constructible<C> && requires(C& c, const C& other, std::span<const float> values) {
        c.add(values);
        c.merge(other);
    };

/// The meter that feeds a counter with one site's values, a token at a time.
template <values_counter Counter>
class site_meter {
  public:
    /// Of a site, with a counter as it is at first.
    explicit site_meter(site where, Counter counter = Counter{})
        : where_{where}, counter_{std::move(counter)} {}

    /// Hands the values of its site to the counter.
    void operator()(const sighting& s) {
        if (s.where == where_) {
            counter_.add(s.values);
        }
    }
    /// Refuses a meter of another site.
    void merge(const site_meter& other) {
        detail::need("tamis::study::site_meter: a meter of site number %zu can not take one of site %zu",
                     static_cast<std::size_t>(where_), static_cast<std::size_t>(other.where_));
        counter_.merge(other.counter_);
    }

    /// The site that it counts.
    site where() const { return where_; }
    /// What was counted.
    const Counter& counter() const { return counter_; }

  private:
    site where_;
    Counter counter_;
};

} // namespace study

TAMIS_END
