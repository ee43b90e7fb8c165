#include "measure/precision.hpp"
#include "commands/commands.hpp"
#include "commands/results.hpp"
#include "error.hpp"
#include "measure/curves.hpp"
#include "measure/ranking.hpp"
#include "output/picture.hpp"
#include "settings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

class precision_command final : public command {
  public:
    const char* name() const override { return "precision"; }
    const char* help() const override {
        return "what f16, bf16 and fp8 activations change in masks and perplexity";
    }
    const char* lesson() const override {
        return "Rounds the activations at a site to f16, bf16, e4m3 or e5m2, then makes the masks over what is left, with the "
               "guard against\nmassive activations (64 times the median) and without it. Jaccard: of each token's mask with "
               "the one over float values,\nboth on the dense model's activations. PPL: of the model that is rounded and "
               "masked in every layer.\nCounted: values that became infinite, and values cut to the format's largest number. A row that "
               "lost predictions has no\nfigures.";
    }
    void add_options(const option_adder& to) override {
        to.add("--sites", sites_text_, "out of input,gate,up,intermediate (default: input,gate,intermediate)",
               "LIST");
        to.add("--p", p_text_, "of top-p (default: 0.9)", "P");
    }
    void check() override {
        sites_ = parse_sites(sites_text_, &notes);
        for (const auto& site : sites_) {
            if (site.sites.size() != 1) {
                throw error("--sites: one site at a time here, not ", site.name);
            }
        }
        p_ = {parse_within(p_text_, "--p", 0, 1), p_text_};
    }
    void run(const common_options& o) override {
        inputs models{o, false};
        for_each_subject(o, models, [&](std::size_t number, progress& shown) {
            return study_of(models.subjects()[number], o, shown);
        });
    }

