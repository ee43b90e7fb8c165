#pragma once

#include <tamis/detail/memory.hpp>
#include <tamis/rule/selects.hpp>

#include <cmath>
#include <limits>

TAMIS_BEGIN

/// A threshold for each channel (CHESS; a calibration's of one's own): entry i is active when |v_i| >= t_i, compared exactly. An
/// entry that is exactly zero is never active, whatever its threshold; a NaN always is. The thresholds are borrowed, and as
/// many as the values, which is checked. CHESS has t_i = sqrt(T / E[u_i^2]) on the gate: chess_thresholds.
class channel_thresholds : public selects<channel_thresholds> {
  public:
    /// Refuses a threshold that is negative or NaN; reads them all once. Infinity keeps infinite entries alone.
    explicit channel_thresholds(detail::kept_span<float> thresholds) : thresholds_{thresholds} {
        for (const float t : thresholds_) {
            if (!detail::is_between(widen(t), 0.0, detail::infinite_double)) {
                fail_value("tamis::channel_thresholds: thresholds must be >= 0, got %.12g",
                           static_cast<double>(t));
            }
        }
    }

    template <class View>
    void select(View values, mask_span out, workspace) const {
        detail::need("tamis::channel_thresholds: thresholds for %zu channels are needed, got %zu",
                     values.size(), thresholds_.size());
        using real = real_of<detail::view_element<View>>;
        std::size_t word = 0;
        if constexpr (std::is_convertible_v<View, std::span<const float>>) {
            for (; word < values.size() / 64; ++word) {
                out.words()[word] = active_of(values.data() + word * 64, thresholds_.data() + word * 64);
            }
        }
        for (; word < out.words().size(); ++word) {
            const std::size_t first = word * 64;
            const std::size_t count = detail::smaller<std::size_t>(64, values.size() - first);
            std::uint64_t active = 0;
            for (std::size_t i = 0; i < count; ++i) {
                const bits_of<real> v = magnitude_bits(to_real(values[first + i]));
                active |= std::uint64_t{v != 0 && v >= threshold_bits<real>(first + i)} << i;
            }
            out.words()[word] = active;
        }
    }
    static constexpr std::size_t selection_bytes(std::size_t) { return 0; }

    /// One a value, borrowed.
    std::span<const float> thresholds() const { return thresholds_; }

  private:
    /// 64 floats at once.
    static std::uint64_t active_of(const float* values, const float* thresholds) {
        constexpr std::size_t lanes = detail::lane_count<float>;
        std::uint64_t active = 0;
        for (std::size_t i = 0; i < 64; i += lanes) {
            const auto keys = detail::load_keys<float>(values + i);
            active |= detail::lane_bits<float>((keys >= detail::load_keys<float>(thresholds + i)) &
                                               (keys > detail::key_lanes<float>(0)))
                      << i;
        }
        return active;
    }
    template <class Real>
    bits_of<Real> threshold_bits(std::size_t i) const {
        if constexpr (std::is_same_v<Real, float>) {
            return magnitude_bits(thresholds_[i]);
        } else {
            return magnitude_bits(widen(thresholds_[i]));
        }
    }

    std::span<const float> thresholds_;
};

/// CHESS's thresholds on the gate from what calibration saw of up: t_i = sqrt(budget / mean_squares[i]) with the mean of u_i^2
/// over the tokens, and one budget for all channels, so that what is dropped of the intermediate is alike in all. A channel
/// without any up gets the largest float. Into `out`, as many. Refuses a budget that is negative or not finite.
inline void chess_thresholds(std::span<const double> mean_squares, double budget, std::span<float> out) {
    detail::need("tamis::chess_thresholds: room for %zu thresholds is needed, got %zu", mean_squares.size(),
                 out.size());
    if (!detail::is_between(budget, 0.0, detail::largest_double)) {
        fail_value("tamis::chess_thresholds: the budget must be finite and >= 0, got %.12g", budget);
    }
    constexpr float most = (std::numeric_limits<float>::max)();
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double t = mean_squares[i] > 0 ? std::sqrt(budget / mean_squares[i]) : widen(most);
        out[i] = t < widen(most) ? static_cast<float>(t) : most;
    }
}

TAMIS_END
