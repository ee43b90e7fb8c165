#include "commands/sweep_document.hpp"

#include "commands/interval_cells.hpp"
#include "commands/results.hpp"
#include "measure/refine.hpp"
#include "output/picture.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace app {
namespace {

std::vector<curve> named(const std::vector<curve>& curves, const std::string& name) {
    std::vector<curve> found;
    std::copy_if(curves.begin(), curves.end(), std::back_inserter(found),
                 [&](const curve& c) { return c.name == name; });
    return found;
}
bool one_rule(const std::vector<curve>& curves) {
    return std::all_of(curves.begin(), curves.end(),
                       [&](const curve& c) { return c.rule == curves.front().rule; });
}
std::string label(const curve& c, bool with_rule) { return with_rule ? c.site + ", " + c.rule : c.site; }

panel panel_of(const std::vector<curve>& curves, const char* y_label, range y) {
    panel p{
        curves.front().name, "mask sparsity (% of entries dropped)", y_label, {0, 100}, y, {}, {}, "limit"};
    p.limit = curves.front().keep.limit;
    const bool with_rule = !one_rule(curves);
    for (const auto& c : curves) {
        series s{label(c, with_rule), {{0, 1}}, {}, true, true};
        for (const auto& at : c.points) {
            s.points.push_back({100 * at.sparsity, at.quality});
        }
        if (const auto at = c.critical(); at.reached && c.decided) {
            s.rings.push_back({100 * at.sparsity, c.keep.limit});
            if (const auto within = known(c.sparsity_interval)) {
                s.widths.push_back({c.keep.limit, 100 * within->low, 100 * within->high});
            }
        }
        p.curves.push_back(std::move(s));
    }
    p.x.to = end_of_what_happens(p.curves, *y.from, *y.to);
    return p;
}

/// Nothing was lost, but what is there does not tell: no figure, and the row's reason says why.
cell not_decided() { return {"not decided", "", true, "not decided: too small a sample", false}; }

/// The critical sparsity and the bytes skipped there.
std::pair<cell, cell> critical_cells(const curve& c, int decimals) {
    const study::critical_point at = c.critical();
    const std::string why = c.why_undefined();
    cell sparsity = share_cell(at.sparsity, known(c.sparsity_interval), decimals, why),
         skipped = share_cell(at.skipped, known(c.skipped_interval), decimals, why);
    sparsity.lost = skipped.lost = c.lost;
    if (at.undefined) {
        sparsity.shown = "undefined";
        skipped.shown = "-";
    } else if (!at.reached) {
        sparsity.shown = "not reached in sweep";
        skipped.shown = "-";
    }
    if (!at.undefined && !c.decided) {
        sparsity = skipped = not_decided();
        skipped.shown = "-";
    }
    return {sparsity, skipped};
}

std::string describe_point(const study::sweep_point& p, bool dense) {
    return line(dense ? std::string{"dense"} : line(p.value), ": ", fixed(p.quality, 4), " at ",
                percent(p.sparsity));
}

/// The rule's value at the crossing, between its neighbours as the sparsity is; NaN where the dense model is one of them.
double value_at(const study::critical_point& at) {
    if (at.undefined || at.dense_only) {
        return study::not_a_number;
    }
    const double width = at.lost.sparsity - at.kept.sparsity;
    const double share = at.reached && width != 0 ? (at.sparsity - at.kept.sparsity) / width : 0;
    return at.kept.value + share * (at.lost.value - at.kept.value);
}

/// The sparsity of every layer where each site still keeps PPL within 1 %.
void add_layers(document& d, const subject& s, const std::vector<condition>& conditions,
                const std::vector<measurement>& rows, const std::vector<curve>& curves) {
    table all{"layers",
              {{"site", "", column::all},
               {"rule", "", column::all},
               {"value", "", column::all},
               {"layer", "", column::all},
               {"mask_sparsity", "mask sparsity", column::all}}};
    shades map{"Mask sparsity by layer, at each site's last value that keeps PPL within 1 %",
               "site: value",
               "layer",
               "mask sparsity (%)",
               {},
               {},
               std::vector<std::vector<double>>(s.layers())};
    std::vector<std::size_t> chosen;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        map.rows.push_back(line(l));
    }
    for (const auto& c : named(curves, "PPL-1%")) {
        const auto at = c.critical();
        const double value = at.dense_only ? c.points.front().value : at.kept.value;
        for (std::size_t i = 1; i < rows.size(); ++i) {
            if (conditions[i].site == c.site && conditions[i].rule == c.rule &&
                conditions[i].number == value) {
                map.columns.push_back(c.site + ": " + conditions[i].value);
                chosen.push_back(i);
                for (std::size_t l = 0; l < s.layers(); ++l) {
                    map.values[l].push_back(100 * rows[i].masks.mask_sparsity(l));
                }
            }
        }
    }
    for (std::size_t i = 1; i < rows.size(); ++i) {
        for (std::size_t l = 0; l < s.layers(); ++l) {
            all.add({text_cell(conditions[i].site), text_or_dash(conditions[i].rule),
                     typed_cell(conditions[i].value, conditions[i].number), count_cell(l),
                     share_cell(rows[i].masks.mask_sparsity(l), 2, why_none(rows[i], s.layers()))});
        }
    }
    map.about = s.name + ": " + measured_on(s);
    d.add(draw_shades("layers", map));
    d.note(
        "The same as a table: mask sparsity of each layer at the last value of the sweep that keeps PPL within 1 %.");
    std::vector<column> columns{{"layer", "", column::all}};
    for (const std::string& name : map.columns) {
        columns.push_back({name, "", column::all});
    }
    table shown{"layers_at_ppl", columns};
    for (std::size_t l = 0; l < s.layers(); ++l) {
        std::vector<cell> row{count_cell(l)};
        for (const std::size_t i : chosen) {
            row.push_back(share_cell(rows[i].masks.mask_sparsity(l), 1, why_none(rows[i], s.layers())));
        }
        shown.add(std::move(row));
    }
    d.add_shown(std::move(shown));
    d.add_data(all);
}

} // namespace

