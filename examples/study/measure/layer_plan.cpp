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
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

namespace app {

/// Magnitudes of one site of a layer, plain and weighted.
struct site_histograms {
    tamis::site where = tamis::site::input;
    const std::vector<float>*weights = nullptr, *effects = nullptr; ///< or none
    study::magnitude_histogram plain{}, weighted{}, by_output{};
    std::vector<float> products{};

    void operator()(const tamis::sighting& s) {
        if (s.where != where) {
            return;
        }
        plain.add(s.values);
        add_products(s, weights, weighted);
        add_products(s, effects, by_output);
    }
    void add_products(const tamis::sighting& s, const std::vector<float>* by,
                      study::magnitude_histogram& to) {
        if (by != nullptr) {
            products.resize(s.values.size());
            for (std::size_t i = 0; i < products.size(); ++i) {
                products[i] = s.values[i] * (*by)[i];
            }
            to.add(products);
        }
    }
    void merge(const site_histograms& other) {
        plain.merge(other.plain);
        weighted.merge(other.weighted);
        by_output.merge(other.by_output);
    }
};

namespace {

/// Mean squares of each neuron, which an order of threads must not change: sums a story.
struct neuron_squares {
    struct sums {
        std::vector<double> gate, slope, up;
    };
    std::size_t layers = 0, neurons = 0;
    std::map<std::uint64_t, std::vector<sums>> stories{};
    std::vector<sums>* here = nullptr;

