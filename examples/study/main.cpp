#include "critical.hpp"
#include "error.hpp"
#include "inputs.hpp"
#include "options.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "sweep.hpp"
#include "tables.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

namespace {

using namespace study;

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    if (std::fflush(stdout) != 0) {
        throw error("standard output: cannot be written");
    }
}

/// Cells in columns whose widths are known beforehand, because rows are printed as they are measured.
std::string aligned(const std::vector<std::string>& cells, const std::vector<std::string>& head) {
    constexpr std::array<std::size_t, 2> longest{12, 9}; // a site, a rule; numbers take seven
    std::string row;
    for (std::size_t c = 0; c < cells.size(); ++c) {
        const std::size_t width = std::max<std::size_t>(head[c].size(), c < longest.size() ? longest[c] : 7);
        row += cells[c] + std::string(width - std::min(width, cells[c].size()) + 2, ' ');
    }
    return row.substr(0, row.find_last_not_of(' ') + 1) + '\n';
}

/// Measures and prints the rows of one model.
std::vector<measurement> sweep(const subject& s, const options& o) {
    std::size_t questions = 0;
    for (const auto& t : s.tasks) {
        questions += t.questions.size();
    }
    print(line(s.name, ": ", s.stories.size(), " stories",
               s.tasks.empty() ? std::string{} : line(", ", questions, " questions"), "; ", name(s.sigma),
               "\n"));
    const auto head = reading_head(s.tasks);
    print(aligned(head, head));

    progress shown{o.plain_progress};
    const auto settings = sweep_settings(o.sites, o.rule, o.values);
    std::vector<measurement> rows;
    for (const auto& choice : settings) {
        shown.begin(line("measuring row ", rows.size() + 1, " of ", settings.size(), ", ",
                         choice ? line(name(choice->site), ' ', name(choice->rule), ' ', choice->value.text)
                                : "dense"));
        rows.push_back(measure(s, choice, o.threads,
                               [&](std::size_t done, std::size_t all) { shown.update(done, all); }));
        shown.clear();
        print(aligned(reading_row(rows.back(), rows.front()), head));
    }
    return rows;
}

void study_all(const options& o) {
    const inputs models{o}; // all files are read and checked before the first one is written
    const auto folder_of = [&](const subject& s) { return std::filesystem::path{*o.out} / s.label; };
    if (o.out) {
        for (const auto& s : models.subjects()) {
            prepare_folder(folder_of(s));
        }
    }

    for (const auto& s : models.subjects()) {
        const auto rows = sweep(s, o);
        print(
            "\nCritical sparsity: the highest that keeps 99 % of the dense model's performance "
            "(value: ratio to dense at mask sparsity)\n" +
            critical_table(curves_of(rows)).plain() + "\n");
        if (!o.out) {
            continue;
        }
        const auto folder = folder_of(s);
        const bool drawn = write_results(folder, s, rows);
        print(line("Written: ", (folder / "results.csv").string(), ", report.md, ",
                   s.tasks.empty() ? "" : "tasks.csv, ", drawn ? "sweep.svg\n\n" : "sweep.gp\n"));
        if (!drawn) {
            print(
                "No picture: gnuplot is missing or failed. With it, `gnuplot sweep.gp >sweep.svg` draws one "
                "there.\n\n");
        }
    }
}

/// The one line that a failure leaves.
int fail(std::string why) {
    std::replace(why.begin(), why.end(), '\n', ' ');
    std::fprintf(stderr, "tamis-study: %s\n", why.c_str());
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (const auto o = parse_options(argc, argv)) {
            study_all(*o);
        }
        return 0;
    } catch (const error& e) {
        return fail(e.what());
    } catch (const std::bad_alloc&) {
        return fail("not enough memory");
    } catch (const std::exception& e) {
        return fail(line("unexpected: ", e.what()));
    }
}
