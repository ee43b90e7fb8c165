#include "commands/commands.hpp"
#include "commands/interval_cells.hpp"
#include "commands/results.hpp"
#include "commands/sweep_document.hpp"
#include "measure/cett.hpp"
#include "measure/curves.hpp"
#include "measure/predictors.hpp"
#include "measure/quantiles.hpp"
#include "measure/ranking.hpp"
#include "measure/thresholds.hpp"
#include "output/picture.hpp"
#include "settings.hpp"

#include <tamis/study/calibrate/calibration.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

/// One way to choose neurons, as a curve of loss over sparsity.
struct method {
    std::string name;
    std::vector<condition> rows; ///< from the dense end
};

/// As --methods names them.
constexpr std::array method_ids{"cett",  "top_k_gate", "fat_eps", "cats",     "top_p",
                                "top_k", "threshold",  "max_p",   "low_rank", "sign_bits"};
/// "top_k |gate|" is top_k_gate, "fat_eps |gate|" fat_eps, "low_rank 16" low_rank.
std::string id_of(const std::string& name) {
    const std::string first = name.substr(0, name.find(' '));
    return name == "top_k |gate|" ? "top_k_gate" : first;
}

class compare_command final : public command {
  public:
    const char* name() const override { return "compare"; }
    const char* help() const override {
        return "CETT, top-k, FAT-eps, CATS, top-p ...: PPL at equal sparsity of the neurons";
    }
    const char* lesson() const override {
        return "Every method masks neurons, by what it holds to be their importance: cett by |i| ||W_down|| with a threshold a "
               "layer\n(the same mean CETT in all), fat_eps by |sigma(gate)| with one threshold for all layers, top_k by "
               "|sigma(gate)| with\nthe same number a token, cats by |sigma(gate)| with a quantile a layer; top_p, max_p and "
               "threshold by |i|. Predictors "
               "choose from x alone: low_rank by top-k of |sigma| of W_gate at an eighth of its\nrank, sign_bits by matching "
               "signs. PPL between measured points is interpolated (its logarithm, linear in sparsity).";
    }
    void add_options(const option_adder& to) override {
        to.flag("--few", few_, "measure half of the points of each curve");
        to.add(
            "--methods", methods_text_,
            "out of cett,top_k_gate,fat_eps,cats,top_p,top_k,threshold,max_p,low_rank,sign_bits (default: all)",
            "LIST");
        to.add("--at", at_text_, "the sparsities to compare at (default: 0.3,0.5,0.7,0.8,0.9)", "LIST");
    }
    void check() override {
        at_ = each_once(parse_numbers(at_text_, "--at", 0, 1), "--at", notes);
        for (const std::string& name :
             methods_text_ ? split_list(*methods_text_) : std::vector<std::string>{}) {
            wanted_.push_back(method_ids[find_name(
                method_ids, [](const char* id) { return id; }, name, "--methods", "method")]);
        }
    }
    void run(const common_options& o) override {
        inputs models{o, false};
        for_each_subject(o, models, [&](std::size_t number, progress& shown) {
            const subject& s = models.subjects()[number];
            return study_of(s, o, shown);
        });
    }