table results_table(const subject& s, const std::vector<condition>& conditions,
                    const std::vector<measurement>& rows, const drawn_study& drawn) {
    std::vector<column> columns{{"site", "", column::all},
                                {"rule", "", column::all},
                                {"value", "", column::all},
                                {"tokens", "", column::programs},
                                {"nll", "", column::all},
                                {"ppl", "", column::all},
                                {"ppl_ratio", "ppl/dense", column::all, true},
                                {"top1", "", column::all},
                                {"top1_agreement", "top-1 as dense", column::all, true},
                                {"kl", "KL from dense", column::all, true},
                                {"ppl_second_halves", "", column::programs},
                                {"mask_sparsity", "mask sparsity", column::all},
                                {"bytes_skipped", "bytes skipped", column::all}};
    for (const auto& t : s.tasks) {
        columns.push_back({t.name, line(t.name, " (chance ", fixed(chance_of(t), 2), ")"), column::people});
    }
    table all{"results", columns};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& [c, row] = std::tie(conditions[i], rows[i]);
        const double sparsity = row.masks.mask_sparsity(), skipped = row.masks.bytes_skipped();
        const std::string why = why_none(row, s.layers()),
                          no_ratio = why_no_ratio(row, rows.front(), s.layers());
        const unit_record total = row.units.total();
        const auto compared = [&, &of = c, at = i](double (unit_record::*figure)() const,
                                                   double drawn_rows::figures::*in_draw, int decimals) {
            return total.divergence.count() + total.divergence.left_out() == 0
                       ? missing_cell()
                       : number_cell((total.*figure)(),
                                     of.dense() ? std::nullopt : known(interval_of_row(drawn, at, in_draw)),
                                     decimals, why);
        };
        std::vector<cell> cells{text_cell(c.site),
                                text_or_dash(c.rule),
                                typed_cell(c.value, c.number),
                                count_cell(row.text.predictions()),
                                number_cell(row.text.nll(), 5, why),
                                number_cell(row.text.perplexity(), 4, why),
                                number_cell(perplexity_ratio(row, rows.front()),
                                            c.dense() ? std::nullopt : known(perplexity_interval(drawn, i)),
                                            4, no_ratio),
                                number_cell(row.text.top1(), 5, why),
                                compared(&unit_record::agreement, &drawn_rows::figures::agree, 5),
                                compared(&unit_record::mean_divergence, &drawn_rows::figures::divergence, 6),
                                row.second_halves.predictions() == 0
                                    ? missing_cell()
                                    : number_cell(row.second_halves.perplexity(), 4, why),
                                c.dense() ? dash_cell(sparsity) : share_cell(sparsity, 2, why),
                                c.dense() ? dash_cell(skipped) : share_cell(skipped, 2, why)};
        for (const auto& t : row.tasks) {
            cells.push_back(number_cell(t.score.accuracy(), 4, why_none(t, s.layers())));
        }
        all.add(std::move(cells));
    }
    return all;
}

