#include "measure/intervals.hpp"

#include <array>
#include <cmath>
#include <span>

namespace app {
namespace {

/// Every row's figures under so many weights of the units: weights(number, span) fills them.
template <class Weights>
drawn_rows figures_under(const std::vector<const unit_records*>& rows, const std::vector<bool>& known,
                         bool text, std::size_t draws, Weights&& weights) {
    enum column : std::size_t { loss, hits, dropped, entries, read, all, divergence, agree, columns };
    const std::size_t units = rows.front()->count();
    study::unit_sums sums{units, 1 + columns * rows.size()}; // in front: predictions, or questions
    for (std::size_t u = 0; u < units; ++u) {
        const auto predictions = (*rows.front())[u].loss.count() + (*rows.front())[u].loss.left_out();
        sums.column(0)[u] = text ? static_cast<double>(predictions) : 1.0;
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto to = [&](column c, std::size_t u) -> double& {
            return sums.column(1 + row * columns + c)[u];
        };
        for (std::size_t u = 0; known[row] && u < units; ++u) {
            const unit_record& r = (*rows[row])[u];
            to(loss, u) = r.loss.sum();
            to(hits, u) = static_cast<double>(r.hits);
            to(dropped, u) = static_cast<double>(r.dropped);
            to(entries, u) = static_cast<double>(r.entries);
            to(read, u) = static_cast<double>(r.bytes_read);
            to(all, u) = static_cast<double>(r.bytes_all);
            to(divergence, u) = r.divergence.sum();
            to(agree, u) = static_cast<double>(r.agree);
        }
    }
    drawn_rows drawn{draws, rows.size()};
    std::vector<double> weight(units), totals(sums.columns());
    for (std::size_t draw = 0; draw < draws; ++draw) {
        weights(draw, std::span{weight});
        sums.totals(weight, totals);
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const auto total = [&](column c) { return totals[1 + row * columns + c]; };
            const auto share = [](double part, double whole) { return whole == 0 ? 0.0 : part / whole; };
            constexpr double none = study::not_a_number;
            drawn.at(draw, row) = !known[row]
                                      ? drawn_rows::figures{none, none, none, none, none, none}
                                      : drawn_rows::figures{total(loss) / totals[0],
                                                            total(hits) / totals[0],
                                                            share(total(dropped), total(entries)),
                                                            share(total(all) - total(read), total(all)),
                                                            total(divergence) / totals[0],
                                                            total(agree) / totals[0]};
        }
    }
    return drawn;
}

/// Draws of units of which every row has a record; no draws of too few.
drawn_rows draws_of_units(const std::vector<const unit_records*>& rows, const std::vector<bool>& known,
                          bool text, const confidence& how, std::uint64_t seed) {
    const std::size_t units = rows.front()->count();
    if (how.draws == 0 || units < fewest_units || !rows.front()->complete()) {
        return {};
    }
    const study::resampling again{units, how.draws, seed};
    return figures_under(rows, known, text, how.draws,
                         [&](std::size_t draw, std::span<double> to) { again.weights(draw, to); });
}

/// A curve's point in a draw.
study::sweep_point point_in_draw(const curve& c, std::size_t i, const drawn_rows& drawn, std::size_t draw) {
    const auto &row = drawn.at(draw, c.rows[i]), &dense = drawn.at(draw, 0);
    const double quality =
        c.of == curve::perplexity ? std::exp(row.loss - dense.loss) : row.hits / dense.hits;
    return {c.points[i].value, row.sparsity, row.skipped, quality};
}

} // namespace

std::string too_few_units(std::size_t units, const char* what) {
    return units >= fewest_units ? std::string{}
                                 : line("no intervals: ", units, ' ', what, " are too few to draw from (",
                                        fewest_units, " are the least)");
}

drawn_study draw_again(const subject& s, const std::vector<measurement>& rows, const confidence& how) {
    drawn_study drawn{how, {}, {}};
    std::vector<const unit_records*> records(rows.size());
    std::vector<bool> known(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        records[i] = &rows[i].units;
        known[i] = why_none(rows[i], s.layers()).empty();
    }
    drawn.text = draws_of_units(records, known, true, how, how.seed);
    for (std::size_t t = 0; t < s.tasks.size(); ++t) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            records[i] = &rows[i].tasks[t].questions;
            known[i] = why_none(rows[i].tasks[t], s.layers()).empty();
        }
        drawn.tasks.push_back(draws_of_units(records, known, false, how, how.seed + 1 + t));
    }
    return drawn;
}

