#include "measure/measure.hpp"

#include "input/units.hpp"
#include "measure/against_dense.hpp"
#include "measure/predictions.hpp"
#include "measure/runner.hpp"
#include "measure/threads.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace app {
namespace {

/// What one thread works with.
class session {
  public:
    session(const subject& s, std::size_t workspace_bytes)
        : model_{s.model, s.sigma}, memory_{workspace_bytes} {}

    /// Calls work(logits_of) where logits_of(tokens) runs the model under the condition, shown to `see`.
    template <class Work>
    void under(const condition& c, from_token<tally> see, Work&& work) {
        c.apply(memory_.view(), see, [&](study::hook_ref hook) {
            work([&](std::span<const token> tokens) { return model_.logits(tokens, hook); });
        });
        see.to.lost.merge(model_.take_not_finite());
    }

  private:
    runner model_;
    tamis::owned_workspace memory_;
};

/// Dropped and all entries over the sites of one layer.
study::sparsity_meter::counts over_sites(const study::sparsity_meter& m) {
    study::sparsity_meter::counts sum;
    for (const tamis::site where : study::all_sites) {
        sum += m.pooled(where);
    }
    return sum;
}

} // namespace

namespace {

std::vector<study::accounting_meter> accounts_of(const checkpoint& model) {
    std::vector<study::accounting_meter> all;
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        all.emplace_back(model.runs_in
                             ? model.runs_in->sizes(l)
                             : study::ffn_sizes::of<tamis::f32>(model.config.dim, model.config.hidden_dim));
    }
    return all;
}

} // namespace

tally::tally(const checkpoint& model) : sparsity_(model.layers.size()), bytes_{accounts_of(model)} {}

double tally::mask_sparsity() const {
    return study::unless_lost(lost.values, over_sites(sparsity_.merged()).sparsity());
}
double tally::mask_sparsity(std::size_t layer) const {
    return study::unless_lost(lost.values, over_sites(sparsity_[layer]).sparsity());
}
double tally::bytes_skipped() const {
    return study::unless_lost(lost.values, bytes_.merged().bytes_not_read());
}

unit_record tally::totals() const {
    unit_record all;
    for (std::size_t l = 0; l < sparsity_.size(); ++l) {
        const auto entries = over_sites(sparsity_[l]);
        const auto bytes = bytes_[l].bytes();
        all.merge({{}, 0, entries.dropped, entries.entries, bytes.bytes_read, bytes.bytes_dense});
    }
    return all;
}

measurement::measurement(const subject& s) : masks{s.model}, units{units_of(s.stories).all.size()} {
    for (const task& t : s.tasks) {
        tasks.push_back({{}, tally{s.model}, unit_records{t.questions.size()}});
    }
}

namespace {

/// What `now` has more than `before` had.
unit_record masks_since(const unit_record& before, const tally& now) {
    unit_record r = now.totals();
    r.dropped -= before.dropped;
    r.entries -= before.entries;
    r.bytes_read -= before.bytes_read;
    r.bytes_all -= before.bytes_all;
    return r;
}

std::string why(std::uint64_t lost, std::uint64_t all, const char* what, const tally& t, std::size_t layers) {
    if (lost == 0 && t.lost.values == 0) {
        return {};
    }
    std::string text = line(lost, " of ", all, ' ', what, " lost");
    text += t.lost.values == 0 ? std::string{": a loss is not finite"} : ": " + t.lost.text(layers);
    if (t.rounding.overflowed != 0) {
        text +=
            line("; rounding made ", t.rounding.overflowed, " of ", t.rounding.values, " values infinite");
    }
    return text;
}

} // namespace

std::string why_none(const measurement& m, std::size_t layers) {
    return why(m.text.lost(), m.text.predictions(), "predictions are", m.masks, layers);
}
std::string why_none(const measurement::of_task& t, std::size_t layers) {
    return why(t.score.lost, t.score.questions, "questions are", t.masks, layers);
}