table tasks_table(const subject& s, const std::vector<condition>& conditions,
                  const std::vector<measurement>& rows) {
    table all{"tasks",
              {{"site", "", column::all},
               {"rule", "", column::all},
               {"value", "", column::all},
               {"task", "", column::all},
               {"questions", "", column::all},
               {"accuracy", "", column::all},
               {"mask_sparsity", "mask sparsity", column::all},
               {"bytes_skipped", "bytes skipped", column::all},
               {"chance", "accuracy by chance", column::all}}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t t = 0; t < s.tasks.size(); ++t) {
            const auto& of_task = rows[i].tasks[t];
            const std::string why = why_none(of_task, s.layers());
            all.add({text_cell(conditions[i].site), text_or_dash(conditions[i].rule),
                     typed_cell(conditions[i].value, conditions[i].number), text_cell(s.tasks[t].name),
                     count_cell(of_task.score.questions), number_cell(of_task.score.accuracy(), 4, why),
                     share_cell(of_task.masks.mask_sparsity(), 2, why),
                     share_cell(of_task.masks.bytes_skipped(), 2, why),
                     number_cell(chance_of(s.tasks[t]), 4)});
        }
    }
    return all;
}

table critical_table(const std::vector<curve>& curves) {
    table t{"critical",
            {{"site", "", column::all},
             {"rule", "", column::all},
             {"criterion", "", column::all},
             {"reached", "", column::programs},
             {"critical_sparsity", "critical sparsity", column::all, true},
             {"bytes_skipped", "bytes skipped there", column::all, true},
             {"critical_value", "", column::programs},
             {"kept_value", "", column::programs},
             {"kept_quality", "", column::programs},
             {"kept_sparsity", "", column::programs},
             {"lost_value", "", column::programs},
             {"lost_quality", "", column::programs},
             {"lost_sparsity", "", column::programs},
             {"bracket", "", column::programs},
             {"kept", "last point that keeps it", column::people},
             {"lost", "first that does not", column::people}}};
    for (const auto& c : curves) {
        const study::critical_point at = c.critical();
        auto [sparsity, skipped] = critical_cells(c, 2);
        std::vector<cell> row{text_cell(c.site),     text_cell(c.rule), text_cell(c.name),
                              bool_cell(at.reached), sparsity,          skipped};
        const auto figure = [](double v, bool there) {
            return there && !tamis::is_nan(v) ? cell{"", shortest(v), true} : missing_cell();
        };
        const bool decided = at.undefined || c.decided;
        row.push_back(decided && !tamis::is_nan(value_at(at)) ? cell{"", line(value_at(at)), true}
                                                              : missing_cell());
        row.push_back(figure(at.kept.value, !at.dense_only));
        row.push_back(number_cell(at.dense_only ? 1 : at.kept.quality, 6, "the point before has no figure"));
        row.push_back(number_cell(at.dense_only ? 0 : at.kept.sparsity, 6));
        const bool lost = at.reached || at.undefined;
        row.push_back(figure(at.lost.value, lost));
        row.push_back(lost ? cell{"", fixed(at.lost.quality, 6), true} : missing_cell());
        row.push_back(lost ? cell{"", fixed(at.lost.sparsity, 6), true} : missing_cell());
        row.push_back(at.reached ? share_cell(bracket_of(at)) : missing_cell());
        row.push_back(text_cell(describe_point(at.kept, at.dense_only)));
        row.push_back(text_cell(lost ? describe_point(at.lost, false) : "-"));
        t.add(std::move(row));
    }
    return t;
}

