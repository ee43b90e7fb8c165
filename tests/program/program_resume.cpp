// tamis-study sweep --resume from outside.

#include "support_columns.hpp"
#include "support_desk.hpp"
#include "support_json.hpp"

#include "input/hash.hpp"
#include "output/folder_lock.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace study_test;

namespace {

/// Runs a sweep that the system ends while it writes its second row or a later one, and returns what is left of its state.
std::string stop(const desk& d, const std::string& arguments) {
    const std::string command = "exec 2>/dev/null; cd '" + d.folder.path().string() +
                                "' && (ulimit -c 0; ulimit -f 24; exec '" TAMIS_STUDY_PROGRAM "' " +
                                arguments + ") >stdout.log 2>stderr.log";
    CHECK(std::system(command.c_str()) != 0);
    REQUIRE(d.exists("rows.state"));
    return d.file("rows.state");
}

/// The dense row's checksum, which is its last word, after one of the others was changed.
void mend_checksum(std::string& state) {
    const std::string label = "\ndense\t-\t-\t";
    const std::size_t first = state.find(label) + label.size(), end = state.find(" .\n", first);
    std::istringstream row{state.substr(first, end - first)};
    std::vector<std::uint64_t> words;
    for (std::uint64_t w; row >> std::hex >> w;) {
        words.push_back(w);
    }
    app::fingerprint sum;
    sum.add(std::string_view{"dense\t-\t-"});
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        sum.add(words[i]);
    }
    const std::size_t last = state.rfind(' ', end - 1) + 1;
    std::ostringstream text;
    text << std::hex << sum.value();
    state.replace(last, end - last, text.str());
}

/// What a run says that finds this state.
std::string line_of_resumed(const std::string& state) {
    const auto whole = std::count(state.begin(), state.end(), '\n') - 1;
    return app::line("Resumed: ", whole,
                     " of 9 rows are in out/rows.state (1 more cut off or damaged: measured again)");
}

/// Lines of a plan.csv: its head, and a choice each. The best rules are one only where top_p is not best at both sites.
std::ptrdiff_t lines_of_a_plan(const std::filesystem::path& made) {
    int top_p = 0;
    for (const std::string& rule : lines_of(content(made / "plan_rules.csv"))) {
        top_p += has(rule, ",top_p,") && has(rule, ",true,") ? 1 : 0;
    }
    return top_p == 2 ? 4 : 5;
}

} // namespace

TEST_CASE("a sweep that was stopped goes on with --resume, and ends with the same files") {
    const desk d;
    const std::string arguments =
        to_out + "--sites input,up --values 0.99,0.9,0.8,0.7 --tasks tasks.tsv --threads 1";
    d.good(arguments);
    const std::string results = d.file("results.csv"), first = d.file("report.json");
    const json figures = figures_of(first);
    CHECK(!d.exists("rows.state")); // nothing to resume

    const std::string state = stop(d, arguments);
    const auto rows = lines_of(state);
    REQUIRE(rows.size() > 2);
    REQUIRE(rows.size() < 10);
    CHECK(!state.ends_with(".\n")); // the last row was cut off
    for (const std::size_t end : {state.size(), state.rfind('\n') + 1, state.find('\n', 200) - 10}) {
        std::filesystem::remove(d.folder / "out/results.csv");
        std::filesystem::remove(d.folder / "out/report.json");
        put(d.folder / "out/rows.state", state.substr(0, end));
        d.good(arguments + " --resume");
        CHECK(d.file("results.csv") == results);
        CHECK(figures_of(d.file("report.json")) == figures);
        CHECK(!d.exists("rows.state"));
    }
    d.good(arguments + " --resume"); // with nothing to go on from
    CHECK(d.file("results.csv") == results);
}

