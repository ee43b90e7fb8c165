#include "commands/commands.hpp"
#include "commands/kept_rows.hpp"
#include "commands/origin.hpp"
#include "commands/results.hpp"
#include "commands/sweep_document.hpp"
#include "error.hpp"
#include "input/file.hpp"
#include "input/hash.hpp"
#include "measure/thresholds.hpp"
#include "settings.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

class sweep_command final : public command {
  public:
    const char* name() const override { return "sweep"; }
    const char* help() const override {
        return "a rule over sites and values; what happens without a command, too";
    }
    const char* lesson() const override {
        return "Every row masks every FFN by one rule with one value, at one site (or at both inputs), each token by itself, "
               "and\nmeasures how well the model still predicts. Mask sparsity: dropped entries / all entries. Bytes skipped: "
               "weight bytes\nthat need not be read. `--values paper` takes the 26 values of \"Universal Properties of "
               "Activation Sparsity\".\n`--layers each` masks one layer at a time. With --out, a run that was stopped goes "
               "on with --resume.";
    }
    void add_options(const option_adder& to) override {
        to.add("--sites", sites_text_, "out of input,gate,up,intermediate,all_inputs (default: all)", "LIST");
        to.add("--rule", rule_text_, "top_p (default), top_k, max_p, threshold, top_p_energy, guarded_top_p",
               "NAME");
        to.add("--values", values_text_, "the rule's parameters, such as 0.99,0.9; or paper", "LIST");
        to.add("--layers", layers_text_, "all (default), or each: one layer at a time", "WHICH");
        to.add("--thresholds", thresholds_, "also a row with the thresholds of calibrate or cett-ppl",
               "FILE");
        to.add("--sets", sets_text_,
               "also the critical sparsities of N disjoint sets of the stories, their mean and spread", "N");
        to.flag("--no-tasks", no_tasks_, "leave the questions out");
        to.flag(kept_rows::option, resume_, kept_rows::option_help);
    }
    void check() override {
        sites_ = parse_sites(sites_text_, &notes);
        rule_ = &parse_rule(rule_text_);
        values_ = parse_values(values_text_.value_or(rule_->default_values), *rule_, "--values", &notes);
        sets_ = sets_of(sets_text_);
        if (thresholds_ && layers_text_ == "each") {
            throw error("--thresholds does not go with --layers each");
        }
        if (layers_text_ != "all" && layers_text_ != "each") {
            throw error("--layers: unknown choice \"", layers_text_, "\" (there are all, each)");
        }
    }
    void run(const common_options& o) override {
        kept_rows kept{o, resume_};
        const bool each = layers_text_ == "each";
        const bool with_tasks = !each && !no_tasks_;
        inputs models{o, with_tasks};
        check_sets(models, sets_);
        std::vector<study::calibration> calibrations; // read before anything is measured or written
        for (const subject& s : models.subjects()) {
            if (thresholds_) {
                calibrations.push_back(read_calibration(*thresholds_, s));
                note_origin(notes_on_thresholds_, calibrations.back(), *thresholds_, o, s);
            }
        }
        const auto study_of = [&](std::size_t number, progress& shown) {
            const subject& s = models.subjects()[number];
            auto conditions = conditions_of(s.layers(), each);
            std::vector<std::vector<float>> norms;
            if (thresholds_) {
                norms = neuron_norms_of(s.model);
                conditions.push_back(calibrated_condition(calibrations[number], norms));
            }
            kept.open(s, also(), conditions);
            shown.begin(line(s.name, ": ", conditions.size(), " rows"));
            const auto rows = kept.keeping([&] {
                dense_once against{s, o.threads};
                return measure_missing(
                    s, conditions, kept.rows(), o.threads,
                    [&](std::size_t done, std::size_t all) { shown.update(done, all); }, with_tasks,
                    each ? nullptr : &against);
            });
            document d = each ? single_layer_document(s, sites_, *rule_, values_, conditions, rows)
                              : sweep_document(s, conditions, rows, o.sure, sets_);
            d.notes.merge(notes_on(s, rows.front()));
            d.notes.merge(notes_on_thresholds_);
            return d;
        };
        for_each_subject(o, models, study_of,
                         [&](std::size_t) { kept.finish(); }); // once the results are there
    }

  private:
    std::vector<condition> conditions_of(std::size_t layers, bool each) const {
        std::vector<condition> all{dense(layers)};
        for (const auto& site : sites_) {
            for (std::size_t l = 0; l < (each ? layers : 1); ++l) {
                for (const auto& value : values_) {
                    all.push_back(
                        masked(layers, site, *rule_, value, each ? std::optional{l} : std::nullopt));
                    if (each) {
                        all.back().site += line(" of layer ", l);
                    }
                }
            }
        }
        return all;
    }
    /// What rows depend on beside model, text and tasks.
    std::string also() const {
        if (!thresholds_) {
            return {};
        }
        const file bytes{*thresholds_};
        return " thresholds=" + fingerprint{}.add(static_cast<source>(bytes).text()).hexadecimal();
    }

    std::string sites_text_ = "input,gate,up,intermediate,all_inputs", rule_text_ = "top_p",
                layers_text_ = "all";
    std::optional<std::string> values_text_, sets_text_;
    std::size_t sets_ = 1;
    std::optional<std::string> thresholds_;
    remarks notes_on_thresholds_;
    bool resume_ = false, no_tasks_ = false;
    std::vector<site_choice> sites_;
    const rule_family* rule_ = nullptr;
    std::vector<rule_value> values_;
};

} // namespace

std::unique_ptr<command> make_sweep() { return std::make_unique<sweep_command>(); }

} // namespace app
