#include "commands/commands.hpp"
#include "commands/origin.hpp"
#include "commands/results.hpp"
#include "error.hpp"
#include "output/reports.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace app {
namespace {

/// What the reports say about one model.
struct findings {
    struct of_site {
        std::string site, rule;
        std::optional<double> sparsity, skipped;
        bool reached = false; ///< otherwise the whole sweep keeps the limit
    };
    /// Rules at one sparsity of the neurons, by PPL over dense PPL.
    struct ranking {
        double at = 0;
        std::vector<std::pair<double, std::string>> rules; ///< the best first
    };

    std::string model;
    std::vector<of_site> sites;
    ranking best{};
    std::optional<double> cett, active; ///< CETT-PPL-1%, and the share of neurons that are active there
    std::vector<const kept_report*> reports;
};

/// Rules whose PPL is as near as `alike` to the best one's are not told apart: another text may order them otherwise.
constexpr double within_one_percent = 1.01, alike = 0.005;

double number_or(const kept_report::row& row, const std::string& column, double otherwise) {
    const auto found = row.find(column);
    return found != row.end() && found->second.number ? *found->second.number : otherwise;
}
std::optional<double> number_in(const kept_report::row& row, const std::string& column) {
    const auto found = row.find(column);
    return found == row.end() ? std::nullopt : found->second.number;
}
std::string text_in(const kept_report::row& row, const std::string& column) {
    const auto found = row.find(column);
    return found == row.end() ? std::string{} : found->second.text;
}

/// The highest sparsity at which a rule still keeps PPL within 1 %, or the lowest one, where two rules or more can be compared.
findings::ranking ranking_of(const std::vector<kept_report::row>& compared) {
    const std::string prefix = "ppl_ratio_at_";
    findings::ranking chosen;
    std::vector<std::string> columns;
    for (const auto& row : compared) {
        for (const auto& [column, value] : row) {
            if (column.starts_with(prefix) &&
                std::find(columns.begin(), columns.end(), column) == columns.end()) {
                columns.push_back(column);
            }
        }
    }
    for (const auto& column : columns) {
        findings::ranking here{std::strtod(column.c_str() + prefix.size(), nullptr), {}};
        for (const auto& row : compared) {
            if (const auto ratio = number_in(row, column)) {
                here.rules.emplace_back(*ratio, text_in(row, "method"));
            }
        }
        std::stable_sort(here.rules.begin(), here.rules.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        if (here.rules.size() < 2) {
            continue;
        }
        const auto keeps = [](const findings::ranking& r) {
            return r.rules.front().first <= within_one_percent;
        };
        const bool better = chosen.rules.empty() || (keeps(here) ? !keeps(chosen) || here.at > chosen.at
                                                                 : !keeps(chosen) && here.at < chosen.at);
        if (better) {
            chosen = std::move(here);
        }
    }
    return chosen;
}

std::vector<findings> findings_of(const std::vector<kept_report>& reports) {
    std::vector<findings> all;
    for (const kept_report& r : reports) {
        auto f =
            std::find_if(all.begin(), all.end(), [&](const findings& one) { return one.model == r.model; });
        if (f == all.end()) {
            f = all.insert(all.end(), findings{r.model, {}, {}, {}, {}, {}});
        }
        f->reports.push_back(&r);
        if (f->sites.empty()) {
            for (const auto& row : r.table("critical")) {
                if (text_in(row, "criterion") == "PPL-1%") {
                    f->sites.push_back({text_in(row, "site"), text_in(row, "rule"),
                                        number_in(row, "critical_sparsity"), number_in(row, "bytes_skipped"),
                                        number_or(row, "reached", 0) != 0});
                }
            }
        }
        if (f->best.rules.empty()) {
            f->best = ranking_of(r.table("compare"));
        }
        for (const auto& row : r.table("cett_ppl")) {
            if (!f->cett && number_or(row, "percent", 0) == 1) {
                f->cett = number_in(row, "cett");
                f->active = number_in(row, "activation_ratio");
            }
        }
    }
    return all;
}

cell share_or_dash(std::optional<double> share, bool at_least = false) {
    if (!share) {
        return missing_cell();
    }
    cell c = share_cell(*share, 1);
    c.shown = (at_least ? "over " : "") + c.shown;
    return c;
}

/// The sites and rules of all models, in the order in which they come.
std::vector<std::pair<std::string, std::string>> rows_of(const std::vector<findings>& all) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& f : all) {
        for (const auto& s : f.sites) {
            const std::pair row{s.site, s.rule};
            if (std::find(rows.begin(), rows.end(), row) == rows.end()) {
                rows.push_back(row);
            }
        }
    }
    return rows;
}
/// A row a site and rule, two columns a model.
table tolerated(const std::vector<findings>& all) {
    std::vector<column> columns{{"site", "", column::all}, {"rule", "", column::all}};
    for (const auto& f : all) {
        columns.push_back({f.model + ": critical_sparsity", f.model + ": dropped", column::all});
        columns.push_back({f.model + ": bytes_skipped", "not read", column::all});
    }
    table result{"tolerated", columns};
    for (const auto& row : rows_of(all)) {
        std::vector<cell> cells{text_cell(row.first), text_cell(row.second)};
        for (const auto& f : all) {
            const auto s = std::find_if(f.sites.begin(), f.sites.end(), [&](const findings::of_site& one) {
                return std::pair{one.site, one.rule} == row;
            });
            const bool there = s != f.sites.end();
            cells.push_back(share_or_dash(there ? s->sparsity : std::nullopt, there && !s->reached));
            cells.push_back(share_or_dash(there ? s->skipped : std::nullopt, there && !s->reached));
        }
        result.add(std::move(cells));
    }
    return result;
}

