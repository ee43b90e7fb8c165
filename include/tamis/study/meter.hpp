#pragma once

#include <tamis/ffn/observer.hpp>
#include <tamis/whole_number.hpp>

#include <concepts>
#include <tuple>
#include <utility>
#include <vector>

TAMIS_BEGIN

namespace study {

// A meter is an observer that can be merged: several threads, processes or machines each feed one of their own, and
// merging these in any order gives the very result of one meter that saw everything. So meters count in integers and sum
// in exact_total. What a meter wants to know of the order of tokens it gets from sighting::token, and from begin().

/// Copy-constructible, callable with every sighting of one layer, mergeable with its like.
template <class M>
concept meter =
    observer<M> && std::copy_constructible<M> && requires(M& m, const M& other) { m.merge(other); };

/// A meter that has to know where a sequence (a story, a sample, a batch) begins: begin() is called before its first token.
template <class M>
concept sequential_meter = meter<M> && requires(M& m) { m.begin(); };

/// Lists its members to an archive: see study/state.hpp.
template <class M, class Archive>
concept has_members = requires(M& m, Archive& a) { m.state(a); };

/// One that has to know which sequence it is: begin(its number).
template <class M>
concept numbered_meter = meter<M> && requires(M& m, std::uint64_t sequence) { m.begin(sequence); };

/// Sees every sighting of every layer.
template <class O>
concept layer_observer = requires(O& o, std::size_t layer, const sighting& s) { o(layer, s); };

/// Sees nothing.
struct no_layer_observer {
    constexpr void operator()(std::size_t, const sighting&) const {}
};

/// The same meter for each layer (or each expert): `layers[l]` is the observer of layer l's FFN, and the whole is a
/// layer_observer.
template <meter M>
class per_layer {
  public:
    /// So many copies of a fresh meter.
    explicit per_layer(whole_number layers, const M& fresh = M{})
        : meters_(layers.or_fail("tamis::study::per_layer: layers"), fresh) {}
    /// A meter a layer, for those that differ (by the layer's weights, say).
    explicit per_layer(std::vector<M> meters) : meters_{std::move(meters)} {}

    void begin() {
        if constexpr (sequential_meter<M>) {
            for (M& m : meters_) {
                m.begin();
            }
        }
    }
    /// The same with the sequence's number, for meters that want to know it (top_contexts).
    void begin(std::uint64_t sequence) {
        if constexpr (numbered_meter<M>) {
            for (M& m : meters_) {
                m.begin(sequence);
            }
        } else {
            begin();
        }
    }
    void operator()(std::size_t layer, const sighting& s) { meters_[layer](s); }

    /// Refuses a meter of another number of layers.
    void merge(const per_layer& other) {
        detail::need("tamis::study::per_layer: a meter of %zu layers can not take one of %zu", size(),
                     other.size());
        for (std::size_t l = 0; l < size(); ++l) {
            meters_[l].merge(other.meters_[l]);
        }
    }

    /// How many entries.
    std::size_t size() const { return meters_.size(); }
    /// A layer's meter; not checked.
    M& operator[](std::size_t layer) { return meters_[layer]; }
    /// A layer's meter; not checked.
    const M& operator[](std::size_t layer) const { return meters_[layer]; }
    /// How many layers.
    auto begin_layers() const { return meters_.begin(); }
    /// How many layers.
    auto end_layers() const { return meters_.end(); }
    /// One meter of all layers.
    M merged() const {
        M all{meters_.front()};
        for (std::size_t l = 1; l < size(); ++l) {
            all.merge(meters_[l]);
        }
        return all;
    }

    template <class Archive>
    void state(Archive& a)
        requires has_members<M, Archive>
    {
        const std::size_t layers = size();
        a(layers);
        for (M& m : meters_) {
            a(m);
        }
    }

  private:
    std::vector<M> meters_;
};

/// Several meters that see the same: `meters{sparsity_meter{}, frequency_meter{site::input}}`; get<M>() is the one of that
/// type, get<0>() the first.
template <meter... Meters>
class meters {
  public:
    /// All of these, fed together.
    explicit meters(Meters... all) : all_{std::move(all)...} {}

    void begin() {
        each([](auto& m) {
            if constexpr (requires { m.begin(); }) {
                m.begin();
            }
        });
    }
    void begin(std::uint64_t sequence) {
        each([&](auto& m) {
            if constexpr (requires { m.begin(sequence); }) {
                m.begin(sequence);
            } else if constexpr (requires { m.begin(); }) {
                m.begin();
            }
        });
    }
    void operator()(const sighting& s) {
        each([&](auto& m) { m(s); });
    }
    void merge(const meters& other) {
        [&]<std::size_t... At>(std::index_sequence<At...>) {
            (get<At>().merge(other.template get<At>()), ...);
        }(std::index_sequence_for<Meters...>{});
    }

    template <class Archive>
    void state(Archive& a)
        requires(has_members<Meters, Archive> && ...)
    {
        each([&](auto& m) { a(m); });
    }

    /// The meter of a type, or at a place.
    template <class M>
    M& get() {
        return std::get<M>(all_);
    }
    /// The meter of a type, or at a place.
    template <class M>
    const M& get() const {
        return std::get<M>(all_);
    }
    /// The meter of a type, or at a place.
    template <std::size_t At>
    auto& get() {
        return std::get<At>(all_);
    }
    /// The meter of a type, or at a place.
    template <std::size_t At>
    const auto& get() const {
        return std::get<At>(all_);
    }

  private:
    template <class F>
    void each(F&& f) {
        std::apply([&](auto&... m) { (f(m), ...); }, all_);
    }

    std::tuple<Meters...> all_;
};

} // namespace study

TAMIS_END
