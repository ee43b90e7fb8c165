#pragma once

#include "measure/against_dense.hpp"
#include "measure/condition.hpp"
#include "measure/measure.hpp"

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
    weighted ///< the quantile of |v| times the norm of what it multiplies (WINA's score, CETT's neuron norm)
};
inline constexpr std::array mask_kinds{mask_kind::top_p, mask_kind::top_k, mask_kind::threshold,
                                       mask_kind::weighted};
inline constexpr std::array plan_sites{tamis::site::input, tamis::site::intermediate};
const char* name(mask_kind k);

/// What turns levels into rules: histograms of each layer's values, with and without weights, of one pass over a text.
class rule_maker {
  public:
    /// Without weights in a mixture of experts, whose matrices are many.
    rule_maker(const subject& s, std::size_t threads, const progress_report& report);
    ~rule_maker();
    rule_maker(rule_maker&&) noexcept;

    bool can(mask_kind k) const { return k != mask_kind::weighted || !norms_.empty(); }
    study::calibrated_rule rule(mask_kind k, std::size_t layer, tamis::site where, double level) const;
    std::size_t layers() const;
    /// Neuron norms, layer by layer; empty in a mixture of experts.
    const std::vector<std::vector<float>>& norms() const { return norms_; }

  private:
    struct histograms;
    std::vector<std::vector<float>> norms_, input_norms_;
    std::unique_ptr<histograms> seen_;
};

/// The loss (KL from the dense model, nats a token) of a mask alone against the share that it drops: a power law through two
/// measured points, or what is behind the last. And which level drops that share.
struct sensitivity {
    struct point {
        double level, dropped, loss;
    };
    std::array<point, 2> points; ///< by what they drop
    double power =
        2; ///< of the law; measure_costs gives parts of one site the same, which single measurements can not tell

    /// The power between the two points.
    double own_power() const;
    double loss_at(double dropped) const;
    double level_at(double dropped) const;
};

/// One adjustable place of a plan: a site of one layer, or of all of them.
struct plan_part {
    tamis::site where = tamis::site::input;
    std::vector<std::size_t> layers;
    mask_kind kind = mask_kind::top_p;
    double bytes = 0; ///< of the weights that its masks are about
    sensitivity costs{};
    std::array<double, 2> levels{}; ///< at which the costs are measured
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

/// Measures the parts' costs at their levels, all other parts dense. Fills `costs`.
void measure_costs(std::vector<plan_part>& parts, const subject& s, const rule_maker& make,
                   std::size_t threads, const dense_predictions& dense, const progress_report& report);

/// Bytes of the matrices that a site's mask is about: gate and up, or down.
double bytes_at(const subject& s, std::size_t layer, tamis::site where);

} // namespace app