void add_critical_screen(document& d, const subject& s, const std::vector<curve>& curves,
                         const measurement& dense) {
    const auto ppl = named(curves, "PPL-1%");
    const curve *best = nullptr, *cheapest = nullptr;
    for (const auto& c : ppl) {
        const auto at = c.critical();
        if (at.undefined) {
            continue;
        }
        best = best == nullptr || at.sparsity > best->critical().sparsity ? &c : best;
        cheapest = cheapest == nullptr || at.skipped > cheapest->critical().skipped ? &c : cheapest;
    }
    const bool with_rule = !ppl.empty() && !one_rule(ppl);
    const auto words = [&](const curve& c) {
        const auto at = c.critical();
        return line(label(c, with_rule), " tolerates ", at.reached ? "" : "more than ",
                    share_cell(at.sparsity, known(c.sparsity_interval)).shown,
                    " at PPL-1%; bytes not read: ", share_cell(at.skipped, known(c.skipped_interval)).shown);
    };
    if (best != nullptr) {
        d.headline(words(*best) + ".");
        if (cheapest != best) {
            d.headline("Most bytes are saved where " + words(*cheapest) + ".");
        }
    } else {
        d.headline("No site has a critical sparsity by PPL: the tables say why.");
    }
    std::string baseline =
        line("Dense: PPL ", fixed(dense.text.perplexity(), 4), ", top-1 ", fixed(dense.text.top1(), 4));
    for (std::size_t t = 0; t < s.tasks.size(); ++t) {
        baseline += line(t == 0 ? "; right answers: " : ", ", s.tasks[t].name, ' ',
                         dense.tasks[t].score.right, " of ", dense.tasks[t].score.questions);
    }
    d.headline(baseline + ".");

    std::vector<column> columns{{"site", "critical sparsity", column::all}};
    std::vector<std::string> criteria;
    for (const auto& c : curves) {
        if (std::find(criteria.begin(), criteria.end(), c.name) == criteria.end()) {
            criteria.push_back(c.name);
            std::string head = c.name;
            if (head.starts_with("task")) {
                head = head.starts_with("tasks") ? "tasks" : head.substr(5, head.size() - 9);
            }
            columns.push_back({c.name, head, column::all});
        }
    }
    columns.push_back({"bytes_skipped", "bytes not read, PPL-1%", column::all});
    table t{"screen", columns};
    for (const auto& of_site : ppl) {
        std::vector<cell> row{text_cell(label(of_site, with_rule))};
        for (const std::string& name : criteria) {
            row.push_back(missing_cell());
            for (const auto& c : curves) {
                if (c.site == of_site.site && c.rule == of_site.rule && c.name == name) {
                    cell figure = critical_cells(c, 1).first;
                    row.back() = text_cell(c.critical().reached || c.critical().undefined ||
                                                   figure.shown == "not decided"
                                               ? figure.shown
                                               : "over " + percent(c.critical().sparsity, 1));
                }
            }
        }
        row.push_back(text_cell(critical_cells(of_site, 1).second.shown));
        t.add(std::move(row));
    }
    d.on_screen(std::move(t));
}

table spread_table(const std::vector<curve>& curves) {
    table t{"spread",
            {{"site", "", column::all},
             {"rule", "", column::all},
             {"tasks", "", column::all},
             {"reached", "limit reached by", column::all},
             {"mean", "mean of the tasks' critical sparsities", column::all},
             {"deviation", "standard deviation", column::all},
             {"least", "", column::all},
             {"greatest", "", column::all}}};
    for (const auto& of_site : named(curves, "PPL-1%")) {
        std::vector<study::critical_point> points;
        bool decided = true;
        for (const auto& c : curves) {
            if (c.site == of_site.site && c.rule == of_site.rule && c.name.starts_with("task ")) {
                points.push_back(c.critical());
                decided = decided && c.decided;
            }
        }
        const study::spread all = study::spread_of(points);
        const std::string why =
            all.undefined != 0
                ? line(all.undefined, " of ", all.tasks, " tasks have no critical sparsity")
                : line(all.tasks - all.reached, " of ", all.tasks,
                       " tasks keep the limit in the whole sweep: how far they lie apart is not known");
        std::vector<cell> row{text_cell(of_site.site), text_cell(of_site.rule), count_cell(all.tasks),
                              count_cell(all.reached)};
        for (const double figure : {all.mean, all.deviation, all.least, all.greatest}) {
            row.push_back(decided || all.undefined != 0 ? share_cell(figure, 2, why) : not_decided());
            row.back().lost = row.back().lost && of_site.lost && all.undefined != 0;
        }
        t.add(std::move(row));
    }
    return t;
}

