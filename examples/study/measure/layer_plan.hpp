#pragma once

#include "measure/against_dense.hpp"
#include "measure/condition.hpp"
#include "measure/measure.hpp"
#include "measure/refine.hpp"

#include <tamis/study/calibrate/calibration.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace app {

// Plans: a rule and a value for each layer and site, chosen together, that leave the most bytes unread at a given loss.

/// A way to make masks with one level, 0: all is kept. What a level drops is told by measuring.
enum class mask_kind {
    top_p,     ///< level: the dropped share of the mass
    top_k,     ///< the dropped share of the entries, the same for each token
    threshold, ///< the quantile of |v| of this layer
    weighted, ///< the quantile of |v| times the norm of what it multiplies (WINA's score, CETT's neuron norm)
    by_output ///< at the input: of |v| times what a change of it makes of the FFN's output, on the mean
};
inline constexpr std::array mask_kinds{mask_kind::top_p, mask_kind::top_k, mask_kind::threshold,
                                       mask_kind::weighted, mask_kind::by_output};
inline constexpr std::array plan_sites{tamis::site::input, tamis::site::intermediate};
const char* name(mask_kind k);
inline std::size_t place_of_site(tamis::site where) { return where == tamis::site::input ? 0 : 1; }

/// What turns levels into rules: histograms of each layer's values, with and without weights, of a pass over a text.
class rule_maker {
  public:
    /// Without weights in a mixture of experts, whose matrices are many. `probed`: a part of the text, for mean squares.
    rule_maker(const subject& s, const subject& probed, std::size_t threads, const progress_report& report);
    ~rule_maker();
    rule_maker(rule_maker&&) noexcept;

    bool can(mask_kind k, tamis::site where) const {
        return (k != mask_kind::by_output || where == tamis::site::input) &&
               ((k != mask_kind::weighted && k != mask_kind::by_output) || !norms_.empty());
    }
    study::calibrated_rule rule(mask_kind k, std::size_t layer, tamis::site where, double level) const;
    std::size_t layers() const;
    /// Neuron norms, layer by layer; empty in a mixture of experts.
    const std::vector<std::vector<float>>& norms() const { return norms_; }

  private:
    struct histograms;
    std::vector<std::vector<float>> norms_, input_norms_, input_effects_;
    std::unique_ptr<histograms> seen_;
};

/// The loss (KL from the dense model, nats a token) of a mask alone against the share that it drops: a power law near the measured
/// points. And which level drops that share.
struct sensitivity {
    struct point {
        double level, dropped, loss;
    };
    std::vector<point> points; ///< by what they drop; one at least
    double power = 2;          ///< of the law

    /// The power between the first and the last point; NaN of one point.
    double own_power() const;
    /// Of the law: exp(log_factor + power log(dropped)).
    double log_factor() const;
    double loss_at(double dropped) const;
    double level_at(double dropped) const;
};

/// One adjustable place of a plan: a site of one layer, or of all of them.
struct plan_part {
    tamis::site where = tamis::site::input;
    std::vector<std::size_t> layers;
    mask_kind kind = mask_kind::top_p;
    double bytes = 0;              ///< of the weights that its masks are about
    std::vector<double> profile{}; ///< a layer's level is the part's times this; empty: 1
    sensitivity costs{};
    std::vector<double> levels{}; ///< at which the costs are measured

    double level_of(std::size_t i, double level) const;
    std::vector<study::calibrated_rule> rules(const rule_maker& make, double level) const;
};

/// The rules of all parts where `share` of the FFNs' bytes is to be left unread: greedy (TEAL's, study::greedy_budgets) over what
/// the next bytes cost in each part.
std::vector<study::calibrated_rule> rules_at(const std::vector<plan_part>& parts, const rule_maker& make,
                                             double share);
/// The most that rules_at can be asked for.
inline constexpr double most_dropped = 0.95;

/// A condition of such rules.
condition planned(const subject& s, const std::vector<study::calibrated_rule>& rules, const rule_maker& make,
                  const std::string& how, double number);

/// Measures the parts' costs at their levels, all other parts dense: their points. What the engine's rounding makes of the smallest
/// mask at all (`floor`, by layer) is taken off. `measured` gives rows with divergence.
void measure_costs(std::vector<plan_part>& parts, const subject& s, const rule_maker& make,
                   const std::vector<double>& floor, const measure_rows& measured);
/// That floor: masks of next to nothing at the first, the middle and the last layer, and between them.
std::vector<double> rounding_floor(const subject& s, const rule_maker& make, const measure_rows& measured);

/// Bytes of the matrices that a site's mask is about: gate and up, or down.
double bytes_at(const subject& s, std::size_t layer, tamis::site where);

} // namespace app
