// tamis-study where the disk is full, a file may not grow, or the run is killed: what was said to be kept is kept, no file is half
// written, and the error is one line. From outside.

#include "support_desk.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace study_test;

namespace {

/// Name -> content of all files of a run, also those in folders; locks and what is under the pen are none.
std::map<std::string, std::string> files_of(const std::filesystem::path& out) {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{out}) {
        if (entry.is_regular_file() && entry.path().filename() != ".tamis-study.lock") {
            all[std::filesystem::relative(entry.path(), out).string()] = content(entry.path());
        }
    }
    return all;
}

/// The program in the desk's folder, in a shell's words: `before` in a subshell of its own.
outcome run_in_shell(const desk& d, const std::string& before, const std::string& arguments) {
    const std::string command = "exec 2>/dev/null; cd '" + d.folder.path().string() + "' && (" + before +
                                "; exec '" TAMIS_STUDY_PROGRAM "' " + arguments +
                                ") >stdout.log 2>stderr.log";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(d.folder / "stdout.log"),
            content(d.folder / "stderr.log")};
}

const std::string whole_sweep =
    to_out + "--sites input,up --values 0.99,0.9,0.8,0.7 --tasks tasks.tsv --threads 1";

/// The lines of a state that end as lines do: the rows that the program may have told of.
std::size_t whole_rows(const std::string& state) {
    std::size_t rows = 0;
    for (std::size_t at = state.find(" .\n"); at != std::string::npos; at = state.find(" .\n", at + 1)) {
        ++rows;
    }
    return rows;
}

} // namespace

TEST_CASE("a disk that is full when a file's turn comes: every kind of file, of commands that write") {
    if (!std::filesystem::exists("/dev/full")) {
        return;
    }
    const desk d;
    for (const std::string& arguments :
         {to_out + "--sites up --values 0.9", to_out + "cett-ppl --percent 5 --stories 0:1",
          to_out + "calibrate --method cats --target 0.6", to_out + "neurons --contexts 1",
          to_out + "compare --few --at 0.5"}) {
        CAPTURE(arguments);
        std::filesystem::remove_all(d.folder / "out");
        const outcome first = d.run(arguments);
        REQUIRE_MESSAGE(first.code == 0, first.err);
        const auto before = files_of(d.folder / "out");
        CHECK(before.size() >= 3);
        std::string kinds_seen; // a file of each kind: they are written by one function each
        for (const auto& file : before) {
            const std::string& name = file.first;
            const std::string kind = std::filesystem::path{name}.extension().string();
            if (kind == ".svg" || kind == ".pdf" || name == "report.md" || has(kinds_seen, kind)) {
                continue; // what gnuplot makes; what is written once for a try; what was seen
            }
            kinds_seen += kind;
            CAPTURE(name);
            const auto was = files_of(d.folder / "out");
            std::filesystem::create_symlink("/dev/full", d.folder / ("out/" + name + ".part"));
            const outcome o = d.run(arguments);
            CHECK(o.code == 2);
            CHECK(lines_of(o.err).size() == 1);
            CHECK_MESSAGE(has(o.err, "out/" + name + ": cannot be written: No space left on device"), o.err);
            std::filesystem::remove(d.folder / "out/rows.state"); // kept: not what is asked here
            auto after = files_of(d.folder / "out");
            CHECK(after.size() == before.size());
            const bool is_the_one_before = after[name] == was.at(name); // whole
            CHECK(is_the_one_before);
        }
    }
}

TEST_CASE(
    "no file may grow beyond a size: rows that are kept are whole, and --resume ends with the same files") {
    const desk d;
    d.good(whole_sweep);
    const std::string results = d.file("results.csv");
    std::size_t most = 0;
    for (const char* blocks : {"1", "14", "24"}) { // of 512 or 1024 bytes, as the shell has it
        CAPTURE(blocks);
        std::filesystem::remove_all(d.folder / "out");
        const outcome o = run_in_shell(d, "trap '' XFSZ; ulimit -f " + std::string{blocks}, whole_sweep);
        if (o.code == 0) {
            continue;
        }
        CHECK(o.code == 2);
        CHECK(lines_of(o.err).size() == 1);
        CHECK_MESSAGE(has(o.err, "cannot be written: File too large"), o.err);
        CHECK(!d.exists("results.csv"));
        for (const auto& entry : std::filesystem::directory_iterator{d.folder / "out"}) {
            CHECK(entry.path().extension() != ".part");
        }
        const std::string state = d.exists("rows.state") ? d.file("rows.state") : "";
        CHECK((state.empty() || state.ends_with('\n'))); // what did not fit was taken back
        most = std::max(most, whole_rows(state));
        const std::string out = d.good(whole_sweep + " --resume");
        CHECK(has(out, "Resumed: ") == (whole_rows(state) != 0));
        CHECK(d.file("results.csv") == results);
    }
    CHECK(most >= 2);
}

TEST_CASE("a run that is killed loses no row that was on the disk") {
    const desk d;
    const std::string arguments = to_out + "--layers each --values paper --threads 1";
    const std::string command =
        "exec 2>/dev/null; cd '" + d.folder.path().string() + "' && { '" TAMIS_STUDY_PROGRAM "' " +
        arguments +
        " >stdout.log 2>stderr.log & pid=$!; i=0; while [ $(cat out/rows.state 2>/dev/null | wc -l) -le 3 ] && "
        "[ $i -lt 2000 ]; do i=$((i + 1)); sleep 0.005; done; cat out/rows.state >seen; kill -KILL $pid; wait $pid; }";
    const int status = std::system(command.c_str());
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        MESSAGE("skipped: it was quicker than its signal");
        return;
    }
    const std::string seen = content(d.folder / "seen"), state = d.file("rows.state");
    CHECK(state.starts_with(seen.substr(0, seen.rfind('\n') + 1))); // all that could be seen is still there
    CHECK(!d.exists("results.csv"));
    const outcome resumed = d.run(arguments + " --resume"); // the lock of the killed run is no one's
    CHECK(resumed.code == 0);
    CHECK_MESSAGE(has(resumed.out, "Resumed: " + std::to_string(whole_rows(state)) + " of "), resumed.out);
    CHECK(!d.exists("rows.state"));
    const std::string results = d.file("results.csv");
    CHECK(d.run(arguments).code == 0);
    CHECK(d.file("results.csv") == results);
}