std::string describe_intervals(const subject& s, const confidence& sure) {
    const text_units units = units_of(s.stories);
    const char* what = units.blocks ? "blocks of the text" : "stories";
    if (sure.draws == 0) {
        return "No intervals: --draws 0.";
    }
    if (const std::string why = too_few_units(units.all.size(), what); !why.empty()) {
        return "There are " + why + ".";
    }
    return line("In brackets: 90 % intervals, by ", sure.draws, " paired bootstrap draws of the ",
                units.all.size(), ' ', what, s.tasks.empty() ? "" : " and of each task's questions",
                " (seed ", sure.seed, ").");
}

std::string describe_brackets(const std::vector<curve>& curves) {
    double widest = 0;
    for (const curve& c : curves) {
        widest = std::max(widest, c.of == curve::perplexity ? bracket_of(c.critical()) : 0.0);
    }
    return line("Critical sparsities by PPL are interpolated between points that lie up to ",
                fixed(100 * widest, 1), " points of sparsity apart (column bracket).");
}

void add_sets(document& d, const subject& s, const std::vector<curve>& curves,
              const std::vector<measurement>& rows, std::size_t sets) {
    if (sets < 2) {
        return;
    }
    const text_units units = units_of(s.stories);
    const auto begins = set_begins(units.all.size(), sets);
    table each{"sets",
               {{"site", "", column::all},
                {"rule", "", column::all},
                {"criterion", "", column::all},
                {"set", "", column::all},
                {"first_story", "", column::all},
                {"units", "", column::all},
                {"critical_sparsity", "", column::all}}};
    table all{"sets_spread",
              {{"site", "", column::all},
               {"rule", "", column::all},
               {"criterion", "", column::all},
               {"sets", "", column::all},
               {"reached", "limit reached in", column::all},
               {"mean", "mean of the sets' critical sparsities", column::all},
               {"deviation", "standard deviation", column::all},
               {"least", "", column::all},
               {"greatest", "", column::all}}};
    for (const curve& c : curves) {
        if (c.of != curve::perplexity && c.of != curve::top1) {
            continue;
        }
        const auto found = critical_of_sets(c, s, rows, sets);
        for (std::size_t k = 0; k < sets; ++k) {
            const double at = found[k].crossing();
            cell figure = share_cell(at, 2,
                                     found[k].undefined ? "a point on the way has no figure"
                                                        : "the set keeps the limit in the whole sweep");
            figure.lost = found[k].undefined && c.lost;
            each.add({text_cell(c.site), text_cell(c.rule), text_cell(c.name), count_cell(k + 1),
                      count_cell(units.all[begins[k]].story), count_cell(begins[k + 1] - begins[k]), figure});
        }
        const study::spread apart = study::spread_of(found);
        std::vector<cell> row{text_cell(c.site), text_cell(c.rule), text_cell(c.name), count_cell(sets),
                              count_cell(apart.reached)};
        for (const double figure : {apart.mean, apart.deviation, apart.least, apart.greatest}) {
            row.push_back(share_cell(figure, 2, "not every set has a critical sparsity"));
            row.back().lost = false;
        }
        all.add(std::move(row));
    }
    d.paragraph(line("On ", sets, " disjoint sets of the ", units.all.size(),
                     units.blocks ? " blocks" : " stories", ", each alone (as many texts in one run):"));
    d.add(std::move(all));
    d.add_data(std::move(each));
}
std::size_t sets_of(const std::optional<std::string>& text) {
    return text ? parse_count(*text, "--sets", 1000) : 1;
}
void check_sets(const inputs& models, std::size_t sets) {
    for (const subject& s : models.subjects()) {
        if (const std::size_t units = units_of(s.stories).all.size(); sets > units) {
            throw error("--sets ", sets, ": ", s.text_name, " has ", units,
                        " stories (or blocks) to be set apart");
        }
    }
}

