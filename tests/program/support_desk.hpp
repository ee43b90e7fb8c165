#pragma once

#include "support.hpp"
#include "support_files.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

// tamis-study from outside: a folder with a whole little study, and the program run in it.

namespace study_test {

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}
/// The fields of a CSV line in which nothing is quoted.
inline std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields{""};
    for (const char c : line) {
        if (c == ',') {
            fields.emplace_back();
        } else {
            fields.back() += c;
        }
    }
    return fields;
}
inline bool gnuplot_there() {
    static const bool there = std::system("gnuplot --version >/dev/null 2>&1") == 0;
    return there;
}

struct outcome {
    int code;
    std::string out, err;
};

class desk {
  public:
    desk() {
        put(folder / "m.bin", make_checkpoint().text());
        put(folder / "t.bin", make_tokenizer().text());
        put(folder / "text.txt", "the cat and the hat\n<|endoftext|>\non a bed\n<|endoftext|>\nthe end\n");
        put(folder / "tasks.tsv", "a\tthe\t0\t cat\t and\nb\te\t0\t a\t b\n");
    }
    outcome run(const std::string& arguments) const {
        const std::string command = "cd '" + folder.path().string() + "' && '" TAMIS_STUDY_PROGRAM "' " +
                                    arguments + " >stdout.log 2>stderr.log";
        const int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(folder / "stdout.log"),
                content(folder / "stderr.log")};
    }
    /// What a run prints that goes well, without a word on stderr but this one if there is one. (Made-up weights guess, well or badly.)
    std::string good(const std::string& arguments, const std::string& note = {}) const {
        CAPTURE(arguments);
        const outcome o = run(arguments);
        CHECK(o.code == 0);
        std::size_t found = 0;
        for (const std::string& line : lines_of(o.err)) {
            const bool is_note = !note.empty() && has(line, note);
            found += is_note ? 1 : 0;
            CHECK_MESSAGE((is_note || has(line, "worse than guessing evenly")), line);
        }
        CHECK_MESSAGE(found == (note.empty() ? 0 : 1), o.err);
        return o.out;
    }
    /// Refused: exit code 2, one line on stderr with `why` in it, nothing on stdout, no file.
    void refused(const std::string& arguments, const std::string& why) const {
        CAPTURE(arguments);
        const outcome o = run(arguments);
        CHECK(o.code == 2);
        CHECK(o.err.starts_with("tamis-study: "));
        CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
        CHECK_MESSAGE(has(o.err, why), o.err);
        CHECK(o.out.empty());
        CHECK(!std::filesystem::exists(folder / "out"));
    }
    std::string file(const std::string& name) const { return content(folder / ("out/" + name)); }
    std::vector<std::string> table(const std::string& name) const { return lines_of(file(name)); }
    bool exists(const std::string& name) const { return std::filesystem::exists(folder / ("out/" + name)); }
    /// A picture is a script, and an SVG that the report shows where there is gnuplot.
    void check_picture(const std::string& name) const {
        CAPTURE(name);
        CHECK(has(file(name + ".gp"), "plot "));
        CHECK(exists(name + ".svg") == gnuplot_there());
        CHECK(has(file("report.md"), "](" + name + ".svg)") == gnuplot_there());
    }
    void check_nothing_half_written() const {
        for (const auto& entry : std::filesystem::directory_iterator{folder / "out"}) {
            CHECK(entry.path().extension() != ".part");
            CHECK(entry.path().extension() != ".state");
        }
    }

    temporary_folder folder;
};

inline const std::string little_model = "--checkpoint m.bin --tokenizer t.bin --text text.txt ";
inline const std::string to_out = little_model + "--out out ";

} // namespace study_test
