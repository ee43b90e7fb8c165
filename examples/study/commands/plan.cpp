#include "commands/commands.hpp"
#include "commands/interval_cells.hpp"
#include "commands/kept_rows.hpp"
#include "commands/origin.hpp"
#include "commands/results.hpp"
#include "commands/sweep_document.hpp"
#include "error.hpp"
#include "measure/intervals.hpp"
#include "measure/layer_plan.hpp"
#include "measure/thresholds.hpp"
#include "output/files.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

/// What a plan does to the text that is tuned on.
struct look {
    double share = 0;                             ///< the plan's number
    double ratio = 1;                             ///< PPL over dense
    double divergence = 0;                        ///< KL from the dense model, nats a token
    double skipped = 0;                           ///< bytes not read
    std::array<std::vector<double>, 2> dropped{}; ///< mask sparsity at input and intermediate, layer by layer

    double mean_dropped(tamis::site where) const {
        const auto& all = dropped[place_of_site(where)];
        return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    }
};

/// A family of plans with one number: what is chosen, and how.
struct approach {
    std::string name, words;
    std::vector<plan_part> parts; ///< none: one p
    look at{};                    ///< at the limit
};

/// One p has no parts: its number is what p drops of the mass.
std::vector<study::calibrated_rule> rules_of(const approach& a, const rule_maker& make, double share) {
    if (!a.parts.empty()) {
        return rules_at(a.parts, make, share);
    }
    std::vector<study::calibrated_rule> rules;
    for (std::size_t l = 0; l < make.layers(); ++l) {
        for (const tamis::site where : plan_sites) {
            rules.push_back({l, where, "top_p", 1 - std::min(share, 0.999)});
        }
    }
    return rules;
}

/// Looks for the number of an approach at which the loss is at its limit, on the text that is tuned on.
class scale_finder {
  public:
    scale_finder(const subject& s, const rule_maker& make, const measurement& dense_row,
                 const measure_rows& measured, double limit)
        : s_{&s}, make_{&make}, dense_{&dense_row}, measured_{&measured}, limit_{limit} {}

    /// By PPL; returns the KL that goes with the limit. PPL says what is asked for but takes many tokens to say it: of those that a
    /// plan is tuned on a tenth of a percent is chance, and plans that are compared would be chosen by it. What KL lost for a rise of
    /// PPL is one number for all of them, from all looks at one p together.
    double by_perplexity(approach& a) const {
        std::vector<look> looks;
        double low = 0, high = 0.5, share = 0.05;
        for (int step = 0; step < 6; ++step) {
            looks.push_back(look_at(a, share));
            const double excess = looks.back().ratio - 1;
            (looks.back().ratio <= limit_ ? low : high) = share;
            if (std::abs(excess - (limit_ - 1)) < 0.05 * (limit_ - 1)) {
                break;
            }
            // The excess grows about as the square: from it the next look, kept inside of what is known.
            const double next =
                share * std::pow((limit_ - 1) / std::max(0.05 * (limit_ - 1), excess), 1 / 2.2);
            share = next > low + 0.02 * (high - low) && next < high - 0.02 * (high - low) ? next
                                                                                          : (low + high) / 2;
        }
        double rise = 0, divergence = 0;
        for (const look& one : looks) {
            if (one.ratio - 1 < 4 * (limit_ - 1)) {
                rise += std::log(one.ratio);
                divergence += one.divergence;
            }
        }
        const double per_kl = divergence > 0 ? rise / divergence : 1.0;
        const double limit = std::log(limit_) / std::clamp(per_kl, 0.3, 3.0);
        a.at = *std::min_element(looks.begin(), looks.end(), [&](const look& x, const look& y) {
            return distance(x.divergence, limit) < distance(y.divergence, limit);
        });
        by_divergence(a, limit);
        return limit;
    }
    /// By KL, to a few percent of it; what is unread is then as much as the law has it at the limit itself.
    void by_divergence(approach& a, double limit) const {
        double share = a.at.share > 0 ? a.at.share : 0.3, power = 2.5;
        look last{};
        for (int step = 0; step < 5; ++step) {
            if (!(a.at.share > 0) || share != a.at.share) {
                last = look_at(a, share);
                if (a.at.share > 0 && a.at.share != share) {
                    power = std::clamp(std::log(std::max(1e-9, last.divergence) /
                                                std::max(1e-9, a.at.divergence)) /
                                           std::log(share / a.at.share),
                                       1.2, 6.0);
                }
                a.at = last;
            }
            const double most = a.parts.empty() ? 0.9 : most_dropped - 0.02;
            const double next =
                std::min(most, share * std::pow(limit / std::max(1e-3 * limit, a.at.divergence), 1 / power));
            if (distance(a.at.divergence, limit) < 0.04 || next == share) {
                a.at.skipped *= next / share;
                break;
            }
            share = next;
        }
    }
    /// As much less as PPL asks for: what is kept is within the limit on this text.
    void within_perplexity(approach& a) const {
        for (int step = 0; step < 5 && a.at.ratio > limit_; ++step) {
            const double next = a.at.share * std::pow(0.97 * (limit_ - 1) / (a.at.ratio - 1), 1 / 2.2);
            a.at = look_at(a, std::min(next, 0.97 * a.at.share));
        }
    }