study::interval perplexity_interval(const drawn_study& drawn, std::size_t row) {
    std::vector<double> ratios;
    for (std::size_t draw = 0; draw < drawn.text.draws(); ++draw) {
        ratios.push_back(std::exp(drawn.text.at(draw, row).loss - drawn.text.at(draw, 0).loss));
    }
    return study::interval_of(ratios, drawn.how.level);
}

study::interval interval_of_row(const drawn_study& drawn, std::size_t row,
                                double drawn_rows::figures::*figure) {
    std::vector<double> values;
    for (std::size_t draw = 0; draw < drawn.text.draws(); ++draw) {
        values.push_back(drawn.text.at(draw, row).*figure);
    }
    return study::interval_of(values, drawn.how.level);
}

study::interval skipped_ratio_interval(const curve& a, const curve& b, const drawn_study& drawn) {
    std::vector<double> ratios;
    for (std::size_t draw = 0; draw < drawn.text.draws(); ++draw) {
        std::array<double, 2> skipped{};
        for (std::size_t k = 0; k < 2; ++k) {
            const curve& c = k == 0 ? a : b;
            std::vector<study::sweep_point> points;
            for (std::size_t i = 0; i < c.rows.size(); ++i) {
                points.push_back(point_in_draw(c, i, drawn.text, draw));
            }
            skipped[k] = study::find_critical(c.keep, points).skipped;
        }
        ratios.push_back(skipped[0] / skipped[1]);
    }
    return study::interval_of(ratios, drawn.how.level);
}

std::vector<std::size_t> set_begins(std::size_t units, std::size_t sets) {
    std::vector<std::size_t> begins;
    for (std::size_t k = 0; k <= sets; ++k) {
        begins.push_back(k * units / sets);
    }
    return begins;
}

std::vector<study::critical_point> critical_of_sets(const curve& c, const subject& s,
                                                    const std::vector<measurement>& rows, std::size_t sets) {
    std::vector<const unit_records*> records;
    std::vector<bool> known;
    for (const measurement& row : rows) {
        records.push_back(&row.units);
        known.push_back(why_none(row, s.layers()).empty());
    }
    const auto begins = set_begins(records.front()->count(), sets);
    const drawn_rows of_sets =
        figures_under(records, known, true, sets, [&](std::size_t set, std::span<double> to) {
            for (std::size_t u = 0; u < to.size(); ++u) {
                to[u] = u >= begins[set] && u < begins[set + 1] ? 1 : 0;
            }
        });
    std::vector<study::critical_point> found;
    for (std::size_t set = 0; set < sets; ++set) {
        std::vector<study::sweep_point> points;
        for (std::size_t i = 0; i < c.rows.size(); ++i) {
            points.push_back(point_in_draw(c, i, of_sets, set));
        }
        found.push_back(study::find_critical(c.keep, points));
    }
    return found;
}

void add_intervals(std::vector<curve>& curves, const drawn_study& drawn) {
    for (curve& c : curves) {
        std::vector<const drawn_rows*> samples; // one, or for the tasks' mean each of them
        if (c.of == curve::perplexity || c.of == curve::top1) {
            samples.push_back(&drawn.text);
        }
        for (std::size_t t = 0; t < drawn.tasks.size(); ++t) {
            if (c.of == curve::all_tasks || (c.of == curve::task && c.number == t)) {
                samples.push_back(&drawn.tasks[t]);
            }
        }
        std::size_t draws = drawn.how.draws;
        for (const drawn_rows* sample : samples) {
            draws = std::min(draws, sample->draws());
        }
        std::vector<double> sparsity, skipped;
        std::vector<std::vector<study::sweep_point>> of_samples(samples.size());
        for (std::size_t draw = 0; draw < draws; ++draw) {
            for (std::size_t k = 0; k < samples.size(); ++k) {
                of_samples[k].clear();
                for (std::size_t i = 0; i < c.rows.size(); ++i) {
                    of_samples[k].push_back(point_in_draw(c, i, *samples[k], draw));
                }
            }
            const auto at = study::find_critical(c.keep, samples.size() == 1 ? of_samples.front()
                                                                             : study::average_of(of_samples));
            sparsity.push_back(at.crossing());
            skipped.push_back(at.reached || at.undefined ? at.skipped : at.crossing());
        }
        c.sparsity_interval = study::interval_of(sparsity, drawn.how.level);
        c.skipped_interval = study::interval_of(skipped, drawn.how.level);
    }
}

} // namespace app