TEST_CASE("a resumed sweep takes the rows that are there, and drops none") {
    const desk d;
    const std::string arguments =
        to_out + "--sites input,up --values 0.99,0.9,0.8,0.7 --tasks tasks.tsv --threads 1";
    std::string state = stop(d, arguments);
    // Five hits in the dense row show whether it is taken: they stand behind the four words of the loss.
    std::size_t word = state.find("\ndense\t-\t-\t");
    REQUIRE(word != std::string::npos);
    word += std::string{"\ndense\t-\t-\t"}.size();
    for (int i = 0; i < 4; ++i) {
        word = state.find(' ', word) + 1;
    }
    state.replace(word, state.find(' ', word) - word, "5");
    mend_checksum(state);
    const auto keep = [&] { put(d.folder / "out/rows.state", state); };
    keep();
    const std::string out = d.good(arguments + " --resume");
    CHECK(has(out, line_of_resumed(state)));
    CHECK(std::stod(column_of(d, "results.csv", "top1")[0]) *
              std::stod(column_of(d, "results.csv", "tokens")[0]) ==
          doctest::Approx(5).epsilon(1e-4));
    // Programs find nothing but JSON on standard output.
    keep();
    const outcome as_json = d.run(arguments + " --resume --json");
    CHECK(as_json.out.starts_with("{"));
    CHECK(has(as_json.err, "Resumed: "));

    // What would drop the rows is refused, in a line that says what differs or what to do.
    const auto refused = [&](const std::string& run, const std::string& why) {
        keep();
        const outcome o = d.run(run);
        CHECK(o.code == 2);
        CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
        CHECK_MESSAGE(has(o.err, why), o.err);
        CHECK(d.file("rows.state") == state);
    };
    refused(arguments, "--resume goes on with them");
    refused(arguments + " --stories 0:2 --resume", "measured with another stories");
    refused(arguments + " --stories 0:2", "measured with another stories");
    refused(arguments + " --activation relu --resume", "measured with another activation");
    put(d.folder / "tasks.tsv", "a\tthe\t0\t cat\t and\n");
    refused(arguments + " --resume", "measured with another tasks");
}

TEST_CASE("a resumed sweep that asks for less leaves what it did not ask for") {
    const desk d;
    const std::string state =
        stop(d, to_out + "--sites input,up --values 0.99,0.9,0.8,0.7 --tasks tasks.tsv --threads 1");
    const std::string out = d.good(to_out + "--sites up --values 0.7 --tasks tasks.tsv --resume");
    CHECK(has(out, "rows in it were not asked for"));
    CHECK(d.exists("rows.state"));
    d.good(to_out + "--sites input,up --values 0.99,0.9,0.8,0.7 --tasks tasks.tsv --resume");
    CHECK(!d.exists("rows.state"));
}

TEST_CASE("a sweep that is stopped says that it can go on") {
    const desk d;
    const std::string arguments = to_out + "--layers each --values paper --threads 1";
    // Ended by a signal as soon as it has rows.
    const std::string command =
        "cd '" + d.folder.path().string() + "' && { '" TAMIS_STUDY_PROGRAM "' " + arguments +
        " >stdout.log 2>stderr.log & pid=$!; i=0; while [ $(cat out/rows.state 2>/dev/null | wc -l) -lt 3 ] && "
        "[ $i -lt 2000 ]; do i=$((i + 1)); sleep 0.01; done; kill -TERM $pid; wait $pid; }";
    const int status = std::system(command.c_str());
    const std::string err = content(d.folder / "stderr.log");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        MESSAGE("skipped: it was quicker than its signal");
        return;
    }
    CHECK(lines_of(err).size() == 1);
    CHECK_MESSAGE(has(err, "rows are kept in out/rows.state: the same command with --resume goes on"), err);
    CHECK(has(d.good(arguments + " --resume"), "Resumed: ")); // a lock that was left is no one's
}