  private:
    static double distance(double a, double b) { return std::abs(std::log(std::max(1e-12, a) / b)); }
    look look_at(const approach& a, double share) const {
        const auto row =
            (*measured_)({planned(*s_, rules_of(a, *make_, share), *make_, a.name, share)}).front();
        const double ratio = perplexity_ratio(row, *dense_);
        if (!study::is_finite(ratio)) {
            throw error(s_->name, ": ", why_no_ratio(row, *dense_, s_->layers()),
                        "; a plan needs finite figures");
        }
        look found{share, ratio, row.units.total().mean_divergence(), row.masks.bytes_skipped(), {}};
        for (const tamis::site where : plan_sites) {
            for (std::size_t l = 0; l < s_->layers(); ++l) {
                found.dropped[place_of_site(where)].push_back(row.masks.mask_sparsity(l, where));
            }
        }
        return found;
    }

    const subject* s_;
    const rule_maker* make_;
    const measurement* dense_;
    const measure_rows* measured_;
    double limit_;
};

class plan_command final : public command {
  public:
    const char* name() const override { return "plan"; }
    const char* help() const override {
        return "a rule and a value for each layer and site: the most bytes unread at a given loss";
    }
    const char* lesson() const override {
        return "Chooses masks at the input and the intermediate of every layer together. First which rule and score loses least "
               "at each\nsite: top_p, top_k, thresholds on |v| or on |v| times the norm of the weights that it multiplies. Then, one layer and "
               "site\nmasked at a time, what the next bytes cost there (KL from the dense model); TEAL's greedy search over all of them; and "
               "the scale\nat which PPL is --percent up. All on one half of the text; the other half (or --check-text), which was not used, "
               "says what\neach choice gave, against one p for all layers and sites. --out keeps thresholds.json.";
    }
    void add_options(const option_adder& to) override {
        to.add("--percent", percent_text_, "how much PPL may rise (default: 1)", "P");
        to.add("--probe-tokens", probe_text_,
               "of the text, for what each layer and site costs alone (default: 1000)", "N");
        to.add("--check-text", check_text_, "other text to check the plan on", "FILE");
        to.flag(kept_rows::option, resume_, kept_rows::option_help);
        to.add("--check-stories", check_stories_, "only stories (or windows) A .. B-1 of it", "A:B");
    }
    void check() override {
        percent_ = parse_within(percent_text_, "--percent", 0.01, 1000);
        probe_tokens_ = parse_count(probe_text_, "--probe-tokens", 1'000'000);
    }
    void run(const common_options& o) override {
        kept_rows rows_kept{o, resume_};
        inputs models{o, false};
        std::vector<std::optional<subject>> others; // read before anything is measured
        for (std::size_t number = 0; number < models.subjects().size(); ++number) {
            const bool given = check_text_ || check_stories_;
            others.push_back(given
                                 ? std::optional{models.with_text(number, check_text_ ? check_text_ : o.text,
                                                                  check_stories_, "--check-stories")}
                                 : std::nullopt);
            if (!given && models.subjects()[number].stories.size() < 2) {
                throw error(
                    "plan: ", models.subjects()[number].text_name,
                    " has one story or window: none is left to check the plan on; --check-text takes other text");
            }
        }
        for_each_subject(
            o, models,
            [&](std::size_t number, progress& shown) {
                subject tuned = models.subjects()[number];
                subject checked = others[number].value_or(tuned);
                if (!others[number]) {
                    const auto half = static_cast<std::ptrdiff_t>(tuned.stories.size() / 2);
                    checked.stories.erase(checked.stories.begin(), checked.stories.begin() + half);
                    tuned.stories.resize(static_cast<std::size_t>(half));
                }
                leave_out_used("plan", tuned, checked);
                if (tuned.predictions() == 0 || checked.predictions() == 0) {
                    throw error("plan: ", tuned.text_name, ": a half of the text predicts nothing");
                }
                rows_kept.open(models.subjects()[number],
                               line(" plan=3 percent=", percent_, " probe=", probe_tokens_,
                                    " checked=", hash_of(checked.stories)),
                               {});
                return rows_kept.keeping(
                    [&] { return study_of(tuned, checked, o, rows_kept.rows(), shown); });
            },
            [&](std::size_t) { rows_kept.finish(); });
    }

