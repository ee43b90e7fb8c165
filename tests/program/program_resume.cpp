// tamis-study sweep --resume from outside.

#include "support_desk.hpp"

#include "input/hash.hpp"

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

} // namespace

TEST_CASE("a sweep that was stopped goes on with --resume, and ends with the same files") {
    const desk d;
    const std::string arguments =
        to_out + "--sites input,up --values 0.99,0.9,0.8,0.7 --tasks tasks.tsv --threads 1";
    d.good(arguments);
    const std::string results = d.file("results.csv"), json = d.file("report.json");
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
        CHECK(d.file("report.json") == json);
        CHECK(!d.exists("rows.state"));
    }
    d.good(arguments + " --resume"); // with nothing to go on from
    CHECK(d.file("results.csv") == results);
}

TEST_CASE("a resumed sweep takes the rows that are there, and not those of another text") {
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
    const auto top1_after = [&](const std::string& run) {
        put(d.folder / "out/rows.state", state);
        d.good(run);
        const auto dense = fields_of(d.table("results.csv")[1]);
        return std::stod(dense[6]) * std::stod(dense[3]);
    };
    CHECK(top1_after(arguments + " --resume") == doctest::Approx(5).epsilon(1e-4));
    CHECK(top1_after(arguments) != doctest::Approx(5).epsilon(1e-4));
    CHECK(top1_after(arguments + " --stories 0:2 --resume") != doctest::Approx(5).epsilon(1e-4));
    CHECK(top1_after(arguments + " --activation relu --resume") != doctest::Approx(5).epsilon(1e-4));
}

TEST_CASE("--resume needs a folder") {
    const desk d;
    d.refused(little_model + "--sites up --values 0.9 --resume", "--resume needs --out");
}
