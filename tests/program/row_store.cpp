#include "measure/row_store.hpp"

#include "support_study.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

using namespace study_test;

namespace {

std::string content(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
void put(const std::filesystem::path& path, const std::string& text) {
    std::ofstream{path, std::ios::binary} << text;
}

/// A sweep that leaves its rows in a file.
struct stored_sweep {
    little_study little{app::activation::silu, 5};
    temporary_folder folder;
    std::filesystem::path path = folder / "rows.state";
    std::vector<app::condition> conditions{little.dense(), little.at("input", "top_p", 0.9),
                                           little.at("input", "top_p", 0.5),
                                           little.at("all_inputs", "max_p", 0.1)};
    std::vector<app::measurement> plain = app::measure(little.s, conditions, 1, ignore_progress);
    std::size_t parts = little.s.stories.size() + 3;

    /// Runs the sweep on what is there; returns how many rows it measured.
    std::size_t run(const std::string& fingerprint, bool resume) {
        const app::row_store store{path, fingerprint, resume};
        std::size_t all = 0;
        const auto rows = app::measure_missing(little.s, conditions, store, 2,
                                               [&](std::size_t, std::size_t pairs) { all = pairs; });
        for (std::size_t i = 0; i < rows.size(); ++i) {
            CHECK(words_of(rows[i]) == words_of(plain[i])); // to the bit, kept or measured
        }
        return all / parts;
    }
};

} // namespace

TEST_CASE("a store without a path keeps nothing and finds nothing") {
    const little_study little{app::activation::silu, 2};
    const app::row_store store;
    app::measurement m{little.s};
    store.add("a\tb\tc", m);
    CHECK(!store.find("a\tb\tc", m));
    store.remove();
}

TEST_CASE("rows are kept as they are complete, and a resumed sweep measures none of them again") {
    stored_sweep sweep;
    CHECK(sweep.run("f", false) == 4);
    const std::string whole = content(sweep.path);
    CHECK(std::count(whole.begin(), whole.end(), '\n') == 5);
    CHECK(sweep.run("f", true) == 0);
    CHECK(sweep.run("f", true) == 0);
    sweep.conditions.push_back(sweep.little.at("up", "top_k", 0.5)); // a sweep that wants more
    sweep.plain.push_back(sweep.little.run(sweep.conditions.back()));
    CHECK(sweep.run("f", true) == 1);
    CHECK(sweep.run("f", false) == 5); // not asked to
    const app::row_store store{sweep.path, "f", true};
    store.remove();
    CHECK(!std::filesystem::exists(sweep.path));
}

TEST_CASE("rows of another model, text or version are left out") {
    stored_sweep sweep;
    sweep.run("f", false);
    CHECK(sweep.run("g", true) == 4);
    CHECK(sweep.run("f", true) == 4); // g's took its place
    put(sweep.path,
        "tamis-study rows 0 f\n" + content(sweep.path).substr(content(sweep.path).find('\n') + 1));
    CHECK(sweep.run("f", true) == 4);
    put(sweep.path, "");
    CHECK(sweep.run("f", true) == 4);
    std::filesystem::remove(sweep.path);
    CHECK(sweep.run("f", true) == 4);
}

TEST_CASE("wherever the file was cut off, the whole rows before are kept") {
    stored_sweep sweep;
    sweep.run("f", false);
    const std::string whole = content(sweep.path);
    std::vector<std::size_t> ends; // behind each line's newline
    for (std::size_t at = 0; (at = whole.find('\n', at)) != std::string::npos;) {
        ends.push_back(++at);
    }
    REQUIRE(ends.size() == 5);
    for (std::size_t row = 1; row < 5; ++row) {
        const std::size_t length = ends[row] - ends[row - 1];
        for (const std::size_t left : {std::size_t{1}, std::size_t{20}, length / 2, length - 3, length - 2}) {
            CAPTURE(left);
            put(sweep.path, whole.substr(0, ends[row - 1] + left));
            CHECK(sweep.run("f", true) == 5 - row);
        }
        put(sweep.path, whole.substr(0, ends[row]));
        CHECK(sweep.run("f", true) == 4 - row);
        put(sweep.path, whole.substr(0, ends[row] - 1)); // all but the newline: a whole row
        CHECK(sweep.run("f", true) == 4 - row);
    }
    put(sweep.path, whole.substr(0, 10));
    CHECK(sweep.run("f", true) == 4);
}

TEST_CASE("a damaged row is measured again, the others are kept") {
    stored_sweep sweep;
    sweep.run("f", false);
    const std::string whole = content(sweep.path);
    const std::size_t row = whole.find("input\ttop_p\t0.5\t");
    REQUIRE(row != std::string::npos);
    const std::size_t end = whole.find('\n', row), words = row + std::string{"input\ttop_p\t0.5\t"}.size();
    const auto damaged = [&](std::size_t at, std::size_t count, const std::string& by) {
        CAPTURE(by);
        std::string text = whole;
        put(sweep.path, text.replace(at, count, by));
        return sweep.run("f", true);
    };
    CHECK(damaged(words, 1, "z") == 1);
    CHECK(damaged((words + end) / 2, 8, "????????") == 1);
    CHECK(damaged(words, 40, "") == 1);                   // words are missing
    CHECK(damaged(words, 0, "1 2 3 ") == 1);              // or too many
    CHECK(damaged(words, end - words, ".") == 1);         // none
    CHECK(damaged(end - 1, 1, "") == 1);                  // no end
    CHECK(damaged(row + 5, 1, " ") == 1);                 // no label
    CHECK(damaged(row, 0, "\n\n\t\t\n") == 0);            // blank lines do no harm
    CHECK(damaged(row, 0, "up\ttop_p\t1\t1 2 .\n") == 0); // nor does a row that nobody asks for
}

TEST_CASE("a changed digit is measured again, wherever it stands in the row") {
    stored_sweep sweep;
    sweep.run("f", false);
    const std::string whole = content(sweep.path);
    const std::size_t row = whole.find("input\ttop_p\t0.5\t");
    REQUIRE(row != std::string::npos);
    const std::size_t end = whole.find('\n', row), words = row + std::string{"input\ttop_p\t0.5\t"}.size();
    for (std::size_t at = words; at < end - 2; at += 41) {
        CAPTURE(at - row);
        std::string text = whole;
        while (text[at] == ' ') {
            ++at;
        }
        text[at] = text[at] == '7' ? '8' : '7';
        put(sweep.path, text);
        CHECK(sweep.run("f", true) == 1);
    }
    // Nor do the words of one row pass for those of another.
    std::string text = whole;
    put(sweep.path, text.replace(words - 2, 1, "9"));
    CHECK(sweep.run("f", true) == 1);
}

TEST_CASE("a store that cannot be written says so") {
    const little_study little{app::activation::silu, 2};
    temporary_folder folder;
    const auto nowhere = folder / "none/rows.state";
    CHECK(error_of([&] { app::row_store(nowhere, "f", true); }) == nowhere.string() + ": cannot be written");
    const app::row_store store{folder / "rows.state", "f", false};
    std::filesystem::remove(folder / "rows.state");
    std::filesystem::create_directory(folder / "rows.state");
    CHECK(has(error_of([&] { store.add("a\tb\tc", app::measurement{little.s}); }), "cannot be written"));
}
