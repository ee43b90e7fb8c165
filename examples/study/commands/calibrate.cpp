#include "commands/commands.hpp"
#include "commands/origin.hpp"
#include "commands/results.hpp"
#include "error.hpp"
#include "measure/curves.hpp"
#include "measure/quantiles.hpp"
#include "measure/thresholds.hpp"
#include "output/files.hpp"
#include "settings.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

/// Embedded: calibrate on the first half of the text, check on the second.
constexpr const char *calibration_half = ":90", *check_half = "90:";

class calibrate_command final : public command {
  public:
    const char* name() const override { return "calibrate"; }
    const char* help() const override { return "thresholds per layer: CETT, TEAL, CATS; saved as JSON"; }
    const char* lesson() const override {
        return "cett: each layer's threshold at which the mean CETT over the text's tokens is --target, exact to the float, "
               "from the\ndense model's activations; --in-order: from those behind the layers that are masked already, so that the whole "
               "masked\nmodel incurs it in every layer. teal: quantiles of |x| at the input and of |intermediate|, whose shares "
               "the greedy search\nfinds for each layer (--target: the share of the FFN's weights not read). cats: the "
               "quantile of |sigma(gate)|.\nWhat the thresholds do is then measured with all layers masked, on the text and "
               "on other text (--check-text).\n--out keeps thresholds.json, which sweep --thresholds takes, and so does the "
               "library (docs/calibration.md).";
    }
    void add_options(const option_adder& to) override {
        to.add("--method", method_, "cett (default), teal or cats", "NAME");
        to.add("--target", target_text_, "the CETT (default 0.1), or the sparsity (default 0.5)", "SHARE");
        to.flag("--in-order", in_order_, "cett: each layer with the layers before it already masked");
        to.add("--check-text", check_text_, "other text to measure the thresholds on", "FILE");
        to.add("--check-stories", check_stories_, "only stories A .. B-1 of it", "A:B");
    }
    void check() override {
        if (method_ != "cett" && method_ != "teal" && method_ != "cats") {
            throw error("--method: unknown method \"", method_, "\" (there are cett, teal, cats)");
        }
        target_ = target_text_        ? parse_within(*target_text_, "--target", 0, 1)
                  : method_ == "cett" ? 0.1
                                      : 0.5;
    }
    void run(const common_options& given) override {
        common_options o = given;
        if (!o.checkpoint && !o.text && !o.stories) {
            o.stories = calibration_half;
            check_stories_ = check_stories_ ? check_stories_ : check_half;
        }
        inputs models{o, false};
        const bool checks = check_text_ || check_stories_;
        std::vector<std::optional<subject>> others; // read before anything is measured or written
        for (std::size_t number = 0; number < models.subjects().size(); ++number) {
            others.push_back(checks
                                 ? std::optional{models.with_text(number, check_text_ ? check_text_ : o.text,
                                                                  check_stories_, "--check-stories")}
                                 : std::nullopt);
            if (checks) {
                leave_out_used("calibrate", models.subjects()[number], *others.back());
            }
        }
        for_each_subject(o, models, [&](std::size_t number, progress& shown) {
            return study_of(models.subjects()[number], others[number], o, shown);
        });
    }

