#include "measure/layer_plan.hpp"

#include "error.hpp"
#include "measure/cett.hpp"
#include "measure/observe.hpp"
#include "measure/runner.hpp"

#include <tamis/study/calibrate/greedy_budgets.hpp>
#include <tamis/study/calibrate/magnitude_histogram.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace app {

/// Magnitudes of one site of a layer, plain and weighted.
struct site_histograms {
    tamis::site where = tamis::site::input;
    const std::vector<float>* weights = nullptr; ///< or none
    study::magnitude_histogram plain{}, weighted{};
    std::vector<float> products{};

    void operator()(const tamis::sighting& s) {
        if (s.where != where) {
            return;
        }
        plain.add(s.values);
        if (weights != nullptr) {
            products.resize(s.values.size());
            for (std::size_t i = 0; i < products.size(); ++i) {
                products[i] = s.values[i] * (*weights)[i];
            }
            weighted.add(products);
        }
    }
    void merge(const site_histograms& other) {
        plain.merge(other.plain);
        weighted.merge(other.weighted);
    }
};

namespace {

/// Of all layers: input and intermediate.
struct layer_histograms {
    std::vector<std::array<site_histograms, 2>> all;

    void operator()(std::size_t layer, const tamis::sighting& s) {
        for (auto& one : all[layer]) {
            one(s);
        }
    }
    void merge(const layer_histograms& other) {
        for (std::size_t l = 0; l < all.size(); ++l) {
            for (std::size_t k = 0; k < 2; ++k) {
                all[l][k].merge(other.all[l][k]);
            }
        }
    }
};

/// ||(W_gate, W_up)[:, j]|| of every input.
std::vector<float> norms_of_inputs(const subject& s, std::size_t layer) {
    std::vector<double> squares(s.model.config.dim);
    const auto gate = gate_of(s.model, layer), up = up_of(s.model, layer);
    for (const auto& w : {gate, up}) {
        for (std::size_t row = 0; row < w.rows(); ++row) {
            const float* const v = reinterpret_cast<const float*>(w.row(row));
            for (std::size_t j = 0; j < squares.size(); ++j) {
                squares[j] += static_cast<double>(v[j]) * static_cast<double>(v[j]);
            }
        }
    }
    std::vector<float> norms;
    for (const double q : squares) {
        norms.push_back(static_cast<float>(std::sqrt(q)));
    }
    return norms;
}

std::size_t place_of_site(tamis::site where) { return where == tamis::site::input ? 0 : 1; }

} // namespace

const char* name(mask_kind k) {
    static constexpr std::array names{"top_p", "top_k", "threshold", "weighted"};
    return names[static_cast<std::size_t>(k)];
}

struct rule_maker::histograms {
    std::vector<std::array<site_histograms, 2>> of;
};
std::size_t rule_maker::layers() const { return seen_->of.size(); }
rule_maker::~rule_maker() = default;
rule_maker::rule_maker(rule_maker&&) noexcept = default;

rule_maker::rule_maker(const subject& s, std::size_t threads, const progress_report& report) {
    if (!s.model.runs_in || s.model.runs_in->experts_used() == 0) {
        norms_ = neuron_norms_of(s.model);
        for (std::size_t l = 0; l < s.layers(); ++l) {
            input_norms_.push_back(norms_of_inputs(s, l));
        }
    }
    layer_histograms fresh;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        fresh.all.push_back(
            {site_histograms{tamis::site::input, norms_.empty() ? nullptr : &input_norms_[l]},
             site_histograms{tamis::site::intermediate, norms_.empty() ? nullptr : &norms_[l]}});
    }
    seen_.reset(new histograms{observe(s, s.stories, dense(s.layers()), fresh, threads, report).all});
}

study::calibrated_rule rule_maker::rule(mask_kind k, std::size_t layer, tamis::site where,
                                        double level) const {
    const site_histograms& seen = seen_->of[layer][place_of_site(where)];
    switch (k) {
        case mask_kind::top_p: return {layer, where, "top_p", 1 - level};
        case mask_kind::top_k: return {layer, where, "top_k_fraction", 1 - level};
        case mask_kind::threshold:
            return {layer, where, "threshold", static_cast<double>(seen.plain.quantile(level).low)};
        case mask_kind::weighted: break;
    }
    const float eps = seen.weighted.quantile(level).low;
    if (where == tamis::site::intermediate) {
        return {layer, where, "cett", static_cast<double>(eps)};
    }
    study::calibrated_rule r{layer, where, std::string{study::of_channels}, 0};
    for (const float norm : input_norms_[layer]) {
        const float at = eps / norm; // of a channel that nothing reads: infinite, or no number
        r.values.push_back(at <= std::numeric_limits<float>::max() ? at : std::numeric_limits<float>::max());
    }
    return r;
}