    void begin(std::uint64_t story) {
        const std::vector<double> zeros(neurons);
        here = &stories.emplace(story, std::vector<sums>(layers, sums{zeros, zeros, zeros})).first->second;
    }
    void operator()(std::size_t layer, const tamis::sighting& s) {
        sums& to = (*here)[layer];
        for (std::size_t i = 0; i < s.values.size(); ++i) {
            const double v = static_cast<double>(s.values[i]);
            if (s.where == tamis::site::gate) {
                // The activation's slope from its value: 0 far below, a half where it is 0, about 1 above.
                const double slope = std::clamp(0.5 + v, 0.0, 1.0);
                to.gate[i] += v * v;
                to.slope[i] += slope * slope;
            } else if (s.where == tamis::site::up) {
                to.up[i] += v * v;
            }
        }
    }
    void merge(const neuron_squares& other) {
        for (const auto& [story, of_layers] : other.stories) {
            stories[story] = of_layers;
        }
    }
    /// What neuron i of a layer lets through to the intermediate, a unit of its gate and of its up: root mean squares, but for the
    /// number of tokens, which all share.
    std::pair<double, double> passed(std::size_t layer, std::size_t i, double tokens) const {
        sums all{{0}, {0}, {0}};
        for (const auto& [story, of_layers] : stories) {
            all.gate[0] += of_layers[layer].gate[i];
            all.slope[0] += of_layers[layer].slope[i];
            all.up[0] += of_layers[layer].up[i];
        }
        return {std::sqrt(all.slope[0] / tokens * all.up[0] / tokens), std::sqrt(all.gate[0] / tokens)};
    }
};

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

/// ||(W_gate, W_up)[:, j]|| of every input, each row times what `of_row(row)` says for gate and up.
template <class OfRow>
std::vector<float> norms_of_inputs(const subject& s, std::size_t layer, OfRow of_row) {
    std::vector<double> squares(s.model.config.dim);
    const auto gate = gate_of(s.model, layer), up = up_of(s.model, layer);
    for (std::size_t row = 0; row < gate.rows(); ++row) {
        const auto [of_gate, of_up] = of_row(row);
        const float* const g = reinterpret_cast<const float*>(gate.row(row));
        const float* const u = reinterpret_cast<const float*>(up.row(row));
        for (std::size_t j = 0; j < squares.size(); ++j) {
            const double a = of_gate * static_cast<double>(g[j]), b = of_up * static_cast<double>(u[j]);
            squares[j] += a * a + b * b;
        }
    }
    std::vector<float> norms;
    for (const double q : squares) {
        norms.push_back(static_cast<float>(std::sqrt(q)));
    }
    return norms;
}

/// Thresholds eps / weight of each channel.
study::calibrated_rule of_channels(std::size_t layer, tamis::site where, float eps,
                                   const std::vector<float>& weights) {
    study::calibrated_rule r{layer, where, std::string{study::of_channels}, 0};
    for (const float weight : weights) {
        const float at = eps / weight; // of a channel that nothing reads: infinite, or no number
        r.values.push_back(at <= std::numeric_limits<float>::max() ? at : std::numeric_limits<float>::max());
    }
    return r;
}

} // namespace

const char* name(mask_kind k) {
    static constexpr std::array names{"top_p", "top_k", "threshold", "weighted", "by_output"};
    return names[static_cast<std::size_t>(k)];
}

struct rule_maker::histograms {
    std::vector<std::array<site_histograms, 2>> of;
};
std::size_t rule_maker::layers() const { return seen_->of.size(); }
rule_maker::~rule_maker() = default;
rule_maker::rule_maker(rule_maker&&) noexcept = default;

rule_maker::rule_maker(const subject& s, const subject& probed, std::size_t threads,
                       const progress_report& report) {
    if (!s.model.runs_in || s.model.runs_in->experts_used() == 0) {
        norms_ = neuron_norms_of(s.model);
        const auto squares = observe(probed, probed.stories, dense(s.layers()),
                                     neuron_squares{s.layers(), s.model.config.hidden_dim}, threads, report);
        const auto tokens = static_cast<double>(std::max<std::size_t>(1, probed.predictions()));
        for (std::size_t l = 0; l < s.layers(); ++l) {
            input_norms_.push_back(norms_of_inputs(s, l, [](std::size_t) { return std::pair{1.0, 1.0}; }));
            input_effects_.push_back(norms_of_inputs(s, l, [&](std::size_t row) {
                const auto [gate, up] = squares.passed(l, row, tokens);
                const double norm = static_cast<double>(norms_[l][row]);
                return std::pair{gate * norm, up * norm};
            }));
        }
    }
    layer_histograms fresh;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        fresh.all.push_back(
            {site_histograms{tamis::site::input, norms_.empty() ? nullptr : &input_norms_[l],
                             norms_.empty() ? nullptr : &input_effects_[l]},
             site_histograms{tamis::site::intermediate, norms_.empty() ? nullptr : &norms_[l], nullptr}});
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
        case mask_kind::by_output:
            return of_channels(layer, where, seen.by_output.quantile(level).low, input_effects_[layer]);
        case mask_kind::weighted: break;
    }
    const float eps = seen.weighted.quantile(level).low;
    return where == tamis::site::intermediate
               ? study::calibrated_rule{layer, where, "cett", static_cast<double>(eps)}
               : of_channels(layer, where, eps, input_norms_[layer]);
}

double sensitivity::own_power() const {
    const auto &a = points.front(), &b = points.back();
    if (points.size() < 2 || !(b.dropped > 1.001 * a.dropped)) {
        return study::not_a_number;
    }
    constexpr double least = 1e-9; // nats: below it a loss is rounding
    const double low = std::max(least, a.loss), high = std::max(low * 1.0001, b.loss);
    return std::log(high / low) / std::log(b.dropped / std::max(1e-6, a.dropped));
}
double sensitivity::log_factor() const {
    double sum = 0; // of the law of this power that is nearest to the points
    for (const point& p : points) {
        sum += std::log(std::max(1e-9, p.loss)) - power * std::log(std::max(1e-6, p.dropped));
    }
    return sum / static_cast<double>(points.size());
}
double sensitivity::loss_at(double dropped) const {
    return dropped > 0 ? std::exp(log_factor() + power * std::log(dropped)) : 0.0;
}
double sensitivity::level_at(double dropped) const {
    point from{0, 0, 0};
    for (const point& to : points) {
        if (dropped <= to.dropped || &to == &points.back()) {
            const double width = to.dropped - from.dropped;
            const double share = width > 0 ? (dropped - from.dropped) / width : 0.0;
            return std::max(0.0, from.level + share * (to.level - from.level));
        }
        from = to;
    }
    return 0;
}

