#pragma once

#include "critical.hpp"
#include "output.hpp"
#include "sweep.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace study {

/// results.csv: the text, a row a measurement, the dense one first.
inline std::string results_csv(const std::vector<measurement>& rows) {
    std::string csv = "site,rule,value,tokens,nll,ppl,top1,mask_sparsity,bytes_skipped\n";
    for (const auto& row : rows) {
        csv += line(row.site(), ',', row.rule(), ',', row.value(), ',', row.text.predictions, ',',
                    fixed(row.text.nll(), 6), ',', fixed(row.text.perplexity(), 6), ',',
                    fixed(row.text.top1(), 6), ',', fixed(row.counts.mask_sparsity(), 6), ',',
                    fixed(row.counts.bytes_skipped(), 6), '\n');
    }
    return csv;
}

/// tasks.csv: a row a measurement and task; sparsity and bytes are those of the task's own tokens.
inline std::string tasks_csv(const std::vector<measurement>& rows) {
    std::string csv = "site,rule,value,task,questions,accuracy,mask_sparsity,bytes_skipped\n";
    for (const auto& row : rows) {
        for (const auto& t : row.tasks) {
            csv += line(row.site(), ',', row.rule(), ',', row.value(), ',', t.name, ',', t.questions, ',',
                        fixed(t.accuracy(), 6), ',', fixed(t.counts.mask_sparsity(), 6), ',',
                        fixed(t.counts.bytes_skipped(), 6), '\n');
        }
    }
    return csv;
}

/// Rows of text cells, for the terminal (aligned columns) and for Markdown (the same between bars).
class table {
  public:
    explicit table(std::vector<std::string> head) { add(std::move(head)); }

    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

    std::string markdown() const {
        std::string text;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            for (const auto& cell : rows_[r]) {
                text += "| " + cell + " ";
            }
            text += "|\n";
            if (r != 0) {
                continue;
            }
            for (std::size_t c = 0; c < rows_[0].size(); ++c) {
                text += "|---";
            }
            text += "|\n";
        }
        return text;
    }

    std::string plain() const {
        std::vector<std::size_t> width(rows_[0].size());
        for (const auto& row : rows_) {
            for (std::size_t c = 0; c < row.size(); ++c) {
                width[c] = std::max(width[c], row[c].size());
            }
        }
        std::string text;
        for (const auto& row : rows_) {
            std::string padded;
            for (std::size_t c = 0; c < row.size(); ++c) {
                padded += row[c] + std::string(width[c] - row[c].size() + 2, ' ');
            }
            text += padded.substr(0, padded.find_last_not_of(' ') + 1) + '\n';
        }
        return text;
    }

  private:
    std::vector<std::vector<std::string>> rows_;
};

/// The columns that people read: as in results.csv, and the ratio to the dense model and the tasks beside.
inline std::vector<std::string> reading_head(const std::vector<task>& tasks) {
    std::vector<std::string> head{"site",      "rule", "value",         "nll",          "ppl",
                                  "ppl/dense", "top1", "mask sparsity", "bytes skipped"};
    for (const auto& t : tasks) {
        head.push_back(t.name);
    }
    return head;
}
inline std::vector<std::string> reading_row(const measurement& row, const measurement& dense) {
    std::vector<std::string> cells{row.site(),
                                   row.rule(),
                                   row.value(),
                                   fixed(row.text.nll(), 5),
                                   fixed(row.text.perplexity(), 4),
                                   fixed(perplexity_ratio(row, dense), 4),
                                   fixed(row.text.top1(), 5),
                                   row.dense() ? "-" : percent(row.counts.mask_sparsity()),
                                   row.dense() ? "-" : percent(row.counts.bytes_skipped())};
    for (const auto& t : row.tasks) {
        cells.push_back(fixed(t.accuracy(), 4));
    }
    return cells;
}

inline std::string describe(const sweep_point& p) {
    return line(p.value, ": ", fixed(p.quality, 4), " at ", percent(p.sparsity));
}

/// The critical points of all curves, with the points of the sweep between which they lie.
inline table critical_table(const std::vector<curve>& curves) {
    table t{{"site", "criterion", "critical sparsity", "bytes skipped there", "last point that keeps it",
             "first that does not"}};
    for (const auto& c : curves) {
        const critical_point at = c.critical();
        if (at.reached) {
            t.add({c.site, c.what.name, percent(at.sparsity), percent(at.skipped), describe(at.kept),
                   describe(at.lost)});
        } else {
            t.add({c.site, c.what.name, "not reached in sweep", "-", describe(at.kept), "-"});
        }
    }
    return t;
}

} // namespace study