  private:
    document study_of(const subject& tuned, const subject& checked, const common_options& o,
                      const row_store& store, progress& shown) {
        const auto report = [&](std::size_t done, std::size_t all) { shown.update(done, all); };
        subject probed =
            tuned; // a part from all over the text would be no windows that are neighbours: the first ones
        std::size_t predictions = 0, taken = 0;
        while (taken < tuned.stories.size() && predictions < probe_tokens_) {
            predictions += tuned.stories[taken++].predictions();
        }
        probed.stories.resize(taken);
        dense_once dense_probed{probed, o.threads}, dense_tuned{tuned, o.threads},
            dense_checked{checked, o.threads};
        const auto measuring = [&](const subject& s, dense_once& against, const char* label) -> measure_rows {
            return [&, label](const std::vector<condition>& wanted) {
                return measure_missing(s, wanted, store, o.threads, report, false, &against, label);
            };
        };
        const measure_rows on_probed = measuring(probed, dense_probed, "probed: "),
                           on_tuned = measuring(tuned, dense_tuned, "tuned: "),
                           on_checked = measuring(checked, dense_checked, "checked: ");

        shown.begin(tuned.name + ": histograms");
        const rule_maker make{tuned, probed, o.threads, report};

        document d{"A plan for " + tuned.name};
        d.paragraph(describe(tuned) + line(" Tuned on ", tuned.predictions(),
                                           " predictions (what layers cost alone: ", predictions,
                                           "), checked on ", checked.predictions(), " of ", checked.text_name,
                                           ", which were not used."));
        shown.begin(tuned.name + ": the dense model");
        const auto dense_row = on_tuned({dense(tuned.layers())}).front();
        d.notes.merge(notes_on(tuned, dense_row));
        d.notes.merge(checked.notes);
        const scale_finder scale{tuned, make, dense_row, on_tuned, 1 + percent_ / 100};

        // Costs are measured around what is dropped where the limit is: first one p, which needs none.
        approach one_p{"one_p", "top_p with one p for all layers, at input and intermediate", {}};
        shown.begin(tuned.name + ": the scale of one_p");
        const double limit = scale.by_perplexity(one_p);
        shown.begin(tuned.name + ": rules and scores");
        const std::vector<double> floor = rounding_floor(probed, make, on_probed);
        const auto kinds = kinds_of(one_p, probed, make, floor, on_probed);
        const auto best = add_kinds(d, kinds, one_p);
        std::vector<approach> approaches = approaches_of(kinds, best);
        for (approach& a : approaches) {
            shown.begin(line(tuned.name, ": the scale of ", a.name));
            scale.by_divergence(a, limit);
        }
        approaches.insert(approaches.begin(), one_p);
        // By layers whichever rules left more unread for all layers alike.
        const approach& rules = *std::max_element(approaches.begin() + 1, approaches.end(),
                                                  [](const approach& a, const approach& b) {
                                                      return a.at.skipped < b.at.skipped;
                                                  });
        approach layers{"by_layer", "values for each layer and site by what they cost there", {}};
        for (const plan_part& p : rules.parts) {
            for (std::size_t i = 0; i < p.layers.size(); ++i) {
                const std::size_t l = p.layers[i];
                plan_part alone{p.where, {l}, p.kind, bytes_at(tuned, l, p.where)};
                const double all = rules.at.mean_dropped(p.where);
                // A layer alone is masked more than it will be, so that what it loses stands out of the engine's rounding.
                const double here =
                    std::clamp(1.6 * std::max(0.7 * all, rules.at.dropped[place_of_site(p.where)][l]), 0.1,
                               0.9);
                alone.levels = {p.kind == mask_kind::top_p
                                    ? p.level_of(i, p.costs.level_at(std::min(0.9, 1.6 * all)))
                                    : here};
                alone.costs.power = p.costs.power;
                layers.parts.push_back(std::move(alone));
            }
        }
        shown.begin(tuned.name + ": layers and sites alone");
        measure_costs(layers.parts, probed, make, floor, on_probed);
        add_costs(d, layers.parts, floor);
        shown.begin(line(tuned.name, ": the scale of ", layers.name));
        scale.by_divergence(layers, limit);
        approaches.push_back(std::move(layers));
        // What is kept: the one that leaves most unread where it was tuned.
        const auto chosen =
            static_cast<std::size_t>(std::max_element(approaches.begin(), approaches.end(),
                                                      [](const approach& a, const approach& b) {
                                                          return a.at.skipped < b.at.skipped;
                                                      }) -
                                     approaches.begin());
        scale.within_perplexity(approaches[chosen]);
        const approach& kept_approach = approaches[chosen];

        // On text that was not used: around the scale that was found.
        shown.begin(tuned.name + ": on text that was not used");
        std::vector<condition> conditions{dense(checked.layers())};
        std::vector<measurement> rows = on_checked(conditions);
        std::vector<std::size_t> kept; // the row of each approach at its scale
        for (const approach& a : approaches) {
            const auto add = [&](double times) {
                conditions.push_back(planned(checked, rules_of(a, make, times * a.at.share), make, a.name,
                                             times * a.at.share));
                rows.push_back(on_checked({conditions.back()}).front());
                return perplexity_ratio(rows.back(), rows.front());
            };
            kept.push_back(conditions.size() + 2);
            double last = 0;
            for (const double times : {0.7, 0.85, 1.0, 1.2, 1.45}) {
                last = add(times);
            }
            // This text may bear more.
            for (double times = 1.8; times < 5 && last <= 1 + percent_ / 100; times *= 1.25) {
                last = add(times);
            }
        }
        auto curves = curves_of(checked, conditions, rows);
        for (curve& c : curves) {
            if (c.of == curve::perplexity) {
                c.keep = study::perplexity_within(percent_);
                c.name = line("PPL-", percent_, "%");
            }
        }
        const drawn_study drawn = draw_again(checked, rows, o.sure);
        add_intervals(curves, drawn);
        add_choices(d, approaches, chosen, curves, rows, kept, checked, drawn);
        d.paragraph(describe_intervals(checked, o.sure));
        d.heading("All that was measured on it");
        d.add(results_table(checked, conditions, rows, drawn));
        if (o.out) {
            study::calibration c = new_calibration(tuned, "plan", kept_approach.at.share);
            say_origin(c, o, tuned);
            c.criterion = line("PPL at most ", 1 + percent_ / 100, " times the dense model's");
            c.attained = kept_approach.at.ratio;
            c.rules = rules_of(kept_approach, make, kept_approach.at.share);
            d.add_file("thresholds.json");
            write_file(folder_of(o, tuned) / "thresholds.json", text_of(c));
            d.paragraph("The plan is in thresholds.json.");
        }
        return d;
    }