  private:
    document study_of(const subject& s, const common_options& o, progress& shown) const {
        const auto report = [&](std::size_t done, std::size_t all) { shown.update(done, all); };
        const auto& families = rule_families();
        const auto family = [&](const char* name) -> const rule_family& {
            return families[find_name(
                families, [](const rule_family& f) { return f.name; }, name, "", "rule")];
        };
        struct row {
            const site_choice* site;
            const char* format;
            bool guard, masks;
            study::mask_drift drift;
            not_finite lost; ///< of the dense model, on which the drift is measured
        };
        std::vector<row> described;
        std::vector<condition> conditions{dense(s.layers())};
        for (const auto& site : sites_) {
            for (const auto& rounding : study::all_roundings) {
                conditions.push_back(rounded_condition(dense(s.layers()), rounding, site.sites));
                described.push_back({&site, rounding.name, false, false, {}, {}});
                for (const bool guard : {false, true}) {
                    const condition masks =
                        masked(s.layers(), site, family(guard ? "guarded_top_p" : "top_p"), p_);
                    shown.begin(line(s.name, ": masks at ", site.name, " in ", rounding.name));
                    not_finite lost;
                    const auto drift =
                        drift_of(s, masks, rounding, site.sites.front(), o.threads, report, &lost);
                    described.push_back({&site, rounding.name, guard, true, drift, lost});
                    conditions.push_back(rounded_condition(masks, rounding, site.sites));
                }
            }
        }
        // Fewer bits move the sparsity, too: what they cost is told at equal sparsity, by float rows around it.
        const std::size_t first_float = conditions.size();
        for (const auto& site : sites_) {
            for (const double share : shares_around) {
                const double p = std::max(0.0, 1 - (1 - p_.number) * share);
                conditions.push_back(masked(s.layers(), site, family("top_p"), {p, line(p)}));
            }
        }
        shown.begin(line(s.name, ": ", conditions.size(), " rows"));
        const auto rows = measure(s, conditions, o.threads, report, {}, false);
        std::vector<std::vector<study::sweep_point>> floats; // a curve a site: sparsity, ln(PPL / dense PPL)
        for (std::size_t i = 0; i < sites_.size(); ++i) {
            floats.emplace_back();
            for (std::size_t k = 0; k < shares_around.size(); ++k) {
                const measurement& m = rows[first_float + i * shares_around.size() + k];
                floats.back().push_back(
                    {0, m.masks.mask_sparsity(), 0, m.text.nll() - rows.front().text.nll()});
            }
        }

        document d{"Precision of activations: " + s.name};
        d.paragraph(describe(s) + line(" top-p ", p_.text, "."));
        d.notes.merge(notes_on(s, rows.front()));
        table t{"precision",
                {{"site", "", column::all},
                 {"format", "", column::all},
                 {"masks", "", column::all},
                 {"jaccard", "Jaccard with float's masks", column::all},
                 {"mask_sparsity", "mask sparsity", column::all},
                 {"flushed", "entries rounded to zero", column::all},
                 {"nll", "", column::all},
                 {"ppl_ratio", "ppl/dense", column::all},
                 {"overflowed", "values that became infinite", column::all},
                 {"saturated", "cut to the largest number", column::all},
                 {"lost", "predictions lost", column::all},
                 {"ppl_over_float", "ppl/float's at equal sparsity", column::all},
                 {"same_as_unguarded", "", column::programs}}};
        std::string idle_guards;
        shades alike{"Jaccard with float's masks", "format", "site, masks", "Jaccard (%)", {}, {}, {}},
            cost{"PPL above the dense float model's",
                 "format",
                 "site, masks",
                 "PPL above dense (%)",
                 {},
                 {},
                 {}};
        bool any_overflow = false, any_cut = false;
        for (std::size_t i = 0; i < described.size(); ++i) {
            const row& r = described[i];
            const measurement& m = rows[i + 1];
            const double ratio = perplexity_ratio(m, rows.front());
            const char* masks = !r.masks ? "none" : r.guard ? "guarded top-p" : "top-p";
            const double flushed = r.drift.entries == 0 ? 0
                                                        : static_cast<double>(r.drift.flushed) /
                                                              static_cast<double>(r.drift.entries);
            const cell none = missing_cell();
            const std::string why = why_none(m, s.layers()), no_drift = r.lost.text(s.layers());
            const double jaccard = study::unless_lost(r.lost.values, r.drift.mean_jaccard());
            const double float_excess =
                !r.masks ? 0.0
                         : excess_at(floats[static_cast<std::size_t>(r.site - sites_.data())],
                                     m.masks.mask_sparsity());
            const double over_float = std::exp(m.text.nll() - rows.front().text.nll() - float_excess);
            const std::string why_not_equal =
                !why.empty() ? why_no_ratio(m, rows.front(), s.layers()) : "no float row has that sparsity";
            const bool idle = r.guard && is_same(m, rows[i]); // the row before is the one without the guard
            if (idle) {
                idle_guards +=
                    (idle_guards.empty() ? "" : ", ") + (r.site->name + std::string{" in "}) + r.format;
            }
            t.add({text_cell(r.site->name), text_cell(r.format), text_cell(masks),
                   r.masks ? number_cell(jaccard, 5, "the dense model: " + no_drift) : none,
                   r.masks ? share_cell(m.masks.mask_sparsity(), 2, why) : none,
                   r.masks ? share_cell(study::unless_lost(r.lost.values, flushed), 2,
                                        "the dense model: " + no_drift)
                           : none,
                   number_cell(m.text.nll(), 5, why),
                   number_cell(ratio, 5, why_no_ratio(m, rows.front(), s.layers())),
                   count_cell(m.masks.rounding.overflowed), count_cell(m.masks.rounding.saturated),
                   count_cell(m.text.lost()), number_cell(over_float, 5, why_not_equal),
                   r.guard ? bool_cell(idle) : missing_cell()});
            any_overflow = any_overflow || m.masks.rounding.overflowed != 0;
            any_cut = any_cut || m.masks.rounding.saturated != 0;
            const std::string label = std::string{r.site->name} + ", " + masks;
            place(cost, label, r.format, 100 * (ratio - 1));
            if (r.masks) {
                place(alike, label, r.format, 100 * jaccard);
            }
        }
        alike.about = cost.about = s.name + ": " + measured_on(s) + ", top-p " + p_.text;
        d.add(draw_shades("precision_masks", alike));
        d.add(draw_shades("precision_ppl", cost));
        table screen{"screen",
                     {{"site", "", column::all},
                      {"format", "", column::all},
                      {"alone", "PPL/dense, no masks", column::all},
                      {"masked", "top-p", column::all},
                      {"guarded", "guarded", column::all},
                      {"jaccard", "Jaccard", column::all},
                      {"guarded_jaccard", "guarded", column::all},
                      {"lost", "predictions lost", column::all}}};
        double least = 1;
        std::string most_moved;
        for (std::size_t i = 0; i + 2 < described.size(); i += 3) { // without masks, with, guarded
            const auto ratio = [&](std::size_t r) {
                return fixed(perplexity_ratio(rows[r + 1], rows.front()), 4);
            };
            const auto alike_at = [&](std::size_t r) {
                return study::unless_lost(described[r].lost.values, described[r].drift.mean_jaccard());
            };
            if (alike_at(i + 1) < least) {
                least = alike_at(i + 1);
                most_moved = line(" Masks move most at ", described[i].site->name, " in ",
                                  described[i].format, ": Jaccard ", fixed(least, 4), ".");
            }
            std::uint64_t lost = 0;
            for (std::size_t r = i; r < i + 3; ++r) {
                lost = std::max(lost, rows[r + 1].text.lost());
            }
            screen.add({text_cell(described[i].site->name), text_cell(described[i].format),
                        text_cell(ratio(i)), text_cell(ratio(i + 1)), text_cell(ratio(i + 2)),
                        text_cell(fixed(alike_at(i + 1), 4)), text_cell(fixed(alike_at(i + 2), 4)),
                        count_cell(lost)});
        }
        d.headline(line("Dense, float: PPL ", fixed(rows.front().text.perplexity(), 4),
                        ". Activations rounded, top-p ", p_.text, '.', most_moved));
        d.on_screen(std::move(screen));
        d.add(std::move(t));
        d.paragraph(
            "ppl/dense is at equal p: with fewer bits the masks drop another share, so it may even fall. ppl/float's at equal "
            "sparsity compares with float activations whose masks drop as much (interpolated): that is what the bits cost.");
        if (!idle_guards.empty()) {
            d.paragraph("The guard changed nothing, and its rows are those without it: " + idle_guards +
                        ". No value there is beyond 64 times the median of its token.");
        }
        if (any_overflow) {
            d.paragraph(
                "Where a value became infinite, the predictions that depend on it are lost and the row has no figures: those of "
                "the other predictions would be about another text.");
        }
        if (any_cut) {
            d.paragraph(
                "Values beyond a format's largest number that were cut to it: the figures are those of the model with these "
                "values, of all predictions.");
        }
        return d;
    }
    /// Whether two rows are the same to the bit: the same masks and the same predictions.
    static bool is_same(const measurement& a, const measurement& b) {
        const unit_record of_a = a.masks.totals(), of_b = b.masks.totals();
        return a.text.loss == b.text.loss && a.text.hits == b.text.hits && of_a.dropped == of_b.dropped;
    }
    /// 1 - p of the float rows, as shares of 1 - p.
    static constexpr std::array shares_around{0.25, 0.5, 0.75, 1.0, 1.5, 2.0};

    /// Rows and columns come into being in the order of the table.
    static void place(shades& map, const std::string& row, const std::string& column, double value) {
        if (std::find(map.rows.begin(), map.rows.end(), row) == map.rows.end()) {
            map.rows.push_back(row);
            map.values.emplace_back();
        }
        if (std::find(map.columns.begin(), map.columns.end(), column) == map.columns.end()) {
            map.columns.push_back(column);
        }
        const auto at =
            static_cast<std::size_t>(std::find(map.rows.begin(), map.rows.end(), row) - map.rows.begin());
        map.values[at].push_back(value);
    }

    std::string sites_text_ = "input,gate,intermediate", p_text_ = "0.9";
    std::vector<site_choice> sites_;
    rule_value p_{0.9, "0.9"};
};

} // namespace

std::unique_ptr<command> make_precision() { return std::make_unique<precision_command>(); }

} // namespace app
