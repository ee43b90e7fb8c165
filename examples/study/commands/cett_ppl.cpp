#include "commands/commands.hpp"
#include "commands/origin.hpp"
#include "commands/results.hpp"
#include "measure/curves.hpp"
#include "measure/thresholds.hpp"
#include "output/picture.hpp"
#include "settings.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

class cett_ppl_command final : public command {
  public:
    const char* name() const override { return "cett-ppl"; }
    const char* help() const override {
        return "the CETT at which perplexity rises by 1 %, and how sparse the model is there";
    }
    const char* lesson() const override {
        return "CETT-PPL-p% of \"Sparsing Law\": bisects the CETT target, which all layers share, until PPL is 1 + p/100 of "
               "the dense\nmodel's on the text. Each layer's threshold for a target comes from one pass over the dense model. "
               "The activation\nratio there (1 - sparsity) is what the scaling laws are about. --out keeps thresholds.json.";
    }
    void add_options(const option_adder& to) override {
        to.add("--percent", percent_text_, "how much PPL may rise (default: 1)", "P");
    }
    void check() override { percent_ = parse_within(percent_text_, "--percent", 0.001, 1000); }
    void run(const common_options& o) override {
        inputs models{o, false};
        for_each_subject(o, models, [&](std::size_t number, progress& shown) {
            const subject& s = models.subjects()[number];
            const auto report = [&](std::size_t done, std::size_t all) { shown.update(done, all); };
            const auto norms = neuron_norms_of(s.model);
            shown.begin(s.name + ": CETT of every threshold");
            const auto curves = cett_curves_of(s, norms, s.stories, o.threads, report);
            const auto dense_rows = measure(s, {dense(s.layers())}, o.threads, report, {}, false);
            shown.begin(s.name + ": bisecting");
            std::string why;
            const auto found = cett_ppl_of(s, norms, curves, dense_rows[0].text.nll(), {percent_, 0.0002, 20},
                                           o.threads, report, &why);
            if (found.undefined) {
                return undefined(s, found, why);
            }
            const condition masks = cett_condition(norms, found.thresholds, found.target);
            shown.begin(s.name + ": the result");
            const auto row = measure(s, {masks}, o.threads, report, {}, false).front();
            not_finite lost;
            const auto cett =
                incurred_cett(s, masks, tamis::site::intermediate, s.stories, o.threads, report, &lost);

            const std::string what = line("CETT-PPL-", percent_, "%");
            document d{what + " of " + s.name};
            d.paragraph(describe(s));
            d.notes.merge(notes_on(s, dense_rows.front()));
            d.add(result_table(found.target, perplexity_ratio(row, dense_rows[0]), row.masks.mask_sparsity(),
                               row.masks.bytes_skipped(), why_none(row, s.layers())));
            if (!found.converged) {
                d.paragraph(found.within
                                ? "The search ended before the ratio was within 0.0002 of the limit."
                                : "Even a CETT of 0 costs more than that: the masks leave out nothing here.");
            }
            if (!found.monotone) {
                d.paragraph(
                    "PPL does not rise with CETT everywhere: the limit may be crossed more than once.");
            }
            table layers{"layers",
                         {{"layer", "", column::all},
                          {"eps", "", column::all},
                          {"activation_ratio", "activation ratio", column::all},
                          {"cett", "mean CETT, all layers masked", column::all},
                          {"greatest", "greatest CETT of a token", column::all}}};
            series ratios{"activation ratio", {}}, cetts{"of each layer", {}};
            ratios.bars = cetts.bars = true;
            for (std::size_t l = 0; l < s.layers(); ++l) {
                const double active = 1 - row.masks.mask_sparsity(l);
                layers.add({count_cell(l),
                            {line(found.thresholds[l]), number_text(found.thresholds[l]), true},
                            share_cell(active, 2, why_none(row, s.layers())),
                            number_cell(cett[l].mean(), 5, lost.text(s.layers())),
                            number_cell(cett[l].greatest(), 5, lost.text(s.layers()))});
                ratios.points.push_back({static_cast<double>(l), 100 * active});
                cetts.points.push_back({static_cast<double>(l), cett[l].mean()});
            }
            table on_screen = layers;
            d.add(std::move(layers));
            d.heading("The search");
            d.add(steps_table(found, why));
            const double end = static_cast<double>(s.layers()) - 0.4;
            panel active{"active neurons", "layer", "activation ratio (% of neurons)", {-0.6, end}, {0, {}},
                         {ratios},         {}},
                errors{"CETT, all layers masked",
                       "layer",
                       "mean CETT",
                       {-0.6, end},
                       {0, {}},
                       {cetts},
                       found.target,
                       "target"};
            for (const point& at : cetts.points) {
                errors.y.to = std::max({errors.y.to.value_or(0), 1.1 * found.target, 1.1 * at.y});
            }
            active.x_whole = errors.x_whole = true;
            d.add(draw_panels("layers", what + " of " + s.name + ": " + measured_on(s), {active, errors}));
            d.headline(line("PPL is ", fixed(perplexity_ratio(row, dense_rows[0]), 4),
                            " of the dense model's at a CETT of ", fixed(found.target, 4), ", where ",
                            percent(1 - row.masks.mask_sparsity(), 1),
                            " of the neurons are active; bytes not read: ",
                            percent(row.masks.bytes_skipped(), 1), "."));
            d.headline(line("Dense: PPL ", fixed(dense_rows[0].text.perplexity(), 4), "."));
            d.on_screen(std::move(on_screen));
            if (o.out) {
                study::calibration c = new_calibration(s, "cett_ppl", found.target);
                say_origin(c, o, s);
                c.criterion = line("PPL at most ", 1 + percent_ / 100, " times the dense model's");
                c.attained = perplexity_ratio(row, dense_rows[0]);
                d.add_file("thresholds.json");
                c.rules = study::rules_for(tamis::site::intermediate, "cett", found.thresholds);
                write_file(folder_of(o, s) / "thresholds.json", text_of(c));
            }
            return d;
        });
    }