  private:
    document study_of(const subject& s, const std::optional<subject>& other, const common_options& o,
                      progress& shown) {
        const auto report = [&](std::size_t done, std::size_t all) { shown.update(done, all); };
        const auto norms = neuron_norms_of(s.model);
        study::calibration c = new_calibration(s, method_.c_str(), target_);
        document d{"Thresholds by " + method_ + " of " + s.name};
        d.paragraph(describe(s) + line(" Target ", target_, "."));
        if (other) {
            d.notes.merge(other->notes);
        }

        shown.begin(s.name + ": calibrating");
        if (method_ == "cett") {
            std::vector<double> thresholds;
            if (in_order_) {
                thresholds = cett_thresholds_in_order(s, norms, target_, s.stories, o.threads, report);
            } else {
                const auto curves = cett_curves_of(s, norms, s.stories, o.threads, report);
                shown.begin(s.name + ": refining");
                thresholds =
                    exact_cett_thresholds(s, curves, {target_}, s.stories, o.threads, report).front();
            }
            c.rules = study::rules_for(tamis::site::intermediate, "cett", thresholds);
        } else if (method_ == "cats") {
            c.rules =
                quantile_rules_of(s, tamis::site::gate, std::vector(s.layers(), target_), o.threads, report);
        } else {
            const auto budgets = teal_budgets_of(s, target_, report);
            table t{"budgets",
                    {{"layer", "", column::all},
                     {"input", "share dropped at the input", column::all},
                     {"intermediate", "at the intermediate", column::all},
                     {"gate", "with masks apart: gate", column::all},
                     {"up", "", column::all},
                     {"down", "", column::all}}};
            std::vector<double> input, intermediate;
            for (std::size_t l = 0; l < s.layers(); ++l) {
                input.push_back(budgets[l].input);
                intermediate.push_back(budgets[l].intermediate);
                t.add({count_cell(l), share_cell(budgets[l].input), share_cell(budgets[l].intermediate),
                       share_cell(budgets[l].gate), share_cell(budgets[l].up), share_cell(budgets[l].down)});
            }
            shown.begin(s.name + ": quantiles");
            c.rules = quantile_rules_of(s, tamis::site::input, input, o.threads, report);
            const auto down =
                quantile_rules_of(s, tamis::site::intermediate, intermediate, o.threads, report);
            c.rules.insert(c.rules.end(), down.begin(), down.end());
            d.paragraph(
                "Greedy budgets for a share of each block's weights; tamis has one mask on x for gate and up. Beside "
                "them the budgets with a mask for each matrix, as TEAL has them:");
            d.add(std::move(t));
        }

        const condition masks = calibrated_condition(c, norms);
        const tamis::site neurons = method_ == "cats" ? tamis::site::gate : tamis::site::intermediate;
        shown.begin(s.name + ": what the thresholds do");
        const auto rows = measure(s, {dense(s.layers()), masks}, o.threads, report, {}, false);
        d.notes.merge(notes_on(s, rows.front()));
        // Each layer's error where its input is the dense model's: what was calibrated. And with all layers masked.
        not_finite lost_alone, lost_here, lost_there;
        const auto alone = alone_cett(s, masks, neurons, s.stories, o, report, lost_alone);
        const auto here = incurred_cett(s, masks, neurons, s.stories, o.threads, report, &lost_here);
        std::optional<cett_meters> there;
        std::vector<measurement> there_rows;
        if (other) {
            shown.begin(s.name + ": on other text");
            there = incurred_cett(*other, masks, neurons, other->stories, o.threads, report, &lost_there);
            there_rows = measure(*other, {dense(s.layers()), masks}, o.threads, report, {}, false);
            d.notes.merge(notes_on(*other, there_rows.front()));
        }
        table t{"thresholds",
                {{"layer", "", column::all},
                 {"site", "", column::all},
                 {"rule", "", column::all},
                 {"value", "", column::all},
                 {"mask_sparsity", "mask sparsity of the layer", column::all},
                 {"cett_of_layer", "mean CETT, this layer alone masked", column::all},
                 {"cett", "all layers masked", column::all},
                 {"cett_on_other_text", "on other text", column::all}}};
        for (const auto& r : c.rules) {
            const bool of_neurons = r.where != tamis::site::input;
            const auto cett_cell = [&](double mean, const not_finite& lost) {
                return of_neurons
                           ? number_cell(study::unless_lost(lost.values, mean), 5, lost.text(s.layers()))
                           : missing_cell();
            };
            t.add(
                {count_cell(r.layer),
                 text_cell(tamis::name_of(r.where)),
                 text_cell(r.rule),
                 {line(r.value), number_text(r.value), true},
                 share_cell(rows[1].masks.mask_sparsity(r.layer, r.where), 2, why_none(rows[1], s.layers())),
                 cett_cell(alone[r.layer].mean(), lost_alone),
                 cett_cell(here[r.layer].mean(), lost_here),
                 there ? cett_cell((*there)[r.layer].mean(), lost_there) : missing_cell()});
        }
        d.on_screen(t);
        d.add(std::move(t));
        table effect{"effect",
                     {{"text", "", column::all},
                      {"predictions", "", column::all},
                      {"dense_ppl", "dense PPL", column::all},
                      {"ppl_ratio", "ppl/dense", column::all},
                      {"mask_sparsity", "mask sparsity", column::all},
                      {"bytes_skipped", "bytes skipped", column::all}}};
        const auto add = [&](const char* what, const std::vector<measurement>& m) {
            const std::string why = why_none(m[1], s.layers());
            effect.add({text_cell(what), count_cell(m[0].text.predictions()),
                        number_cell(m[0].text.perplexity(), 4, why_none(m[0], s.layers())),
                        number_cell(perplexity_ratio(m[1], m[0]), 5, why_no_ratio(m[1], m[0], s.layers())),
                        share_cell(m[1].masks.mask_sparsity(), 2, why),
                        share_cell(m[1].masks.bytes_skipped(), 2, why)});
        };
        add("calibration", rows);
        if (other) {
            add("other", there_rows);
        }
        d.add(std::move(effect));
        double of_neurons = 0; // the mean over layers of the calibrated CETT
        const auto& calibrated = in_order_ ? here : alone;
        for (std::size_t l = 0; l < s.layers(); ++l) {
            of_neurons += calibrated[l].mean() / static_cast<double>(s.layers());
        }
        const double came_to = method_ == "cett"   ? of_neurons
                               : method_ == "teal" ? rows[1].masks.bytes_skipped()
                                                   : rows[1].masks.mask_sparsity();
        const auto effect_of = [&](const std::vector<measurement>& m) {
            return line("PPL ", fixed(perplexity_ratio(m[1], m[0]), 4), " of dense (",
                        fixed(m[0].text.perplexity(), 4), ")");
        };
        d.headline(line(method_, ", target ", target_, ", came to ", fixed(came_to, 4), ": ",
                        percent(rows[1].masks.mask_sparsity(), 1), " of entries dropped, ",
                        percent(rows[1].masks.bytes_skipped(), 1), " of bytes not read, ", effect_of(rows),
                        other ? ", on other text " + effect_of(there_rows) : std::string{}, "."));
        if (o.out) {
            say_origin(c, o, s);
            c.criterion = method_ == "cett"   ? "mean CETT of each layer, the others dense"
                          : method_ == "teal" ? "share of the FFN's weights not read"
                                              : "mask sparsity of each layer's gate";
            if (in_order_) {
                c.criterion = "mean CETT of each layer, those before it masked";
            }
            c.attained = came_to;
            d.add_file("thresholds.json");
            write_file(folder_of(o, s) / "thresholds.json", text_of(c));
            d.paragraph("The thresholds are in thresholds.json.");
        }
        return d;
    }

    /// One layer masked at a time: every layer sees the dense model's values.
    static cett_meters alone_cett(const subject& s, const condition& masks, tamis::site neurons,
                                  const std::vector<story>& stories, const common_options& o,
                                  const progress_report& report, not_finite& lost) {
        cett_meters all = incurred_cett(s, on_layer(masks, 0), neurons, stories, o.threads, report, &lost);
        for (std::size_t l = 1; l < s.layers(); ++l) {
            not_finite of_layer;
            all.merge(incurred_cett(s, on_layer(masks, l), neurons, stories, o.threads, report, &of_layer));
            lost.merge(of_layer);
        }
        return all;
    }
    static condition on_layer(condition c, std::size_t layer) {
        c.plan = study::only_layer(c.plan, layer);
        return c;
    }

    std::string method_ = "cett";
    bool in_order_ = false;
    std::optional<std::string> target_text_, check_text_, check_stories_;
    double target_ = 0;
};

} // namespace

std::unique_ptr<command> make_calibrate() { return std::make_unique<calibrate_command>(); }

} // namespace app
