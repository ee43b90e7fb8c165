#include "measure/laws.hpp"
#include "commands/commands.hpp"
#include "commands/results.hpp"
#include "error.hpp"
#include "measure/cett.hpp"
#include "model/embedded.hpp"
#include "output/picture.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace app {
namespace {

class laws_command final : public command {
  public:
    const char* name() const override { return "laws"; }
    const char* help() const override {
        return "activation ratio against training tokens: both scaling laws fitted";
    }
    const char* lesson() const override {
        return "Fits both forms of \"Sparsing Law\" to the activation ratio A at CETT-PPL-1% against D, billions of training "
               "tokens:\nSiLU A = -c / D^alpha + A0, ReLU A = exp(-c D^alpha + b) + A0, with standard errors. What the "
               "points do not\ndetermine is called so. Points: of checkpoints along a training (--checkpoints, a "
               "table of file, step,\ntokens, beside --checkpoint, --tokenizer and --text), or of --curve "
               "(model,tokens,activation_ratio). Without either: of\nthe embedded twins, measured when they were trained.";
    }
    void add_options(const option_adder& to) override {
        to.add("--checkpoints", checkpoints_,
               "a table of checkpoints (tabs: file, step, tokens) to be measured", "FILE");
        to.add("--curve", curve_, "measured points (CSV: model,tokens,activation_ratio)", "FILE");
    }
    void check() override {
        if (checkpoints_ && curve_) {
            throw error("--checkpoints and --curve: one of them at a time");
        }
    }
    void run(const common_options& o) override {
        if (checkpoints_ && !o.checkpoint) {
            throw error(
                "--checkpoints needs --checkpoint, --tokenizer and --text: the model that the table is about");
        }
        if (curve_) {
            const file bytes{*curve_};
            const auto rows = read_law_rows(static_cast<source>(bytes));
            show_document(o, o.out ? std::filesystem::path{*o.out} : std::filesystem::path{},
                          document_of(*curve_, rows, "Points of " + *curve_ + "."));
            return;
        }
        if (o.checkpoint && !checkpoints_) {
            throw error("--checkpoints is needed with --checkpoint: the models along its training");
        }
        inputs models{o, false};
        const auto along = checkpoints_ ? training_of(*checkpoints_) : std::vector<checkpoint_row>{};
        for_each_subject(o, models, [&](std::size_t number, progress& shown) {
            const subject& s = models.subjects()[number];
            if (checkpoints_) {
                remarks of_models;
                document d = document_of(s.name, measured(s, along, o, shown, of_models), describe(s));
                d.notes.merge(of_models);
                return d;
            }
            std::vector<law_row> rows = read_law_rows(embedded_laws());
            std::erase_if(rows, [&](const law_row& r) { return r.model != s.label; });
            document d =
                document_of(s.name, rows,
                            describe(s) +
                                " The points were measured along its training (examples/tiny_lm/laws.sh).");
            d.measured = line(rows.size(), " points along its training");
            return d;
        });
    }

  private:
    /// A table of checkpoints, whose files lie beside it. What can be refused is, before hours of measuring.
    static std::vector<checkpoint_row> training_of(const std::string& path) {
        const file bytes{path};
        auto rows = read_checkpoint_rows(static_cast<source>(bytes));
        check_enough_for_laws(rows.size());
        for (auto& row : rows) {
            row.file = (std::filesystem::path{path}.parent_path() / row.file).string();
            std::error_code ignored;
            if (!std::filesystem::is_regular_file(row.file, ignored)) {
                throw error(path, ": ", row.file, ": no such file");
            }
        }
        return rows;
    }

    /// The activation ratio at CETT-PPL-1% of every checkpoint.
    static std::vector<law_row> measured(const subject& last, const std::vector<checkpoint_row>& along,
                                         const common_options& o, progress& shown, remarks& notes) {
        std::vector<law_row> rows;
        for (const auto& [path, tokens] : along) {
            common_options one = o;
            one.checkpoint = path;
            const inputs models{one, false};
            const subject& s = models.subjects().front();
            const auto report = [&](std::size_t done, std::size_t all) { shown.update(done, all); };
            shown.begin(line(s.name, ", ", rows.size() + 1, " of ", along.size()));
            const auto norms = neuron_norms_of(s.model);
            const auto curves = cett_curves_of(s, norms, s.stories, o.threads, report);
            const auto plain = measure(s, {dense(s.layers())}, o.threads, report, {}, false).front();
            notes.merge(s.notes);
            notes.merge(notes_on(s, plain));
            const double dense_nll = plain.text.nll();
            std::string why;
            const auto found = cett_ppl_of(s, norms, curves, dense_nll, {}, o.threads, report, &why);
            if (found.undefined) {
                rows.push_back({std::filesystem::path{last.name}.stem().string(), tokens, study::not_a_number,
                                dense_nll, study::not_a_number, why});
                continue;
            }
            const auto row = measure(s, {cett_condition(norms, found.thresholds, found.target)}, o.threads,
                                     report, {}, false)
                                 .front();
            rows.push_back({std::filesystem::path{last.name}.stem().string(), tokens,
                            1 - row.masks.mask_sparsity(), dense_nll, found.target,
                            why_none(row, s.layers())});
        }
        return rows;
    }

