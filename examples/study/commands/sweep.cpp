#include "commands/commands.hpp"
#include "commands/results.hpp"
#include "commands/sweep_document.hpp"
#include "error.hpp"
#include "input/hash.hpp"
#include "measure/row_store.hpp"
#include "measure/thresholds.hpp"
#include "model/sha256.hpp"
#include "output/stop_notice.hpp"
#include "settings.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
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
        to.flag("--resume", resume_, "go on with the rows that a stopped run left in --out");
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
        gguf_ = o.gguf;
        if (resume_ && !o.out) {
            throw error("--resume needs --out, the folder of the run that was stopped");
        }
        const bool each = layers_text_ == "each";
        const bool with_tasks = !each && !no_tasks_;
        inputs models{o, with_tasks};
        check_sets(models, sets_);
        std::vector<study::calibration> calibrations; // read before anything is measured or written
        for (const subject& s : models.subjects()) {
            if (thresholds_) {
                calibrations.push_back(read_calibration(*thresholds_, s.layers()));
            }
        }
        row_store store;
        const auto study_of = [&](std::size_t number, progress& shown) {
            const subject& s = models.subjects()[number];
            auto conditions = conditions_of(s.layers(), each);
            std::vector<std::vector<float>> norms;
            if (thresholds_) {
                norms = neuron_norms_of(s.model);
                conditions.push_back(calibrated_condition(calibrations[number], norms));
            }
            if (o.out) {
                store = {folder_of(o, s) / "rows.state", fingerprint_of(s), resume_};
                say_resumed(o, store, conditions);
            }
            shown.begin(line(s.name, ": ", conditions.size(), " rows"));
            const auto rows = keeping(store, [&] {
                return measure_missing(
                    s, conditions, store, o.threads,
                    [&](std::size_t done, std::size_t all) { shown.update(done, all); }, with_tasks, !each);
            });
            document d = each ? single_layer_document(s, sites_, *rule_, values_, conditions, rows)
                              : sweep_document(s, conditions, rows, o.sure, sets_);
            d.notes.merge(notes_on(s, rows.front()));
            return d;
        };
        for_each_subject(o, models, study_of, [&](std::size_t) { // once the results are there
            if (const std::size_t others = o.out ? store.finish() : 0; others != 0) {
                say(o, line(store.path().string(), " stays: ", others,
                            " rows in it were not asked for; --resume with more sites or values takes them"));
            }
        });
    }

  private:
    /// A line for people, out of the way of what programs read.
    static void say(const common_options& o, const std::string& text) {
        if (o.json || o.csv) {
            std::fprintf(stderr, "%s\n", text.c_str());
        } else {
            print(text + "\n\n");
        }
    }
    void say_resumed(const common_options& o, const row_store& store,
                     const std::vector<condition>& wanted) const {
        if (!resume_) {
            return;
        }
        const auto there = std::count_if(wanted.begin(), wanted.end(), [&](const condition& c) {
            return store.has(row_store::label_of(c));
        });
        if (store.found() + store.damaged() == 0) {
            say(o, line("Nothing to resume in ", store.path().parent_path().string(), ": all ", wanted.size(),
                        " rows are measured."));
            return;
        }
        std::string text =
            line("Resumed: ", there, " of ", wanted.size(), " rows are in ", store.path().string());
        if (store.damaged() != 0) {
            text += line(" (", store.damaged(), " more cut off or damaged: measured again)");
        }
        say(o, text);
    }
    /// Calls work(); when it ends early, by an error or by a signal, the last line says that rows are kept.
    template <class Work>
    static std::vector<measurement> keeping(row_store& store, Work&& work) {
        const auto way_on = [&] {
            return line(store.kept(), " rows are kept in ", store.path().string(),
                        ": the same command with --resume goes on");
        };
        stop_notice notice;
        store.on_added = [&] { notice.set("tamis-study: stopped; " + way_on()); };
        if (store.kept() != 0) {
            store.on_added();
        }
        try {
            auto result = work();
            store.on_added = {};
            return result;
        } catch (const error& e) {
            if (store.kept() == 0) {
                throw;
            }
            throw error(e.what(), "; ", way_on());
        }
    }
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
    /// Of all that a row depends on, but its condition; by name, so that a refusal says what differs.
    std::string fingerprint_of(const subject& s) const {
        fingerprint model, tasks;
        const model_config& c = s.model.config;
        for (const std::size_t size :
             {c.dim, c.hidden_dim, c.n_layers, c.n_heads, c.n_kv_heads, c.vocab_size, c.seq_len}) {
            model.add(std::uint64_t{size});
        }
        model.add(s.model.embedding).add(s.model.classifier).add(s.model.rms_final);
        for (const auto& l : s.model.layers) {
            for (const auto part :
                 {l.rms_att, l.wq, l.wk, l.wv, l.wo, l.rms_ffn, l.w_gate, l.w_down, l.w_up}) {
                model.add(part);
            }
        }
        for (const auto& t : s.tasks) {
            tasks.add(t.name).add(t.questions.size());
            for (const auto& q : t.questions) {
                tasks.add(q.answer);
                for (const auto& choice : q.choices) {
                    for (const token number : choice.tokens) {
                        tasks.add(static_cast<std::uint64_t>(number));
                    }
                }
            }
        }
        if (s.model.runs_in) {
            const file bytes{*gguf_};
            model.add(sha256(static_cast<source>(bytes).bytes));
        }
        std::string all = line("model=", model.hexadecimal(), " activation=", app::name(s.sigma),
                               " rope_base=", c.rope_base, " norm_eps=", c.norm_eps, " stories=", s.text_hash,
                               " tasks=", tasks.hexadecimal());
        if (s.keep_tokens) { // rows that have no tokens cannot give them
            all += " per_token=1";
        }
        if (thresholds_) {
            const file bytes{*thresholds_};
            all += " thresholds=" + fingerprint{}.add(static_cast<source>(bytes).text()).hexadecimal();
        }
        return all;
    }

    std::string sites_text_ = "input,gate,up,intermediate,all_inputs", rule_text_ = "top_p",
                layers_text_ = "all";
    std::optional<std::string> values_text_, sets_text_;
    std::size_t sets_ = 1;
    std::optional<std::string> thresholds_, gguf_;
    bool resume_ = false, no_tasks_ = false;
    std::vector<site_choice> sites_;
    const rule_family* rule_ = nullptr;
    std::vector<rule_value> values_;
};

} // namespace

std::unique_ptr<command> make_sweep() { return std::make_unique<sweep_command>(); }

} // namespace app