    /// Every rule and score at each site, in all layers at once, at the sparsity of each layer that one p has at the limit and at more:
    /// what differs is the choice within a layer.
    static std::vector<plan_part> kinds_of(const approach& one_p, const subject& s, const rule_maker& make,
                                           const std::vector<double>& floor, const measure_rows& measured) {
        std::vector<plan_part> all;
        for (const tamis::site where : plan_sites) {
            for (const mask_kind k : mask_kinds) {
                if (!make.can(k, where)) {
                    continue;
                }
                plan_part p{where, {}, k};
                for (std::size_t l = 0; l < s.layers(); ++l) {
                    p.layers.push_back(l);
                    p.bytes += bytes_at(s, l, where);
                }
                if (k == mask_kind::top_p) {
                    p.levels = {one_p.at.share, std::min(0.9, 1.7 * one_p.at.share)};
                } else {
                    p.profile = one_p.at.dropped[place_of_site(where)];
                    p.levels = {1, 1.5};
                }
                all.push_back(std::move(p));
            }
        }
        measure_costs(all, s, make, floor, measured);
        return all;
    }
    /// Which of them loses least at each site; the table.
    static std::array<std::size_t, 2> add_kinds(document& d, const std::vector<plan_part>& kinds,
                                                const approach& one_p) {
        std::array<std::size_t, 2> best{};
        for (std::size_t site = 0; site < plan_sites.size(); ++site) {
            double least = 0;
            bool first = true;
            for (std::size_t i = 0; i < kinds.size(); ++i) {
                const double loss = kinds[i].costs.loss_at(one_p.at.mean_dropped(kinds[i].where));
                if (kinds[i].where == plan_sites[site] && (first || loss < least)) {
                    best[site] = i;
                    least = loss;
                    first = false;
                }
            }
        }
        table t{"plan_rules",
                {{"site", "", column::all},
                 {"rule", "", column::all},
                 {"dropped", "", column::all},
                 {"kl", "KL there", column::all},
                 {"chosen", "", column::all}}};
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            t.add({text_cell(tamis::name_of(kinds[i].where)), text_cell(app::name(kinds[i].kind)),
                   share_cell(one_p.at.mean_dropped(kinds[i].where), 1),
                   number_cell(kinds[i].costs.loss_at(one_p.at.mean_dropped(kinds[i].where)), 6),
                   bool_cell(i == best[0] || i == best[1])});
        }
        d.heading("Rules and scores");
        d.paragraph(
            "What each loses in all layers at once, at the sparsity that one p has in each layer at the limit (KL from the dense model, nats a token):");
        d.add(std::move(t));
        if (all_top_p(kinds, best)) {
            d.paragraph(
                "At both sites top_p loses least: the best rules are a p for each site, and stand below once.");
        }
        return best;
    }
    static bool all_top_p(const std::vector<plan_part>& kinds, const std::array<std::size_t, 2>& best) {
        return kinds[best[0]].kind == mask_kind::top_p && kinds[best[1]].kind == mask_kind::top_p;
    }
    static std::vector<approach> approaches_of(const std::vector<plan_part>& kinds,
                                               const std::array<std::size_t, 2>& best) {
        std::vector<approach> all;
        std::vector<plan_part> two;
        for (const plan_part& p : kinds) {
            if (p.kind == mask_kind::top_p) {
                two.push_back(p);
            }
        }
        all.push_back({"p_by_site", "a p for each site", two});
        if (!all_top_p(kinds, best)) {
            all.push_back({"best_rules",
                           "the rule and score that loses least at each site",
                           {kinds[best[0]], kinds[best[1]]}});
        }
        return all;
    }
    static void add_costs(document& d, const std::vector<plan_part>& parts,
                          const std::vector<double>& floor) {
        table t{"plan_costs",
                {{"layer", "", column::all},
                 {"site", "", column::all},
                 {"rule", "", column::all},
                 {"dropped", "", column::all},
                 {"kl", "KL", column::all},
                 {"kl_floor", "", column::programs}}};
        for (const plan_part& p : parts) {
            const auto& at = p.costs.points.back();
            t.add({count_cell(p.layers.front()), text_cell(tamis::name_of(p.where)),
                   text_cell(app::name(p.kind)), share_cell(at.dropped), number_cell(at.loss, 6),
                   number_cell(floor[p.layers.front()], 6)});
        }
        d.add_data(std::move(t));
    }
    void add_choices(document& d, const std::vector<approach>& approaches, std::size_t chosen,
                     const std::vector<curve>& curves, const std::vector<measurement>& rows,
                     const std::vector<std::size_t>& kept, const subject& s, const drawn_study& drawn) const {
        const auto of = [&](const approach& a, curve::subject_matter what) -> const curve& {
            return *std::find_if(curves.begin(), curves.end(),
                                 [&](const curve& c) { return c.site == a.name && c.of == what; });
        };
        table t{"plan",
                {{"choice", "", column::people},
                 {"approach", "", column::programs},
                 {"kept", "", column::all},
                 {"bytes_skipped", line("bytes not read at PPL-", percent_, "%"), column::all, true},
                 {"over_one_p", "over one p", column::all, true},
                 {"bytes_skipped_top1", "at top-1 99%", column::all, true},
                 {"kept_bytes_skipped", "as tuned: bytes not read", column::all},
                 {"kept_ppl_ratio", "ppl/dense", column::all, true},
                 {"kept_agreement", "top-1 as dense", column::all},
                 {"kept_kl", "KL", column::all}}};
        const curve& base = of(approaches.front(), curve::perplexity);
        const auto skipped_cell = [](const curve& c) {
            const auto at = c.critical();
            return at.reached && !at.undefined
                       ? share_cell(at.skipped, known(c.skipped_interval), 1)
                       : share_cell(study::not_a_number, 1,
                                    "the limit is not crossed within what was measured");
        };
        for (std::size_t i = 0; i < approaches.size(); ++i) {
            const curve &ppl = of(approaches[i], curve::perplexity), &top1 = of(approaches[i], curve::top1);
            const measurement& row = rows[kept[i]];
            const double gain = ppl.critical().reached && base.critical().reached
                                    ? ppl.critical().skipped / base.critical().skipped
                                    : study::not_a_number;
            cell skipped = skipped_cell(ppl), of_top1 = skipped_cell(top1);
            skipped.lost = of_top1.lost = false;
            cell over =
                number_cell(gain, i == 0 ? std::nullopt : known(skipped_ratio_interval(ppl, base, drawn)), 3,
                            "the limit is not crossed within what was measured");
            over.lost = false;
            t.add(
                {text_cell(approaches[i].words), text_cell(approaches[i].name), bool_cell(i == chosen),
                 skipped, over, of_top1, share_cell(row.masks.bytes_skipped(), 1, why_none(row, s.layers())),
                 number_cell(perplexity_ratio(row, rows.front()), known(perplexity_interval(drawn, kept[i])),
                             4, why_no_ratio(row, rows.front(), s.layers())),
                 share_cell(row.units.total().agreement(), 1),
                 number_cell(row.units.total().mean_divergence(), 5)});
        }
        const curve& last = of(approaches[chosen], curve::perplexity);
        d.headline(line("Of the FFNs' bytes the plan leaves ", skipped_cell(last).shown,
                        " unread where PPL is ", percent_,
                        " % up on text that was not used; one p for all layers ", skipped_cell(base).shown,
                        "."));
        const measurement& row = rows[kept[chosen]];
        d.headline(line("As kept: ", percent(row.masks.bytes_skipped(), 1), " of bytes not read, PPL ",
                        fixed(perplexity_ratio(row, rows.front()), 4), " of dense (",
                        fixed(rows.front().text.perplexity(), 4), ") there, ",
                        fixed(approaches[chosen].at.ratio, 4), " where it was tuned."));
        d.heading("Which choice gave how much, on text that was not used");
        table screen = t;
        d.on_screen(std::move(screen));
        d.add(std::move(t));
    }

    std::string percent_text_ = "1", probe_text_ = "1000";
    std::optional<std::string> check_text_, check_stories_;
    double percent_ = 1;
    bool resume_ = false;
    std::size_t probe_tokens_ = 1000;
};

} // namespace

std::unique_ptr<command> make_plan() { return std::make_unique<plan_command>(); }

} // namespace app
