#include "input/tasks.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

using namespace study_test;

namespace {

std::vector<app::task> load(const std::string& text, std::size_t seq_len = 64) {
    const bytes vocabulary = make_tokenizer(), file = bytes{}.add_text(text);
    return app::load_tasks(file.as("q.tsv"), app::tokenizer{vocabulary.as("t"), 290}, seq_len);
}

} // namespace

TEST_CASE("questions are grouped by task, comments left out") {
    const auto tasks =
        load("# head\nb\tthe cat\t1\t on\t at\r\n\na\tthe\t0\t cat\t and\t hat\nb\te\t0\t a\t b\n");
    REQUIRE(tasks.size() == 2);
    CHECK(tasks[0].name == "b");
    CHECK(tasks[0].questions.size() == 2);
    CHECK(tasks[0].questions[0].answer == 1);
    CHECK(tasks[1].questions[0].choices.size() == 3);
}

TEST_CASE("the context is what no choice changes, and choices that read the same share a run") {
    const auto q = load("t\tthe\t0\t cat\t the\n")[0].questions[0]; // " cat", " the": a token each
    CHECK(q.shared == 2);                                           // BOS, " the"
    CHECK(q.runs.size() == 1);
    CHECK(q.runs[0].size() == 2);
    const auto merging = load("t\ta\t0\tnd\t cat\n")[0].questions[0]; // " a" + "nd" is " and"
    CHECK(merging.shared == 1);
    CHECK(merging.runs.size() == 2);
    const auto longer = load("t\tthe\t0\t cat cat\t the\n")[0].questions[0];
    CHECK(longer.runs.size() == 2);
}

TEST_CASE("a bad line is named with its number and what is wrong with it") {
    const auto error = [](const std::string& text, std::size_t seq_len = 64) {
        return error_of([&] { load(text, seq_len); });
    };
    const std::string good = "t\tthe\t0\t cat\t the\n";
    CHECK(error("") == "q.tsv: no question in it");
    CHECK(error("# x\n") == "q.tsv: no question in it");
    CHECK(has(error(good + "some prose\n"), "q.tsv: line 2: a question needs 5 fields"));
    CHECK(has(error(good + "t\tthe\t2\t cat\t the\n"), "line 2: answer \"2\" is no index of its 2 choices"));
    CHECK(has(error("t\tthe\t-1\t cat\t the\n"), "line 1: answer \"-1\""));
    CHECK(has(error("t\tthe\t\t cat\t the\n"), "line 1: answer \"\""));
    CHECK(has(error("\tthe\t0\t cat\t the\n"), "name"));
    CHECK(has(error("a,b\tthe\t0\t cat\t the\n"), "name"));
    CHECK(has(error("t\tthe\t0\t cat\t\n"), "adds nothing"));
    CHECK(has(error("t\tthe the the the\t0\t cat\t the\n", 3), "more than the model's seq_len 3"));
}

TEST_CASE("questions are read with the care of texts") {
    const bytes vocabulary = make_tokenizer();
    const app::tokenizer tokens{vocabulary.as("t"), 290};
    const std::string plain = "# head\nb\tthe cat\t1\t on\t at\na\tthe\t0\t cat\t and\n";
    const auto read = [&](const std::string& text, app::remarks& notes) {
        return app::load_tasks(bytes{}.add_text(text).as("q.tsv"), tokens, 64, notes);
    };
    const auto same = [&](const std::string& text, const std::string& note) {
        app::remarks none, notes;
        const auto expected = read(plain, none), tasks = read(text, notes);
        CHECK(none.all().empty());
        REQUIRE(notes.all().size() == 1);
        CHECK(has(notes.all()[0], note));
        REQUIRE(tasks.size() == expected.size());
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            CHECK(tasks[t].name == expected[t].name);
            CHECK(tasks[t].questions[0].runs == expected[t].questions[0].runs);
        }
    };
    std::string windows, old;
    for (const char c : plain) {
        windows += c == '\n' ? "\r\n" : std::string(1, c);
        old += c == '\n' ? '\r' : c;
    }
    same("\xef\xbb\xbf" + plain, "q.tsv: 1 byte order mark");
    same("\xef\xbb\xbf" + plain.substr(7), "q.tsv: 1 byte order mark"); // in front of a task's name
    same(windows, "q.tsv: 3 line ends CR LF");
    same(old, "q.tsv: 3 carriage returns");
    const auto why = [](const std::string& text) { return error_of([&] { load(text); }); };
    CHECK(has(why(std::string{"t\0\t\0t\0h\0e\0\t\0", 12}), "q.tsv: a text in UTF-16LE"));
    CHECK(has(why(plain + "c\tcaf\xe9\t0\t a\t b\n"), "q.tsv: no UTF-8: byte E9"));
    CHECK(has(why(plain + "c\tx\t0\t a\t b\xc3"), "q.tsv: cut off"));
}

TEST_CASE("a wrong choice that is the right one's twin is refused") {
    CHECK(has(error_of([] { load("t\tthe\t1\t cat\t and\t and\n"); }),
              "q.tsv: line 1: choice 2 is the same as the answer, choice 1"));
    CHECK(load("t\tthe\t1\t cat\t and\t cat\n").size() == 1); // among wrong ones it takes nothing away
}