std::vector<measurement> measure(const subject& s, const std::vector<condition>& conditions,
                                 std::size_t threads, const progress_report& report,
                                 const row_report& finished, bool with_tasks,
                                 const dense_predictions* against) {
    struct question_at {
        std::size_t task, question;
    };
    std::vector<question_at> questions;
    for (std::size_t t = 0; with_tasks && t < s.tasks.size(); ++t) {
        for (std::size_t q = 0; q < s.tasks[t].questions.size(); ++q) {
            questions.push_back({t, q});
        }
    }
    std::size_t workspace_bytes = 0;
    for (const auto& c : conditions) {
        workspace_bytes =
            std::max(workspace_bytes,
                     c.plan.workspace_bytes(std::max(s.model.config.dim, s.model.config.hidden_dim)));
    }

    const text_units units = units_of(s.stories);
    return study::sweep(
        conditions.size(), s.stories.size() + questions.size(), measurement{s}, fresh_threads{threads},
        [&] {
            return [&, own = session{s, workspace_bytes}](std::size_t row, std::size_t part,
                                                          measurement& sum) mutable {
                const condition& c = conditions[row];
                if (part < s.stories.size()) {
                    const story& read = s.stories[part];
                    const unit_record before = sum.masks.totals();
                    // Its units, and the one of a prediction.
                    std::vector<unit_record> parts(std::max<std::size_t>(1, units.in_window[part]));
                    const auto of_place = [&](std::size_t place) -> unit_record& {
                        return parts[(parts.size() * (place - read.first_scored + 1) - 1) /
                                     read.predictions()];
                    };
                    const std::size_t second_half = std::max(read.first_scored, read.size() / 2 + 1);
                    own.under(c, {sum.masks, read.first_seen()}, [&](auto&& logits_of) {
                        std::optional<logits_view> logits;
                        const auto keeping = [&](std::span<const token> tokens) {
                            logits.emplace(logits_of(tokens));
                            return *logits;
                        };
                        text_score score;
                        score_story(read, keeping, score, read.first_scored,
                                    [&](std::size_t place, double loss, bool hit) {
                                        unit_record& r = of_place(place);
                                        r.loss.add(loss);
                                        r.hits += hit ? 1 : 0;
                                        if (read.chunk && place >= second_half) {
                                            sum.second_halves.loss.add(loss);
                                            sum.second_halves.hits += hit ? 1 : 0;
                                        }
                                        if (s.keep_tokens) {
                                            r.tokens.push_back({read.begin_in_story + place, loss, hit});
                                        }
                                    });
                        sum.text.merge(score);
                        for (std::size_t i = 0; against != nullptr && i < read.predictions(); ++i) {
                            const std::size_t place = read.first_scored + i;
                            const comparison to_dense = compare(against->of_story.at(part)[i], *logits,
                                                                static_cast<Eigen::Index>(place - 1));
                            of_place(place).divergence.add(to_dense.divergence);
                            of_place(place).agree += to_dense.same_likeliest ? 1 : 0;
                        }
                    });
                    const unit_record all = masks_since(before, sum.masks);
                    for (std::size_t k = 0; units.of_window[part] != text_units::none && k < parts.size();
                         ++k) {
                        const auto share = [&](std::uint64_t n) {
                            return n * (k + 1) / parts.size() - n * k / parts.size();
                        };
                        unit_record& r = parts[k]; // a window's masks are spread over its units evenly
                        r.dropped = share(all.dropped);
                        r.entries = share(all.entries);
                        r.bytes_read = share(all.bytes_read);
                        r.bytes_all = share(all.bytes_all);
                        sum.units.add(units.of_window[part] + k, r);
                    }
                } else {
                    const question_at at = questions[part - s.stories.size()];
                    auto& of_task = sum.tasks[at.task];
                    const unit_record before = of_task.masks.totals();
                    const std::uint64_t right = of_task.score.right;
                    own.under(c, {of_task.masks, 0}, [&](auto&& logits_of) {
                        score_question(s.tasks[at.task].questions[at.question], logits_of, of_task.score);
                    });
                    unit_record r = masks_since(before, of_task.masks);
                    r.hits = of_task.score.right - right;
                    of_task.questions.add(at.question, r);
                }
            };
        },
        [&](std::size_t row, const measurement& m) {
            if (finished) {
                finished(row, m);
            }
        },
        [&](const study::sweep_progress& p) { report(p.done, p.all); });
}

} // namespace app