table per_story_table(const subject& s, const std::vector<condition>& conditions,
                      const std::vector<measurement>& rows) {
    table all{"per_story",
              {{"site", "", column::all},
               {"rule", "", column::all},
               {"value", "", column::all},
               {"story", "", column::all},
               {"first_token", "", column::all},
               {"tokens", "", column::all},
               {"nll_sum", "", column::all},
               {"hits", "", column::all},
               {"mask_sparsity", "", column::all}}};
    all.csv_only = true;
    const text_units units = units_of(s.stories);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t u = 0; u < units.all.size(); ++u) {
            const unit_record& r = rows[i].units[u];
            const double sparsity =
                r.entries == 0 ? 0.0 : static_cast<double>(r.dropped) / static_cast<double>(r.entries);
            all.add({text_cell(conditions[i].site), text_or_dash(conditions[i].rule),
                     typed_cell(conditions[i].value, conditions[i].number), count_cell(units.all[u].story),
                     count_cell(units.all[u].first_token), count_cell(units.all[u].predictions),
                     number_cell(r.loss.sum(), 6, why_none(rows[i], s.layers())), count_cell(r.hits),
                     share_cell(study::unless_lost(rows[i].masks.lost.values, sparsity), 2,
                                why_none(rows[i], s.layers()))});
        }
    }
    return all;
}

void add_per_token(document& d, const subject& s, const std::vector<condition>& conditions,
                   const std::vector<measurement>& rows) {
    if (!s.keep_tokens) {
        return;
    }
    table all{"per_token",
              {{"site", "", column::all},
               {"rule", "", column::all},
               {"value", "", column::all},
               {"story", "", column::all},
               {"token", "", column::all},
               {"nll", "", column::all},
               {"hit", "", column::all}}};
    all.csv_only = true;
    const text_units units = units_of(s.stories);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t u = 0; u < units.all.size(); ++u) {
            for (const unit_record::token& t : rows[i].units[u].tokens) {
                all.add({text_cell(conditions[i].site), text_or_dash(conditions[i].rule),
                         typed_cell(conditions[i].value, conditions[i].number),
                         count_cell(units.all[u].story), count_cell(t.place),
                         number_cell(t.loss, 6, "the loss is not finite"), bool_cell(t.hit)});
            }
        }
    }
    d.add_data(std::move(all));
}

picture sweep_picture(const std::vector<curve>& curves, const std::string& title) {
    std::vector<panel> panels{panel_of(named(curves, "PPL-1%"), "PPL / dense PPL (ratio)", {0.99, 1.2}),
                              panel_of(named(curves, "top-1 99%"), "top-1 / dense top-1 (ratio)",
                                       {0.9, 1.01})};
    auto tasks = named(curves, "tasks averaged 99%");
    for (std::size_t i = 0; tasks.empty() && i < curves.size(); ++i) {
        if (curves[i].name.starts_with("task ")) {
            tasks = named(curves, curves[i].name); // there is one task
        }
    }
    if (!tasks.empty()) {
        panels.push_back(panel_of(tasks, "accuracy / dense accuracy (ratio)", {0.7, 1.05}));
    }
    return draw_panels("sweep", title, panels);
}