/// "top_k |i|", or several that are alike.
std::string best_of(const findings::ranking& r) {
    std::string names;
    for (const auto& [ratio, name] : r.rules) {
        if (ratio - r.rules.front().first < alike) {
            names.append(names.empty() ? "" : ", ").append(name);
        }
    }
    return names;
}

table rules_table(const std::vector<findings>& all) {
    table t{"best_rules",
            {{"model", "", column::all},
             {"at", "neurons dropped", column::all},
             {"best", "best rule, or several within 0.5 %", column::all},
             {"ppl_ratio", "its PPL/dense", column::all},
             {"worst", "worst rule", column::all},
             {"worst_ppl_ratio", "its PPL/dense", column::all}}};
    for (const auto& f : all) {
        if (!f.best.rules.empty()) {
            const auto& [best, worst] = std::tie(f.best.rules.front(), f.best.rules.back());
            t.add({text_cell(f.model), share_cell(f.best.at, 0), text_cell(best_of(f.best)),
                   number_cell(best.first, 3), text_cell(worst.second), number_cell(worst.first, 3)});
        }
    }
    return t;
}

/// The same for programs: a row a model, site and rule.
table tolerated_rows(const std::vector<findings>& all) {
    table t{"tolerated",
            {{"model", "", column::all},
             {"site", "", column::all},
             {"rule", "", column::all},
             {"reached", "", column::all},
             {"critical_sparsity", "", column::all},
             {"bytes_skipped", "", column::all}}};
    const auto figure = [](std::optional<double> share) {
        return share ? share_cell(*share) : missing_cell();
    };
    for (const auto& f : all) {
        for (const auto& s : f.sites) {
            t.add({text_cell(f.model), text_cell(s.site), text_cell(s.rule), bool_cell(s.reached),
                   figure(s.sparsity), figure(s.skipped)});
        }
    }
    return t;
}

document summary_of(const std::vector<findings>& all, const std::filesystem::path& folder) {
    document d{"What can be left out, in " + folder.string()};
    d.brief = true;
    if (table t = tolerated(all); t.size() != 0) {
        d.paragraph(
            "Entries that a mask can drop while PPL stays within 1 % of the dense model's, and the weight bytes of "
            "the FFN that are then not read:");
        d.add_shown(std::move(t));
        d.add_data(tolerated_rows(all));
    }
    if (table t = rules_table(all); t.size() != 0) {
        d.paragraph("Which rule, when all drop the same share of the neurons:");
        d.add(std::move(t));
    }
    std::string cett;
    for (const auto& f : all) {
        if (f.cett && f.active) {
            cett +=
                line(cett.empty() ? "" : "\n", "CETT-PPL-1% of ", f.model, ": PPL is 1 % up at a CETT of ",
                     fixed(*f.cett, 3), ", where ", percent(*f.active, 1), " of the neurons are active.");
        }
    }
    if (!cett.empty()) {
        d.paragraph(cett);
    }
    std::string where;
    for (const auto& f : all) {
        for (const kept_report* r : f.reports) {
            std::string pictures;
            for (const auto& p : r->pictures) {
                pictures += ", " + p;
            }
            where += line(where.empty() ? "" : "\n", r->folder.string(), "/: report.md", pictures);
        }
    }
    d.paragraph(where);
    return d;
}

class summary_command final : public command {
  public:
    const char* name() const override { return "summary"; }
    const char* help() const override { return "one screen of what other commands left in --out"; }
    const char* lesson() const override {
        return "Measures nothing: reads the reports in the folder --out and in those below it, and says for each model what "
               "each site\ntolerates (from sweep or critical), which rule was best (from compare), where CETT-PPL-1% lies "
               "(from cett-ppl), and\nwhere the reports and pictures are. It writes summary.md beside them.";
    }
    void add_options(const option_adder&) override {}
    void run(const common_options& o) override {
        if (!o.out) {
            throw error("summary needs --out, the folder where other commands have left their results");
        }
        const auto reports = reports_in(*o.out);
        if (reports.empty()) {
            throw error("--out ", *o.out,
                        ": no report.json of a model in it; run sweep, compare or cett-ppl with this "
                        "--out (or one below it) first");
        }
        document d = summary_of(findings_of(reports), *o.out);
        d.made = provenance_of(o);
        show_document(o, {}, d);
        write_file(std::filesystem::path{*o.out} / "summary.md",
                   d.markdown([](const picture&) { return false; }));
    }
};

} // namespace

std::unique_ptr<command> make_summary() { return std::make_unique<summary_command>(); }

} // namespace app