  private:
    table result_table(double target, double ratio, double sparsity, double skipped,
                       const std::string& why) const {
        table result{"cett_ppl",
                     {{"percent", "", column::programs},
                      {"cett", "CETT target", column::all},
                      {"ppl_ratio", "ppl/dense", column::all},
                      {"activation_ratio", "activation ratio", column::all},
                      {"mask_sparsity", "mask sparsity", column::all},
                      {"bytes_skipped", "bytes skipped", column::all}}};
        result.add({number_cell(percent_, 3), number_cell(target, 6, why), number_cell(ratio, 5, why),
                    share_cell(1 - sparsity, 2, why), share_cell(sparsity, 2, why),
                    share_cell(skipped, 2, why)});
        return result;
    }
    static table steps_table(const study::cett_ppl_result& found, const std::string& why) {
        table steps{"steps",
                    {{"step", "", column::all},
                     {"cett", "CETT target", column::all},
                     {"nll", "", column::all},
                     {"ppl_ratio", "ppl/dense", column::all},
                     {"within", "", column::all}}};
        for (std::size_t i = 0; i < found.steps.size(); ++i) {
            const auto& step = found.steps[i];
            const bool known = !tamis::is_nan(step.loss);
            steps.add({count_cell(i + 1), number_cell(step.target, 6), number_cell(step.loss, 5, why),
                       number_cell(step.ratio, 5, why),
                       !known ? cell{"unknown", "", true} : bool_cell(step.within)});
        }
        return steps;
    }
    /// A look was no number: no result, but what was seen until then.
    document undefined(const subject& s, const study::cett_ppl_result& found, const std::string& why) const {
        constexpr double none = study::not_a_number;
        document d{line("CETT-PPL-", percent_, "% of ", s.name)};
        d.paragraph(describe(s));
        d.headline("CETT-PPL is undefined: " + why + ".");
        d.add(result_table(none, none, none, none, why));
        d.paragraph(
            "CETT-PPL is undefined: " + why +
            ". On which side of that look the limit is crossed is not known. No thresholds are kept.");
        d.heading("The search");
        d.add(steps_table(found, why));
        return d;
    }

    std::string percent_text_ = "1";
    double percent_ = 1;
};

} // namespace

std::unique_ptr<command> make_cett_ppl() { return std::make_unique<cett_ppl_command>(); }

} // namespace app
