#pragma once

#include "measure/confidence.hpp"
#include "measure/curves.hpp"
#include "measure/measure.hpp"

#include <tamis/study/bootstrap.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace app {

/// Why there are no intervals of a sample, from how many units it has; empty when there are.
std::string too_few_units(std::size_t units, const char* what);
inline constexpr std::size_t fewest_units = 10;

/// What draws of the units make of every row: of stories or their blocks, or of a task's questions. Paired: a draw is the same for
/// all rows.
class drawn_rows {
  public:
    /// One row's figures in one draw; NaN where the row has none.
    struct figures {
        double loss, hits;        ///< a prediction, or a question
        double sparsity, skipped; ///< as tally has them
        double divergence, agree; ///< a prediction
    };

    drawn_rows() = default;
    drawn_rows(std::size_t draws, std::size_t rows) : rows_{rows}, all_(draws * rows) {}

    /// 0: there are no draws, since there are too few units, or none was wanted.
    std::size_t draws() const { return rows_ == 0 ? 0 : all_.size() / rows_; }
    std::size_t rows() const { return rows_; }
    const figures& at(std::size_t draw, std::size_t row) const { return all_[draw * rows_ + row]; }
    figures& at(std::size_t draw, std::size_t row) { return all_[draw * rows_ + row]; }

  private:
    std::size_t rows_ = 0;
    std::vector<figures> all_;
};

/// Of the text and of each task.
struct drawn_study {
    confidence how;
    drawn_rows text;
    std::vector<drawn_rows> tasks;
};

drawn_study draw_again(const subject& s, const std::vector<measurement>& rows, const confidence& how);

/// The interval of a row's PPL over the dense one's, row 0.
study::interval perplexity_interval(const drawn_study& drawn, std::size_t row);
/// Of another figure of a row: interval_of_row(drawn, row, &drawn_rows::figures::agree).
study::interval interval_of_row(const drawn_study& drawn, std::size_t row,
                                double drawn_rows::figures::*figure);
/// Of one curve's bytes skipped at the critical point over another's, draw by draw.
study::interval skipped_ratio_interval(const curve& a, const curve& b, const drawn_study& drawn);
/// Gives each curve the intervals of its critical sparsity: every draw looks for its own crossing.
void add_intervals(std::vector<curve>& curves, const drawn_study& drawn);

/// Where each of so many disjoint sets of neighbouring units begins, and where the last one ends.
std::vector<std::size_t> set_begins(std::size_t units, std::size_t sets);
/// A curve of the text on each of these sets alone: several texts in one run, from what each story added to the rows.
std::vector<study::critical_point> critical_of_sets(const curve& c, const subject& s,
                                                    const std::vector<measurement>& rows, std::size_t sets);

} // namespace app