  private:
    /// All values of a curve, or with --few every second one and the last.
    std::vector<double> some_of(std::vector<double> values) const {
        std::vector<double> some;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!few_ || i % 2 == 1 || i + 1 == values.size()) {
                some.push_back(values[i]);
            }
        }
        return some;
    }

    std::vector<method> methods_of(const subject& s, const std::vector<std::vector<float>>& norms,
                                   const common_options& o, const progress_report& report) const {
        using tamis::site;
        const std::size_t layers = s.layers();
        std::vector<double> shares; // to be dropped
        for (int i = 1; i <= 19; ++i) {
            shares.push_back(0.05 * i);
        }
        shares.push_back(0.98);
        shares = some_of(shares);
        const auto everywhere = [&](site where, const char* name, double value, const char* rule,
                                    double parameter) {
            condition c{tamis::name_of(where), name, line(value), value, study::plan{layers}, {}};
            c.plan.set_all(where, parse_rule(rule).make(parameter));
            return c;
        };

        std::vector<method> all;
        const auto curves = cett_curves_of(s, norms, s.stories, o.threads, report);
        method cett{"cett", {}};
        for (const double target :
             some_of({.005, .01, .02, .03, .05, .075, .1,  .125, .15, .175, .2,  .225, .25,
                      .275, .3,  .35, .4,  .45, .5,   .55, .6,   .65, .7,   .75, .8,   .9})) {
            cett.rows.push_back(cett_condition(norms, study::cett_thresholds(curves, target), target));
        }
        all.push_back(std::move(cett));

        method top_k{"top_k |gate|", {}}, fat{"fat_eps |gate|", {}}, cats{"cats |gate|", {}},
            top_k_i{"top_k |i|", {}}, threshold{"threshold |i|", {}}, top_p{"top_p |i|", {}},
            max_p{"max_p |i|", {}};
        const auto of_layers = magnitudes_of(s, site::gate, o.threads, report);
        const auto gates = of_layers.merged().counter();
        const auto intermediates = magnitudes_of(s, site::intermediate, o.threads, report).merged().counter();
        for (const double share : shares) {
            top_k.rows.push_back(everywhere(site::gate, "top_k", share, "top_k", 1 - share));
            top_k_i.rows.push_back(everywhere(site::intermediate, "top_k", share, "top_k", 1 - share));
            const auto eps = static_cast<double>(gates.quantile(share).low);
            fat.rows.push_back(everywhere(site::gate, "fat_eps", eps, "threshold", eps));
            const auto eps_i = static_cast<double>(intermediates.quantile(share).low);
            threshold.rows.push_back(everywhere(site::intermediate, "threshold", eps_i, "threshold", eps_i));
            auto cats_at = new_calibration(s, "cats", share);
            cats_at.rules = study::quantile_rules(of_layers, std::vector(layers, share));
            cats.rows.push_back(calibrated_condition(cats_at, {}));
        }
        for (const double p : some_of({.999, .995, .99, .98, .97, .96, .95, .93, .9, .87,
                                       .85,  .8,   .75, .7,  .65, .6,  .55, .5,  .4, .3})) {
            top_p.rows.push_back(everywhere(site::intermediate, "top_p", p, "top_p", p));
        }
        for (const double p : some_of({.0005, .001, .002, .005, .01, .015, .02, .03, .04, .05, .07, .1, .15,
                                       .2, .25, .3, .4, .5})) {
            max_p.rows.push_back(everywhere(site::intermediate, "max_p", p, "max_p", p));
        }
        for (method* m : {&top_k, &fat, &cats, &top_p, &top_k_i, &threshold, &max_p}) {
            all.push_back(std::move(*m));
        }
        return all;
    }

    static method method_of(std::string name, const std::vector<prediction_row>& rows) {
        method m{std::move(name), {}};
        for (const auto& r : rows) {
            m.rows.push_back(r.masks);
        }
        return m;
    }

    document study_of(const subject& s, const common_options& o, progress& shown) const {
        const auto report = [&](std::size_t done, std::size_t all) { shown.update(done, all); };
        const auto norms = neuron_norms_of(s.model);
        shown.begin(s.name + ": thresholds");
        auto methods = methods_of(s, norms, o, report);
        const std::size_t rank =
            std::max<std::size_t>(1, std::min(s.model.config.dim, s.model.config.hidden_dim) / 8);
        std::erase_if(methods, [&](const method& m) { return !wants(id_of(m.name)); });
        shown.begin(s.name + ": predictors");
        std::vector<prediction_row> predictors;
        if (wants("low_rank")) {
            predictors =
                low_rank_rows(s, rank, some_of({.9, .8, .7, .6, .5, .4, .3, .2, .1, .05}), o.threads, report);
            methods.push_back(method_of(line("low_rank ", rank), predictors));
        }
        if (s.sigma == activation::relu && wants("sign_bits")) { // it guesses gates at or below zero
            const auto signs =
                sign_bit_rows(s, some_of({1.5, 1.3, 1.2, 1.1, 1.05, 1.02, 1, .97, .93, .88, .8}), o.threads,
                              report);
            methods.push_back(method_of("sign_bits", signs));
            predictors.insert(predictors.end(), signs.begin(), signs.end());
        }
        std::vector<condition> conditions{dense(s.layers())};
        for (const auto& m : methods) {
            conditions.insert(conditions.end(), m.rows.begin(), m.rows.end());
        }
        shown.begin(line(s.name, ": ", conditions.size(), " rows"));
        const auto rows = measure(s, conditions, o.threads, report, {}, false);

        document d{"Rules compared at equal sparsity: " + s.name};
        d.paragraph(describe(s));
        d.notes.merge(notes_on(s, rows.front()));
        std::vector<column> columns{{"method", "", column::all}};
        for (const double at : at_) {
            columns.push_back({line("ppl_ratio_at_", at), "PPL/dense at " + percent(at, 0), column::all});
        }
        table equal{"compare", columns};
        table points{"compare_rows",
                     {{"method", "", column::all},
                      {"site", "", column::all},
                      {"value", "", column::all},
                      {"mask_sparsity", "", column::all},
                      {"nll", "", column::all},
                      {"ppl_ratio", "", column::all},
                      {"top1", "", column::all}}};
        panel p{"PPL at the sparsity of neurons",
                "mask sparsity (% of neurons dropped)",
                "PPL / dense PPL (ratio)",
                {0, 100},
                {0.98, 1.3},
                {},
                1.01,
                "PPL-1%",
                false,
                false};
        std::vector<method_rows> ranges;
        std::size_t row = 1;
        for (const auto& m : methods) {
            std::vector<point> curve{{0, 0}};
            series shown_curve{m.name, {{0, 1}}, {}, true, true};
            std::string
                lost; // a row without figures lies anywhere on the curve: nothing is read off across it
            for (std::size_t i = 0; i < m.rows.size(); ++i, ++row) {
                const double sparsity = rows[row].masks.mask_sparsity(),
                             excess = rows[row].text.nll() - rows[0].text.nll();
                const std::string why = why_none(rows[row], s.layers()),
                                  no_ratio = why_no_ratio(rows[row], rows[0], s.layers());
                if (study::is_finite(sparsity) && study::is_finite(excess)) {
                    curve.push_back({sparsity, excess});
                } else if (lost.empty()) {
                    lost = m.name + " at " + conditions[row].value + ": " + no_ratio;
                }
                points.add({text_cell(m.name), text_cell(conditions[row].site),
                            typed_cell(conditions[row].value, conditions[row].number),
                            share_cell(sparsity, 2, why), number_cell(rows[row].text.nll(), 6, why),
                            number_cell(std::exp(excess), 6, no_ratio),
                            number_cell(rows[row].text.top1(), 6, why)});
            }
            ranges.push_back({m.name, row - m.rows.size(), m.rows.size(), !lost.empty()});
            std::stable_sort(curve.begin() + 1, curve.end(),
                             [](const point& a, const point& b) { return a.x < b.x; });
            for (std::size_t i = 1; i < curve.size(); ++i) {
                shown_curve.points.push_back({100 * curve[i].x, std::exp(curve[i].y)});
            }
            p.curves.push_back(std::move(shown_curve));
            std::vector<cell> cells{text_cell(m.name)};
            for (const double at : at_) {
                const double ratio = ratio_of(rows, ranges.back(), at);
                cells.push_back(!lost.empty()          ? number_cell(study::not_a_number, 4, lost)
                                : tamis::is_nan(ratio) ? missing_cell()
                                                       : number_cell(ratio, 4));
            }
            equal.add(std::move(cells));
        }
        p.x.to = end_of_what_happens(p.curves, *p.y.from, *p.y.to);
        d.add(draw_panels("compare", s.name + ": " + measured_on(s), {p}));
        d.headline(line("Dense: PPL ", fixed(rows[0].text.perplexity(), 4), ", top-1 ",
                        fixed(rows[0].text.top1(), 4),
                        ". Below: PPL over it where so many of the neurons are dropped."));
        d.add(std::move(equal));
        d.paragraph("A dash: the method's rows do not span that sparsity.");
        add_rankings(d, s, ranges, rows, draw_again(s, rows, o.sure));
        d.add_data(std::move(points));
        d.add_data(per_story_table(s, conditions, rows));
        add_per_token(d, s, conditions, rows);
        d.heading("Predictors");
        table quality{"predictors",
                      {{"predictor", "", column::all},
                       {"value", "", column::all},
                       {"predicted", "neurons predicted", column::all},
                       {"active", "truly active", column::all},
                       {"recall", "", column::all},
                       {"precision", "", column::all},
                       {"weighted_recall", "recall by |i|", column::all},
                       {"cost", "bytes read, of W_gate's", column::all}}};
        const double gate_bytes =
            static_cast<double>(s.layers() * s.model.config.dim * s.model.config.hidden_dim * sizeof(float));
        for (const auto& r : predictors) {
            quality.add({text_cell(r.masks.rule), typed_cell(r.masks.value, r.masks.number),
                         share_cell(r.score.predicted_share()), share_cell(r.score.active_share()),
                         share_cell(r.score.recall()), share_cell(r.score.precision()),
                         share_cell(r.score.weighted_recall()),
                         share_cell(static_cast<double>(r.weight_bytes) / gate_bytes)});
        }
        d.add(std::move(quality));
        d.note(
            "Recall and precision on the dense model: of low_rank against the gate's own top-k with as many neurons, of "
            "sign_bits against the gates that are not zero.");
        return d;
    }

    bool wants(const std::string& id) const {
        return wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), id) != wanted_.end();
    }

    static double ratio_of(const std::vector<measurement>& rows, const method_rows& range, double at) {
        for (const ranked& r : ranking_at({range}, rows, {}, at)) {
            return r.ratio;
        }
        return study::not_a_number;
    }

    /// Which differences are within noise: of the best method at each sparsity to each other one, on the same stories.
    void add_rankings(document& d, const subject& s, const std::vector<method_rows>& methods,
                      const std::vector<measurement>& rows, const drawn_study& drawn) const {
        table best{"best",
                   {{"mask_sparsity", "neurons dropped", column::all},
                    {"best", "", column::all},
                    {"ppl_ratio", "PPL/dense", column::all, true},
                    {"not_told_apart", "not told apart from it", column::all}}};
        table all{"ranking",
                  {{"mask_sparsity", "", column::all},
                   {"method", "", column::all},
                   {"ppl_ratio", "", column::all, true},
                   {"above_best", "", column::all, true},
                   {"told_apart", "", column::all}}};
        for (const double at : at_) {
            const auto order = ranking_at(methods, rows, drawn, at);
            std::string alike;
            for (std::size_t i = 0; i < order.size() && !tamis::is_nan(order[i].ratio); ++i) {
                const ranked& r = order[i];
                const std::string& name = methods[r.method].name;
                const bool is_known = r.above_best_interval.is_known();
                all.add({share_cell(at, 0), text_cell(name), number_cell(r.ratio, known(r.interval), 4),
                         number_cell(r.above_best, known(r.above_best_interval), 4),
                         i == 0 || !is_known ? missing_cell() : bool_cell(r.told_apart)});
                if (i > 0 && is_known && !r.told_apart) {
                    alike += (alike.empty() ? "" : ", ") + name;
                }
            }
            if (!order.empty() && !tamis::is_nan(order.front().ratio)) {
                best.add({share_cell(at, 0), text_cell(methods[order.front().method].name),
                          number_cell(order.front().ratio, known(order.front().interval), 4),
                          text_cell(drawn.text.draws() == 0 ? "unknown"
                                    : alike.empty()         ? "-"
                                                            : alike)});
            }
        }
        d.paragraph(describe_intervals(s, drawn.how) +
                    " Not told apart: the 90 % interval of the difference in PPL/dense to the "
                    "best method, on the same stories, holds 0.");
        d.add(std::move(best));
        d.add_data(std::move(all));
    }

    bool few_ = false;
    std::optional<std::string> methods_text_;
    std::vector<std::string> wanted_;
    std::string at_text_ = "0.3,0.5,0.7,0.8,0.9";
    std::vector<double> at_;
};

} // namespace

std::unique_ptr<command> make_compare() { return std::make_unique<compare_command>(); }

} // namespace app