double plan_part::level_of(std::size_t i, double level) const {
    return std::clamp(level * (profile.empty() ? 1.0 : profile[i]), 0.0, 0.97);
}
std::vector<study::calibrated_rule> plan_part::rules(const rule_maker& make, double level) const {
    std::vector<study::calibrated_rule> all;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        all.push_back(make.rule(kind, layers[i], where, level_of(i, level)));
    }
    return all;
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
    std::vector<double> sizes, factors;
    for (const plan_part& p : parts) {
        sizes.push_back(p.bytes);
        factors.push_back(p.costs.log_factor());
    }
    const auto dropped =
        study::greedy_budgets(sizes, std::min(share, most_dropped), 0.0005, [&](std::span<const double> s) {
            double loss = 0;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                loss += s[i] > most_dropped ? 1e6
                        : s[i] > 0          ? std::exp(factors[i] + parts[i].costs.power * std::log(s[i]))
                                            : 0.0;
            }
            return loss;
        });
    std::vector<study::calibrated_rule> rules;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto of_part = parts[i].rules(make, parts[i].costs.level_at(dropped[i]));
        rules.insert(rules.end(), of_part.begin(), of_part.end());
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

namespace {

double divergence_of(const measurement& m, const subject& s) {
    const double loss = m.units.total().mean_divergence();
    if (!study::is_finite(loss)) {
        throw error(s.name, ": ", why_none(m, s.layers()), "; a plan needs finite figures");
    }
    return loss;
}

} // namespace

void measure_costs(std::vector<plan_part>& parts, const subject& s, const rule_maker& make,
                   const std::vector<double>& floor, const measure_rows& measured) {
    std::vector<condition> conditions;
    for (const plan_part& p : parts) {
        const std::string what =
            line("alone: ", tamis::name_of(p.where), ", ", name(p.kind),
                 p.layers.size() > 1 ? std::string{", all layers"} : line(", layer ", p.layers.front()));
        for (const double level : p.levels) {
            conditions.push_back(planned(s, p.rules(make, level), make, what, level));
        }
    }
    const auto rows = measured(conditions);
    std::size_t row = 0;
    for (plan_part& p : parts) {
        p.costs.points.clear();
        for (std::size_t k = 0; k < p.levels.size(); ++k, ++row) {
            double sparsity = 0, all = 0;
            for (const std::size_t l : p.layers) {
                const double bytes = bytes_at(s, l, p.where);
                sparsity += bytes * rows[row].masks.mask_sparsity(l, p.where);
                all += bytes;
            }
            const double loss = divergence_of(rows[row], s), below = floor[p.layers.front()];
            p.costs.points.push_back({p.levels[k], sparsity / all, std::max(0.05 * loss, loss - below)});
        }
        if (const double own = p.costs.own_power(); own > 0) {
            p.costs.power = std::clamp(own, 1.5, 6.0); // an error's square grows at least so
        }
    }
}

std::vector<double> rounding_floor(const subject& s, const rule_maker& make, const measure_rows& measured) {
    const std::size_t last = s.layers() - 1;
    std::vector<std::size_t> at{0, last / 2, last};
    at.erase(std::unique(at.begin(), at.end()), at.end());
    std::vector<condition> conditions;
    for (const std::size_t l : at) {
        conditions.push_back(planned(s, {make.rule(mask_kind::top_k, l, tamis::site::input, 0.004)}, make,
                                     line("next to nothing, layer ", l), 0.004));
    }
    const auto rows = measured(conditions);
    std::vector<double> floor(s.layers());
    for (std::size_t l = 0, k = 0; l <= last; ++l) {
        k += k + 1 < at.size() && l > at[k + 1] ? 1u : 0u;
        const std::size_t next = std::min(k + 1, at.size() - 1);
        const double low = divergence_of(rows[k], s), high = divergence_of(rows[next], s);
        const double share =
            next == k ? 0.0 : static_cast<double>(l - at[k]) / static_cast<double>(at[next] - at[k]);
        floor[l] = low + share * (high - low);
    }
    return floor;
}

} // namespace app