    static document document_of(const std::string& name, const std::vector<law_row>& rows,
                                const std::string& what) {
        document d{"Scaling laws: " + name};
        d.paragraph(what);
        const auto unknown = std::count_if(rows.begin(), rows.end(), [](const law_row& r) {
            return !study::is_finite(r.activation_ratio);
        });
        const auto fits = unknown == 0 ? fit_laws(rows) : std::vector<fitted_law>{};
        table points{"laws",
                     {{"model", "", column::all},
                      {"tokens", "training tokens", column::all},
                      {"activation_ratio", "activation ratio at CETT-PPL-1%", column::all},
                      {"nll", "dense NLL", column::all},
                      {"cett", "CETT there", column::all}}};
        panel p{"activation ratio along the training",
                "training tokens D (millions)",
                "activation ratio at CETT-PPL-1% (%)",
                {},
                {},
                {},
                {},
                "",
                true,
                false};
        series measured{"measured", {}, {}, true, false};
        double first = rows.front().tokens, last = first;
        for (const auto& r : rows) {
            const auto maybe = [](double v, int decimals) {
                return study::is_finite(v) ? number_cell(v, decimals) : missing_cell();
            };
            points.add({text_cell(r.model), count_cell(static_cast<std::uint64_t>(r.tokens)),
                        share_cell(r.activation_ratio, 2, r.why), maybe(r.nll, 5), maybe(r.cett, 4)});
            measured.points.push_back({r.tokens / 1e6, 100 * r.activation_ratio});
            first = std::min(first, r.tokens);
            last = std::max(last, r.tokens);
        }
        p.curves.push_back(std::move(measured));
        p.x = {first / 1.3e6, last * 1.3 / 1e6};
        table laws{"fits",
                   {{"law", "", column::all},
                    {"form", "", column::all},
                    {"parameter", "", column::all},
                    {"value", "", column::all},
                    {"error", "standard error", column::all}}};
        table quality{"quality",
                      {{"law", "", column::all},
                       {"limit", "A0", column::all},
                       {"limit_error", "its standard error", column::all},
                       {"rms", "rms residual", column::all},
                       {"r_squared", "R^2", column::all},
                       {"determined", "the points determine A0", column::all},
                       {"verdict", "the fit", column::all}}};
        // Programs get all numbers, people those that the points determine.
        const auto data_of = [](double v) { return std::isfinite(v) ? number_text(v) : std::string{}; };
        const auto figure = [&](bool known, double v, const std::string& shown) {
            return cell{known ? shown : "not determined", data_of(v), true};
        };
        const auto error_of = [&](bool known, double v, const std::string& shown) {
            return cell{known ? shown : "-", data_of(v), true};
        };
        for (const auto& f : fits) {
            for (std::size_t i = 0; i < f.parameters.size(); ++i) {
                const bool known =
                    !f.failed() && std::isfinite(f.errors[i]) && f.errors[i] < std::abs(f.values[i]);
                laws.add({text_cell(f.name), text_cell(f.form), text_cell(f.parameters[i]),
                          figure(known, f.values[i], line(f.values[i])),
                          error_of(known, f.errors[i], line(f.errors[i]))});
            }
            const bool known = f.verdict == "determined";
            quality.add({text_cell(f.name),
                         figure(known, f.limit, percent(f.limit)),
                         error_of(known, f.limit_error, percent(f.limit_error)),
                         share_cell(f.rms),
                         number_cell(f.r_squared, 4),
                         {!f.converged ? "no: the fit did not converge"
                          : known      ? "yes"
                                       : "no",
                          known ? "true" : "false", true},
                         text_cell(f.verdict)});
            series curve{f.name + ": " + f.form +
                             (known        ? ""
                              : f.failed() ? " (the fit failed)"
                                           : " (not determined)"),
                         {},
                         {},
                         false,
                         true};
            curve.failed = !known;
            for (int i = 0; i <= 60; ++i) {
                const double tokens = first * std::pow(last / first, i / 60.0);
                curve.points.push_back({tokens / 1e6, 100 * f.curve(tokens / 1e9)});
            }
            p.curves.push_back(std::move(curve));
        }
        d.add(draw_panels("laws", "Scaling laws: " + name, {p}));
        d.add(std::move(points));
        if (unknown != 0) {
            d.paragraph(line(
                "No law is fitted: ", unknown, " of ", rows.size(),
                " points have no activation ratio, and a fit to the others would be one along another training."));
            return d;
        }
        d.headline(headline_of(fits));
        d.on_screen(quality);
        d.heading("Fits");
        d.add(std::move(quality));
        d.add(std::move(laws));
        d.paragraph(
            "D in billions of tokens. A fit that failed describes the points hardly better than their mean (R^2 below 0.5): it is "
            "no law of theirs. An undetermined one describes them, but other parameters would as well. Not determined: the standard "
            "error is larger than the value, or the points do not tell it at all. The numbers are in fits.csv and quality.csv all the same.");
        return d;
    }

    /// "SiLU: A0 = 31.05 % +- 1.20 % (R^2 0.9912); ReLU: ...".
    static std::string headline_of(const std::vector<fitted_law>& fits) {
        std::string text;
        for (const auto& f : fits) {
            const bool known = f.verdict == "determined";
            text += (text.empty() ? "" : "; ") + f.name + ": ";
            text += f.failed() ? std::string{"the fit failed"}
                    : !known   ? std::string{"the points do not determine A0"}
                               : "A0 = " + percent(f.limit) + " +- " + percent(f.limit_error);
            text += f.converged ? ", R^2 " + fixed(f.r_squared, 4) : "";
        }
        return text + ".";
    }

    std::optional<std::string> checkpoints_, curve_;
};

} // namespace

std::unique_ptr<command> make_laws() { return std::make_unique<laws_command>(); }

} // namespace app
