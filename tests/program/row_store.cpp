#include "measure/row_store.hpp"

#include "support_files.hpp"
#include "support_study.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>

using namespace study_test;

namespace {

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
    const app::row_store store{sweep.path, "f", true};
    CHECK(store.found() == 5);
    CHECK(store.kept() == 5);
    store.remove();
    CHECK(!std::filesystem::exists(sweep.path));
}

TEST_CASE("rows are not dropped by a run that was not told to go on with them") {
    stored_sweep sweep;
    CHECK(sweep.run("f", false) == 4);
    const std::string whole = content(sweep.path);
    const std::string why = error_of([&] { app::row_store(sweep.path, "f", false); });
    CHECK(has(why, sweep.path.string() + ": 4 rows"));
    CHECK(has(why, "--resume goes on"));
    CHECK(content(sweep.path) == whole);
    put(sweep.path,
        whole.substr(0, whole.find('\n') + 40)); // the first row was cut off: there is nothing to lose
    CHECK(sweep.run("f", false) == 4);
}

TEST_CASE("a file whose rows were not all asked for stays") {
    stored_sweep sweep;
    sweep.run("f", false);
    app::measurement m{sweep.little.s};
    const app::row_store store{sweep.path, "f", true};
    CHECK(store.find("input\ttop_p\t0.5", m));
    CHECK(store.find("input\ttop_p\t0.5", m));
    CHECK(!store.find("input\ttop_p\t0.4", m));
    CHECK(store.finish() == 3);
    CHECK(std::filesystem::exists(sweep.path));
    for (const char* label : {"dense\t-\t-", "input\ttop_p\t0.9", "all_inputs\tmax_p\t0.1"}) {
        CHECK(store.find(label, m));
    }
    CHECK(store.finish() == 0);
    CHECK(!std::filesystem::exists(sweep.path));
}

TEST_CASE("rows of another model, text or version are refused, and stay") {
    stored_sweep sweep;
    sweep.run("model=1 stories=2 tasks=3", false);
    const std::string whole = content(sweep.path);
    for (const bool resume : {true, false}) {
        const auto why = [&](const std::string& fingerprint) {
            return error_of([&] { app::row_store(sweep.path, fingerprint, resume); });
        };
        CHECK(has(why("model=1 stories=7 tasks=3"), ": its rows were measured with another stories; "));
        CHECK(has(why("model=4 stories=2 tasks=5"), " another model, tasks; "));
        CHECK(has(why("model=1 stories=2 tasks=3 thresholds=1"), " another thresholds; "));
        CHECK(has(why("model=1 stories=2"), "choose another --out, or delete the file"));
        CHECK(content(sweep.path) == whole);
    }
    const std::string older = "tamis-study rows 0 f\n" + whole.substr(whole.find('\n') + 1);
    put(sweep.path, older);
    CHECK(has(error_of([&] { app::row_store(sweep.path, "f", true); }), "not rows that this version reads"));
    CHECK(content(sweep.path) == older);
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
        std::filesystem::remove(sweep.path);
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
        const std::size_t measured = sweep.run("f", true);
        CHECK(app::row_store(sweep.path, "f", true).damaged() == 0); // what was damaged is gone
        return measured;
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

TEST_CASE("a store that cannot be written says so, with the reason") {
    const little_study little{app::activation::silu, 2};
    temporary_folder folder;
    const auto nowhere = folder / "none/rows.state";
    CHECK(error_of([&] { app::row_store(nowhere, "f", true); }) ==
          nowhere.string() + ": cannot be written: No such file or directory");
    const app::row_store store{folder / "rows.state", "f", false};
    std::filesystem::remove(folder / "rows.state");
    std::filesystem::create_directory(folder / "rows.state");
    CHECK(has(error_of([&] { store.add("a\tb\tc", app::measurement{little.s}); }),
              "rows.state: cannot be written: Is a directory"));
}

TEST_CASE("a full disk leaves the rows that were complete, and no half of one") {
    if (!std::filesystem::exists("/dev/full")) {
        return;
    }
    const little_study little{app::activation::silu, 2};
    temporary_folder folder;
    const auto path = folder / "rows.state";
    std::size_t told = 0;
    app::row_store store{path, "f", false};
    store.on_added = [&] { ++told; };
    store.add("a\tb\tc", app::measurement{little.s});
    const std::string whole = content(path);
    std::filesystem::rename(path, folder / "kept");
    std::filesystem::create_symlink("/dev/full", path); // the disk is full from here on
    CHECK(error_of([&] { store.add("a\tb\td", app::measurement{little.s}); }) ==
          path.string() + ": cannot be written: No space left on device");
    CHECK(told == 1);
    CHECK(store.kept() == 1);
    std::filesystem::remove(path);
    std::filesystem::rename(folder / "kept", path);
    CHECK(content(path) == whole);
    CHECK(app::row_store(path, "f", true).found() == 1);
    // Nor does a file that can not be made afresh lose the one that there is.
    put(path, whole + "a\tb\te\tcut off");
    std::filesystem::create_symlink("/dev/full", folder / "rows.state.part");
    CHECK(error_of([&] { app::row_store(path, "f", true); }) ==
          path.string() + ": cannot be written: No space left on device");
    CHECK(content(path).starts_with(whole));
    const app::row_store again{path, "f", true};
    CHECK(again.found() == 1);
    CHECK(again.damaged() == 1);
    CHECK(content(path) == whole);
}