double sensitivity::own_power() const {
    constexpr double least = 1e-9; // nats: below it a loss is rounding
    const auto &a = points[0], &b = points[1];
    const double low = std::max(least, a.loss), high = std::max(low * 1.0001, b.loss);
    return std::log(high / low) / std::log(std::max(1.001, b.dropped / std::max(1e-6, a.dropped)));
}
double sensitivity::loss_at(double dropped) const {
    if (!(dropped > 0)) {
        return 0;
    }
    // The law of this power that is nearest to both points.
    double log_factor = 0;
    for (const point& p : points) {
        log_factor += 0.5 * (std::log(std::max(1e-9, p.loss)) - power * std::log(std::max(1e-6, p.dropped)));
    }
    return std::exp(log_factor + power * std::log(dropped));
}
double sensitivity::level_at(double dropped) const {
    point from{0, 0, 0};
    for (const point& to : points) {
        if (dropped <= to.dropped || &to == &points.back()) {
            const double width = to.dropped - from.dropped;
            const double share = width > 0 ? (dropped - from.dropped) / width : 0.0;
            return std::clamp(from.level + share * (to.level - from.level), 0.0, 0.999);
        }
        from = to;
    }
    return 0;
}

double bytes_at(const subject& s, std::size_t layer, tamis::site where) {
    const auto sizes = s.model.runs_in
                           ? s.model.runs_in->sizes(layer)
                           : study::ffn_sizes::of<tamis::f32>(s.model.config.dim, s.model.config.hidden_dim);
    const auto h = static_cast<double>(sizes.width), d = static_cast<double>(sizes.neurons);
    return where == tamis::site::input ? h * static_cast<double>(sizes.gate.of_neurons + sizes.up.of_neurons)
                                       : d * static_cast<double>(sizes.down.of_width);
}

std::vector<study::calibrated_rule> rules_at(const std::vector<plan_part>& parts, const rule_maker& make,
                                             double share) {
    std::vector<double> sizes;
    for (const plan_part& p : parts) {
        sizes.push_back(p.bytes);
    }
    const auto dropped =
        study::greedy_budgets(sizes, std::min(share, most_dropped), 0.0005, [&](std::span<const double> s) {
            double loss = 0;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                loss += s[i] > most_dropped ? 1e6 : parts[i].costs.loss_at(s[i]);
            }
            return loss;
        });
    std::vector<study::calibrated_rule> rules;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        for (const std::size_t l : parts[i].layers) {
            rules.push_back(make.rule(parts[i].kind, l, parts[i].where, parts[i].costs.level_at(dropped[i])));
        }
    }
    std::stable_sort(rules.begin(), rules.end(),
                     [](const auto& a, const auto& b) { return a.layer < b.layer; });
    return rules;
}

condition planned(const subject& s, const std::vector<study::calibrated_rule>& rules, const rule_maker& make,
                  const std::string& how, double number) {
    condition c{how, "plan", line(number), number, study::plan{s.layers()}, {}};
    for (const auto& r : rules) {
        c.plan.set(r.layer, r.where,
                   study::selector_of(r, make.norms().empty()
                                             ? std::span<const float>{}
                                             : std::span<const float>{make.norms()[r.layer]}));
    }
    return c;
}

void measure_costs(std::vector<plan_part>& parts, const subject& s, const rule_maker& make,
                   std::size_t threads, const dense_predictions& dense, const progress_report& report) {
    std::vector<condition> conditions;
    for (const plan_part& p : parts) {
        for (const double level : p.levels) {
            std::vector<study::calibrated_rule> rules;
            for (const std::size_t l : p.layers) {
                rules.push_back(make.rule(p.kind, l, p.where, level));
            }
            conditions.push_back(planned(s, rules, make, "part", level));
        }
    }
    const auto rows = measure(s, conditions, threads, report, {}, false, &dense);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        for (std::size_t k = 0; k < 2; ++k) {
            const measurement& m = rows[2 * i + k];
            double sparsity = 0, all = 0;
            for (const std::size_t l : parts[i].layers) {
                const double bytes = bytes_at(s, l, parts[i].where);
                sparsity += bytes * m.masks.mask_sparsity(l, parts[i].where);
                all += bytes;
            }
            const double loss = m.units.total().mean_divergence();
            if (!study::is_finite(loss)) {
                throw error(s.name, ": ", why_none(m, s.layers()), "; a plan needs finite figures");
            }
            parts[i].costs.points[k] = {conditions[2 * i + k].number, sparsity / all, loss};
        }
    }
    for (plan_part& p : parts) { // the median of its kind
        std::vector<double> powers;
        for (const plan_part& other : parts) {
            if (other.where == p.where && other.kind == p.kind) {
                powers.push_back(other.costs.own_power());
            }
        }
        const auto middle = powers.begin() + static_cast<std::ptrdiff_t>(powers.size() / 2);
        std::nth_element(powers.begin(), middle, powers.end());
        p.costs.power = std::clamp(*middle, 1.5, 6.0); // an error's square grows at least so
    }
}

} // namespace app