TEST_CASE("critical takes the rows of a sweep, and plan its own: the same files, without measuring again") {
    const desk d;
    const std::string sites = "--sites input,up --values 0.99,0.9,0.8,0.7 --tasks tasks.tsv --threads 1";
    const std::string looks_closer = to_out + "critical " + sites + " --bracket 1";
    d.good(looks_closer);
    CHECK(!d.exists("rows.state"));
    const std::string results = d.file("results.csv");
    put(d.folder / "out/rows.state", stop(d, to_out + sites));
    CHECK(has(d.good(looks_closer + " --resume"), " of 9 rows are in out/rows.state"));
    CHECK(d.file("results.csv") == results);
    CHECK(!d.exists("rows.state"));

    // A plan's rows are of three parts of the text, and of its options.
    const std::string plans = little_model + "--out planned plan --probe-tokens 8 --threads 1";
    d.good(plans);
    const std::string plan = content(d.folder / "planned/plan.csv");
    CHECK(std::count(plan.begin(), plan.end(), '\n') ==
          lines_of_a_plan(d.folder / "planned")); // a line a choice
    const std::string command = "exec 2>/dev/null; cd '" + d.folder.path().string() +
                                "' && (ulimit -c 0; ulimit -f 24; exec '" TAMIS_STUDY_PROGRAM "' " + plans +
                                ") >stdout.log 2>stderr.log";
    CHECK(std::system(command.c_str()) != 0);
    REQUIRE(std::filesystem::exists(d.folder / "planned/rows.state"));
    CHECK(d.run(plans + " --percent 2 --resume").code == 2);
    CHECK(has(d.good(plans + " --resume"), "Resumed: "));
    CHECK(content(d.folder / "planned/plan.csv") == plan);
}

TEST_CASE("the best rules of a plan are no second choice where top_p is best at both sites") {
    const desk d;
    d.good("--out planned plan --stories 0:3 --check-stories 100:103 --probe-tokens 20 --threads 1");
    for (const char* model : {"swiglu", "reglu"}) {
        CAPTURE(model);
        const std::filesystem::path made = d.folder / "planned" / model;
        const std::string plan = content(made / "plan.csv");
        const auto lines = lines_of_a_plan(made);
        CHECK(std::count(plan.begin(), plan.end(), '\n') == lines);
        CHECK(has(plan, "best_rules,") == (lines == 5));
        CHECK(has(content(made / "report.md"), "At both sites top_p loses least") == (lines == 4));
    }
}

TEST_CASE("two runs with one folder: the second is refused, and names the first") {
    const desk d;
    d.good(to_out + "--sites up --values 0.9");
    {
        const app::folder_lock mine{d.folder / "out"};
        for (const char* run : {"--sites up --values 0.9", "cett-ppl", "--sites up --values 0.9 --resume"}) {
            const outcome o = d.run(to_out + run);
            CHECK(o.code == 2);
            CHECK(o.out.empty());
            CHECK_MESSAGE(has(o.err, app::line("--out out: another run is writing there (process ", getpid(),
                                               ", since ")),
                          o.err);
        }
        d.good(little_model + "--out elsewhere --sites up --values 0.9");
    }
    d.good(to_out + "--sites up --values 0.9");
    CHECK(!d.exists(".tamis-study.lock"));
    put(d.folder / "out/.tamis-study.lock", "process 1, since long ago\n"); // its run was killed
    d.good(to_out + "--sites up --values 0.9");
}

TEST_CASE("a file that cannot be written ends the run with its name and the reason") {
    if (!std::filesystem::exists("/dev/full")) {
        return;
    }
    const desk d;
    std::filesystem::create_directory(d.folder / "out");
    for (const char* name : {"results.csv", "sweep.gp", "report.json", "rows.state"}) {
        const auto part = d.folder / ("out/" + std::string{name} + ".part");
        std::filesystem::create_symlink("/dev/full", part); // a disk that is full when this file's turn comes
        const outcome o = d.run(to_out + "--sites up --values 0.9");
        CHECK(o.code == 2);
        CHECK(lines_of(o.err).size() == 1);
        CHECK_MESSAGE(has(o.err, "out/" + std::string{name} + ": cannot be written: No space left on device"),
                      o.err);
        CHECK(!d.exists(name));
        std::filesystem::remove(part);
        std::filesystem::remove(d.folder /
                                "out/rows.state"); // its rows are kept, the run is not what is tested
    }
    const std::string to_full = "cd '" + d.folder.path().string() + "' && '" TAMIS_STUDY_PROGRAM "' " +
                                little_model + "--sites up --values 0.9 --csv >/dev/full 2>stderr.log";
    CHECK(std::system(to_full.c_str()) != 0);
    CHECK(content(d.folder / "stderr.log") ==
          "tamis-study: standard output: cannot be written: No space left on device\n");
}

TEST_CASE("--resume needs a folder") {
    const desk d;
    d.refused(little_model + "--sites up --values 0.9 --resume", "--resume needs --out");
}