document sweep_document(const subject& s, const std::vector<condition>& conditions,
                        const std::vector<measurement>& rows, const confidence& sure, std::size_t sets) {
    document d{"Activation sparsity of " + s.name};
    auto curves = curves_of(s, conditions, rows);
    const drawn_study drawn = draw_again(s, rows, sure);
    add_intervals(curves, drawn);
    d.paragraph(describe(s) + " One rule with one value for all layers and tokens, a mask a token.");
    add_critical_screen(d, s, curves, rows.front());
    d.add(sweep_picture(curves, s.name + ": " + measured_on(s)));
    d.heading("The sweep");
    d.add(results_table(s, conditions, rows, drawn));
    d.note(
        "nll: nats a token. top1: share of tokens predicted. top-1 as dense: share "
        "of predictions whose likeliest token is the dense model's. KL from dense: of each prediction's probabilities, in nats, "
        "the dense model's 1,024 likeliest tokens one by one and the others as one. Mask sparsity: entries dropped / all entries, pooled over "
        "tokens and layers (for all_inputs over both masks, by width). Bytes skipped: weight bytes of the FFN that need "
        "not be read, of those of the dense FFN. These are two numbers; neither is a speed.");
    if (!s.tasks.empty()) {
        std::string tasks = "Tasks: accuracy over";
        for (const auto& t : s.tasks) {
            tasks += line(' ', t.questions.size(), " questions (", t.name, ")");
        }
        d.note(tasks + "; their own sparsity is in tasks.csv.");
        d.add_data(tasks_table(s, conditions, rows));
    }
    d.add_data(per_story_table(s, conditions, rows));
    add_per_token(d, s, conditions, rows);
    d.heading("Critical sparsity");
    d.paragraph(describe_intervals(s, sure));
    d.note(what_critical_means);
    d.add(critical_table(curves));
    d.paragraph(describe_brackets(curves) + " `critical` looks closer by itself.");
    add_sets(d, s, curves, rows, sets);
    if (s.tasks.size() > 1) {
        d.note("How far the tasks lie apart, which is part of the result:");
        d.add(spread_table(curves));
    }
    d.heading("Layers");
    add_layers(d, s, conditions, rows, curves);
    return d;
}

document single_layer_document(const subject& s, const std::vector<site_choice>& sites,
                               const rule_family& rule, const std::vector<rule_value>& values,
                               const std::vector<condition>& conditions,
                               const std::vector<measurement>& rows) {
    document d{"One layer at a time: " + s.name};
    d.paragraph(describe(s) + " Each row masks a single layer and leaves the others dense.");
    table t{"single_layers",
            {{"site", "", column::all},
             {"layer", "", column::all},
             {"rule", "", column::all},
             {"value", "", column::all},
             {"nll", "", column::all},
             {"ppl_ratio", "ppl/dense", column::all},
             {"layer_sparsity", "mask sparsity of the layer", column::all}}};
    std::vector<column> screen_columns{{"layer", line("PPL/dense at ", values.back().text), column::all}};
    std::vector<std::vector<cell>> screen_rows;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        screen_rows.push_back({text_cell(line("layer ", l))});
    }
    double worst = 0;
    std::string sentence = "No layer raises PPL when it alone is masked.";
    std::size_t row = 1;
    for (const auto& site : sites) {
        screen_columns.push_back({site.name, "", column::all});
        shades map{"PPL above the dense model's when one layer is masked: " + std::string{site.name},
                   rule.name,
                   "layer",
                   "PPL above dense (%)",
                   {},
                   {},
                   {}};
        for (const auto& v : values) {
            map.columns.push_back(v.text);
        }
        for (std::size_t l = 0; l < s.layers(); ++l) {
            map.rows.push_back(line(l));
            map.values.emplace_back();
            for (std::size_t v = 0; v < values.size(); ++v, ++row) {
                const double ratio = perplexity_ratio(rows[row], rows.front());
                const std::string why = why_none(rows[row], s.layers());
                map.values.back().push_back(100 * (ratio - 1));
                t.add({text_cell(site.name), count_cell(l), text_cell(rule.name),
                       typed_cell(conditions[row].value, conditions[row].number),
                       number_cell(rows[row].text.nll(), 5, why),
                       number_cell(ratio, 5, why_no_ratio(rows[row], rows.front(), s.layers())),
                       share_cell(rows[row].masks.mask_sparsity(l), 2, why)});
            }
        }
        map.about = s.name + ": " + measured_on(s);
        for (std::size_t l = 0; l < s.layers(); ++l) {
            screen_rows[l].push_back(number_cell(1 + map.values[l].back() / 100, 4));
            if (map.values[l].back() > worst) {
                worst = map.values[l].back();
                sentence = line("PPL rises most when layer ", l, " alone is masked at ", site.name, ": by ",
                                fixed(worst, 2), " % at ", rule.name, ' ', values.back().text, ".");
            }
        }
        d.add(draw_shades(std::string{"single_layers_"} + site.name, map));
    }
    table screen{"screen", screen_columns};
    for (auto& r : screen_rows) {
        screen.add(std::move(r));
    }
    d.headline(std::move(sentence));
    d.on_screen(std::move(screen));
    d.add(std::move(t));
    return d;
}

} // namespace app
