#include "commands/commands.hpp"
#include "commands/kept_rows.hpp"
#include "commands/results.hpp"
#include "commands/sweep_document.hpp"
#include "measure/refine.hpp"
#include "settings.hpp"

#include <algorithm>

#include <string>

namespace app {
namespace {

class critical_command final : public command {
  public:
    const char* name() const override { return "critical"; }
    const char* help() const override { return "the critical sparsity of each site, by PPL, top-1 and task"; }
    const char* lesson() const override {
        return "Sweeps the 26 values of p of \"Universal Properties of Activation Sparsity\" (or --values) at each site and "
               "reports the\nhighest sparsity that keeps 99 % of the dense model's performance: by perplexity, by top-1, by "
               "each task, by the tasks'\nmean; and how far the tasks lie apart. Around each crossing by PPL, top-1 and the tasks' mean it looks closer: it halves "
               "the\ndistance in the rule's value until the points lie within --bracket of each other.";
    }
    void add_options(const option_adder& to) override {
        to.add("--sites", sites_text_, "out of input,gate,up,intermediate,all_inputs (default: all)", "LIST");
        to.add("--rule", rule_text_, "top_p (default) or any other of sweep's", "NAME");
        to.add("--values", values_text_,
               "the rule's parameters (default: the paper's 26; with --gguf 5 of them)", "LIST");
        to.add("--sets", sets_text_, "also those of N disjoint sets of the stories, their mean and spread",
               "N");
        to.add(
            "--bracket", bracket_text_,
            "how far apart in sparsity the points around a crossing may lie (default: 0.01; 1: the values alone)",
            "S");
        to.flag(kept_rows::option, resume_, kept_rows::option_help);
    }
    void check() override {
        sites_ = parse_sites(sites_text_, &notes);
        rule_ = &parse_rule(rule_text_);
        values_ = parse_values(values_text_.value_or(rule_->most == 1 ? "paper" : rule_->default_values),
                               *rule_, "--values", &notes);
        sets_ = sets_of(sets_text_);
        bracket_ = parse_within(bracket_text_, "--bracket", 0.0001, 1);
    }
    void run(const common_options& o) override {
        kept_rows kept{o, resume_};
        inputs models{o};
        check_sets(models, sets_);
        for_each_subject(
            o, models,
            [&](std::size_t number, progress& shown) {
                const subject& s = models.subjects()[number];
                // A crossing is searched from few values as well as from many, and a pass of a large model takes long.
                const auto values = o.gguf && !values_text_ && rule_->name == std::string{"top_p"}
                                        ? parse_values("0.98,0.95,0.9,0.8,0.6", *rule_, "--values", &notes)
                                        : values_;
                swept found{{dense(s.layers())}, {}};
                auto& conditions = found.conditions; // names of their own: lambdas take them
                auto& rows = found.rows;
                for (const auto& site : sites_) {
                    for (const auto& value : values) {
                        conditions.push_back(masked(s.layers(), site, *rule_, value));
                    }
                }
                kept.open(s, "", conditions);
                shown.begin(line(s.name, ": ", conditions.size(), " rows"));
                dense_once against{s, o.threads};
                const auto measured = [&](const std::vector<condition>& wanted) {
                    return measure_missing(
                        s, wanted, kept.rows(), o.threads,
                        [&](std::size_t done, std::size_t all) { shown.update(done, all); }, true, &against);
                };
                const std::size_t added = kept.keeping([&] {
                    rows = measured(conditions);
                    shown.begin(s.name + ": closer to the crossings");
                    return refine(found, s, sites_, *rule_, bracket_, 12, measured);
                });
                auto curves = curves_of(s, conditions, rows);
                const drawn_study drawn = draw_again(s, rows, o.sure);
                add_intervals(curves, drawn);
                document d{"Critical sparsity of " + s.name};
                d.paragraph(describe(s));
                d.notes.merge(notes_on(s, rows.front()));
                add_critical_screen(d, s, curves, rows.front());
                d.add(sweep_picture(curves, s.name + ": " + measured_on(s)));
                d.paragraph(describe_intervals(s, o.sure));
                d.note(what_critical_means);
                d.add(critical_table(curves));
                d.paragraph(
                    line(added, " rows were added to the sweep to look closer. ", describe_brackets(curves)));
                add_sets(d, s, curves, rows, sets_);
                if (s.tasks.size() > 1) {
                    d.paragraph("How far the tasks lie apart, which is part of the result:");
                    d.add(spread_table(curves));
                }
                d.add_data(results_table(s, conditions, rows, drawn));
                d.add_data(per_story_table(s, conditions, rows));
                add_per_token(d, s, conditions, rows);
                return d;
            },
            [&](std::size_t) { kept.finish(); });
    }

  private:
    std::string sites_text_ = "input,gate,up,intermediate,all_inputs", rule_text_ = "top_p";
    std::string bracket_text_ = "0.01";
    double bracket_ = 0.01;
    bool resume_ = false;
    std::optional<std::string> values_text_, sets_text_;
    std::size_t sets_ = 1;
    std::vector<site_choice> sites_;
    const rule_family* rule_ = nullptr;
    std::vector<rule_value> values_;
};

} // namespace

std::unique_ptr<command> make_critical() { return std::make_unique<critical_command>(); }

} // namespace app
