#pragma once

#include "critical.hpp"
#include "output.hpp"
#include "picture.hpp"
#include "sweep.hpp"
#include "tables.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace study {

/// report.md: what was measured, all rows, and the critical sparsities.
inline std::string report_markdown(const subject& s, const std::vector<measurement>& rows, bool picture) {
    const model_config& c = s.model.config;
    const auto& text = rows.front().text;
    std::string report = line(
        "# Activation sparsity of ", s.name, "\n\n", c.n_layers, " layers, width ", c.dim, ", ", c.hidden_dim,
        " neurons (", name(s.sigma), "), ", c.n_heads, " heads (", c.n_kv_heads,
        " key-value heads), vocabulary ", c.vocab_size, ", context ", c.seq_len, ". Text: ", s.stories.size(),
        " stories, ", text.predictions,
        " next-token predictions. One rule with one value for all layers and tokens, a mask a token.\n\n");
    if (picture) {
        report += "![The sweep](sweep.svg)\n\n";
    }

    table all{reading_head(s.tasks)};
    for (const auto& row : rows) {
        all.add(reading_row(row, rows.front()));
    }
    report +=
        "## The sweep\n\n" + all.markdown() +
        "\nnll: nats a token. top1: share of tokens predicted. Mask sparsity: entries dropped / all "
        "entries, pooled over tokens and layers (for all_inputs over both masks, by width). Bytes skipped: "
        "weight bytes of the FFN that were not read, of those of the dense FFN. These are two numbers; "
        "neither is a speed.\n";
    if (!s.tasks.empty()) {
        report += "Tasks: accuracy over";
        for (const auto& t : s.tasks) {
            report += line(' ', t.questions.size(), " questions (", t.name, ")");
        }
        report += "; their own sparsity is in tasks.csv.\n";
    }
    report +=
        "\n## Critical sparsity\n\nThe highest sparsity that keeps 99 % of the dense model's performance: "
        "PPL at most 1.01 times the dense one, top-1 or a task's accuracy at least 0.99 times. Linear "
        "between neighbouring points of the sweep, at the first crossing coming from the dense end. The "
        "two points are beside it (value: ratio to dense at mask sparsity).";
    if (!s.tasks.empty()) {
        report +=
            " One question more or less moves an accuracy by one part in their number: critical points of "
            "tasks are coarse.";
    }
    return report + "\n\n" + critical_table(curves_of(rows)).markdown();
}

/// Everything that one model's sweep leaves in a folder. False: the picture is missing, its script is there.
inline bool write_results(const std::filesystem::path& folder, const subject& s,
                          const std::vector<measurement>& rows) {
    write_file(folder / "results.csv", results_csv(rows));
    if (!s.tasks.empty()) {
        write_file(folder / "tasks.csv", tasks_csv(rows));
    }
    const bool drawn = draw_picture(folder, picture_script(curves_of(rows), s.name));
    write_file(folder / "report.md", report_markdown(s, rows, drawn));
    return drawn;
}

} // namespace study
