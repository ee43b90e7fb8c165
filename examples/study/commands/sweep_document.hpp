#pragma once

#include "input/inputs.hpp"
#include "input/units.hpp"
#include "measure/confidence.hpp"
#include "measure/curves.hpp"
#include "measure/intervals.hpp"
#include "output/document.hpp"
#include "settings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace app {

// What sweeps and their critical points look like as tables and pictures.

/// results.csv: the text, a row a measurement, the dense one first; with intervals of PPL/dense, where there are any.
table results_table(const subject& s, const std::vector<condition>& conditions,
                    const std::vector<measurement>& rows, const drawn_study& drawn);
/// tasks.csv: a row a measurement and task; sparsity and bytes are those of the task's own tokens.
table tasks_table(const subject& s, const std::vector<condition>& conditions,
                  const std::vector<measurement>& rows);
/// critical.csv: the critical points of all curves, with the points of the sweep between which they lie. A criterion that the
/// sample is too small for (one answer more or less is more than the limit lets go) has no figures.
table critical_table(const std::vector<curve>& curves);
/// What a terminal shows of these: the best site in words, the dense model's figures, a row a site.
void add_critical_screen(document& d, const subject& s, const std::vector<curve>& curves,
                         const measurement& dense);
/// spread.csv: how far the tasks' critical sparsities lie apart, a row a site.
table spread_table(const std::vector<curve>& curves);
/// A sentence on how the intervals were made, or why there are none.
std::string describe_intervals(const subject& s, const confidence& sure);
/// How far apart the points lie between which critical points were interpolated.
std::string describe_brackets(const std::vector<curve>& curves);
/// --sets: sets.csv and sets_spread.csv, the critical sparsities by PPL and top-1 of disjoint sets of the stories, and how far they
/// lie apart. Refuses more sets than stories.
void add_sets(document& d, const subject& s, const std::vector<curve>& curves,
              const std::vector<measurement>& rows, std::size_t sets);
std::size_t sets_of(const std::optional<std::string>& text);
void check_sets(const inputs& models, std::size_t sets);
/// per_story.csv: what each story, or block of one, adds to each row, for figures and intervals of one's own.
table per_story_table(const subject& s, const std::vector<condition>& conditions,
                      const std::vector<measurement>& rows);
/// per_token.csv, if the subject's tokens were kept.
void add_per_token(document& d, const subject& s, const std::vector<condition>& conditions,
                   const std::vector<measurement>& rows);
/// Sparsity against metric with the critical points marked: PPL, top-1 and, where there are tasks, their mean.
picture sweep_picture(const std::vector<curve>& curves, const std::string& title);

/// The whole report of a sweep.
document sweep_document(const subject& s, const std::vector<condition>& conditions,
                        const std::vector<measurement>& rows, const confidence& sure, std::size_t sets = 1);
/// The report of a sweep that masks one layer at a time; conditions site by site, layer by layer, value by value.
document single_layer_document(const subject& s, const std::vector<site_choice>& sites,
                               const rule_family& rule, const std::vector<rule_value>& values,
                               const std::vector<condition>& conditions,
                               const std::vector<measurement>& rows);

inline constexpr const char* what_critical_means =
    "The highest sparsity that keeps 99 % of the dense model's performance: PPL at most 1.01 times the dense one, top-1 or a "
    "task's accuracy at least 0.99 times. Linear between neighbouring points of the sweep, at the first crossing coming from "
    "the dense end. The two points are beside it (value: ratio to dense at mask sparsity). One question more or less moves an "
    "accuracy by one part in their number: critical points of tasks are coarse, and where that is more than 1 % (fewer than 100 "
    "right answers of the dense model) nothing is decided; --questions takes more.";

} // namespace app
