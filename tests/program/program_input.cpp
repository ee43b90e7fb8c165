// tamis-study from outside: texts that are not what they seem, long ones, and the command line's own care.

#include "support_columns.hpp"
#include "support_desk.hpp"

#include <tamis/version.hpp>

#include <nlohmann/json.hpp>

using namespace study_test;

namespace {

const std::string one_row = "--sites up --values 0.9 ";
const std::string with_odd = "--checkpoint m.bin --tokenizer t.bin --text odd.txt ";

/// A run that goes well with notes: each a line on stderr, and all of them in both reports.
struct noted {
    std::string out;
    std::vector<std::string> notes;
};
noted run_noted(const desk& d, const std::string& arguments, bool with_chance = false) {
    CAPTURE(arguments);
    const outcome o = d.run(arguments + " --out out");
    CHECK_MESSAGE(o.code == 0, o.err);
    noted n{o.out, lines_of(o.err)};
    const auto report = nlohmann::json::parse(d.file("report.json"));
    for (std::string& note : n.notes) {
        REQUIRE(note.starts_with("tamis-study: note: "));
        note.erase(0, std::string{"tamis-study: note: "}.size());
        CHECK(has(d.file("report.md"), "> Note: " + note + "\n"));
    }
    CHECK(report.at("notes") == n.notes);
    if (!with_chance) { // made-up weights guess, well or badly
        std::erase_if(n.notes,
                      [](const std::string& note) { return has(note, "worse than guessing evenly"); });
    }
    return n;
}
bool any_has(const std::vector<std::string>& notes, const std::string& part) {
    return std::any_of(notes.begin(), notes.end(), [&](const std::string& n) { return has(n, part); });
}
std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

} // namespace

TEST_CASE("line ends and a byte order mark change no figure, and are said") {
    const desk d;
    d.good(to_out + one_row);
    const std::string expected = d.file("results.csv"), text = content(d.folder / "text.txt");
    CHECK(nlohmann::json::parse(d.file("report.json")).at("notes").empty());
    std::string windows = "\xef\xbb\xbf";
    for (const char c : text) {
        windows += c == '\n' ? "\r\n" : std::string(1, c);
    }
    put(d.folder / "odd.txt", windows);
    const noted n = run_noted(d, with_odd + one_row);
    CHECK(d.file("results.csv") == expected);
    CHECK(n.notes.size() == 2);
    CHECK(any_has(n.notes, "odd.txt: 1 byte order mark"));
    CHECK(any_has(n.notes, "odd.txt: 5 line ends CR LF"));
}

TEST_CASE("what is no UTF-8 text is refused in one line") {
    const desk d;
    const auto refused = [&](const std::string& text, const std::string& why) {
        put(d.folder / "odd.txt", text);
        for (const char* command : {"", "neurons ", "calibrate "}) {
            d.refused(with_odd + "--out out " + command, "odd.txt: " + why);
        }
    };
    refused(std::string{"\xff\xfet\0h\0e\0", 8}, "a text in UTF-16LE");
    refused(std::string{"\0t\0h\0e\0 \0c", 10}, "a text in UTF-16BE");
    refused("the caf\xe9", "cut off");
    refused("the caf\xe9 and", "no UTF-8: byte E9");
    refused(std::string{"the cat and the hat and the\0", 28}, "no text: a NUL at byte 27");
    refused("<|endoftext|>\n<|endoftext|>", "no story in its 27 bytes");
}

TEST_CASE("a dense model worse than guessing is said, by every command that has it") {
    const desk d;
    bytes file; // another model's tokenizer: as many tokens, in another order
    file.add(std::int32_t{6});
    const auto entry = [&](const std::string& piece, float score) {
        file.add(score).add(static_cast<std::int32_t>(piece.size())).add_text(piece);
    };
    for (const char* special : {"<unk>", "\n<s>\n", "</s>"}) {
        entry(special, 0);
    }
    for (int byte = 0; byte < 256; ++byte) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
        entry(name, 0);
    }
    for (std::size_t i = pieces().size(); i > 0; --i) {
        entry(pieces()[i - 1], static_cast<float>(i) - 100);
    }
    // A model so sure of itself that chance would do better.
    bytes loud = make_checkpoint();
    for (std::size_t at = 7 * 4; at < 7 * 4 + 290 * 16 * 4; at += 4) {
        float weight;
        std::memcpy(&weight, loud.data.data() + at, 4);
        weight *= 10;
        std::memcpy(loud.data.data() + at, &weight, 4);
    }
    put(d.folder / "loud.bin", loud.text());
    put(d.folder / "other.bin", file.text());
    for (const std::string command :
         {"", "critical --values 0.9 --sites up", "calibrate", "cett-ppl", "compare --at 0.5",
          "precision --sites up", "neurons --contexts 1 --show 1"}) {
        const noted n = run_noted(d,
                                  "--checkpoint loud.bin --tokenizer other.bin --text text.txt " + command +
                                      (command.empty() ? one_row : ""),
                                  true);
        REQUIRE(n.notes.size() == 1);
        CHECK(has(n.notes[0], "loud.bin on text.txt: the dense model's PPL is "));
        CHECK(has(n.notes[0], "more than its vocabulary's 290: worse than guessing evenly"));
    }
}

TEST_CASE("a long text is cut with a word on it, or read in windows, each prediction once") {
    const desk d;
    put(d.folder / "odd.txt", repeated("xyz ", 100)); // BOS, a space, 400 bytes less the last
    const auto tokens = [&](const std::string& options) {
        const noted n = run_noted(d, with_odd + one_row + options);
        CHECK(any_has(n.notes, "odd.txt: 1 of 1 story is longer than the model's context of 64 tokens") ==
              options.empty());
        return fields_of(d.table("results.csv").at(1)).at(3);
    };
    CHECK(tokens("") == "63");
    CHECK(has(d.file("report.md"), "64 of their 401 tokens"));
    CHECK(tokens("--windows disjoint") == "400");
    CHECK(has(d.file("report.md"), "1 stories, 7 windows, 400 next-token predictions"));
    CHECK(tokens("--windows 63") == "400");
    CHECK(tokens("--windows 1") == "400");
    CHECK(tokens("--windows 32") == "400");
    for (const char* command :
         {"critical --values 0.9 --sites up", "calibrate", "cett-ppl", "compare --at 0.5",
          "precision --sites up", "neurons --contexts 1 --show 1"}) {
        run_noted(d, with_odd + "--windows 40 " + command);
        CHECK(has(d.file("report.md"), "400 next-token predictions"));
    }
    run_noted(d, little_model + "calibrate --windows 40 --check-text odd.txt");
    CHECK(fields_of(d.table("effect.csv").at(2)).at(1) == "400");
    const noted cut = run_noted(d, little_model + "calibrate --check-text odd.txt");
    CHECK(any_has(cut.notes, "odd.txt: 1 of 1 story is longer"));
}

TEST_CASE("contexts in windows are at their places in the story") {
    const desk d;
    std::string letters;
    std::mt19937 random{3};
    for (int i = 0; i < 400; ++i) {
        letters += static_cast<char>('f' + random() % 20);
    }
    put(d.folder / "odd.txt", letters);
    run_noted(d, with_odd + "--windows 40 neurons --contexts 3 --show 1");
    std::size_t furthest = 0;
    const auto report = nlohmann::json::parse(d.file("report.json"));
    for (const auto& c : report.at("contexts")) {
        CHECK(c.at("story") == 0);
        furthest = std::max(furthest, c.at("position").get<std::size_t>());
    }
    CHECK(furthest > 64);
    CHECK(furthest < 460);
}

TEST_CASE("strides and their words") {
    const desk d;
    for (const std::string wrong : {"''", "0", "-1", "nan", "1.5", "x", "99999999999", "'disjoint '"}) {
        d.refused(to_out + "--windows " + wrong, "--windows");
    }
    d.refused(to_out + "--windows 64", "--windows 64: a stride from 1 to 63 is needed");
}

TEST_CASE("a text from standard input") {
    const desk d;
    d.good(to_out + one_row);
    const std::string expected = d.file("results.csv");
    std::filesystem::remove_all(d.folder / "out");
    d.good("--checkpoint m.bin --tokenizer t.bin --out out --text - " + one_row + "<text.txt");
    CHECK(d.file("results.csv") == expected);
    CHECK(has(d.file("report.md"), "Text: standard input, 3 stories"));
    std::filesystem::remove_all(d.folder / "out");
    d.refused("--checkpoint m.bin --tokenizer t.bin --out out --text - </dev/null",
              "standard input: no story");
    d.good(
        "--checkpoint m.bin --tokenizer t.bin --text - calibrate --stories :1 --check-stories 1: <text.txt");
    put(d.folder / "other.txt", "the hat and the bed\n");
    d.good("--checkpoint m.bin --tokenizer t.bin --text text.txt calibrate --check-text - <other.txt");
}

TEST_CASE("stories that chose are left out where it is checked, and refused where none is left") {
    const desk d;
    put_story_text(d);
    put(d.folder / "copy.txt", content(d.folder / "text.txt"));
    for (const auto& tried : {std::pair<std::string, std::string>{"calibrate", "effect.csv"},
                              {"plan --percent 5 --probe-tokens 100", "plan.csv"}}) {
        const std::string &command = tried.first, &table = tried.second;
        CAPTURE(command);
        for (const char* same : {" --check-stories 1:", " --check-text copy.txt",
                                 " --stories 1:3 --check-stories :3 --check-text text.txt"}) {
            CAPTURE(same);
            const outcome o = d.run(little_model + command + same);
            const bool all = !has(same, ":3");
            CHECK(o.code == (all ? 2 : 0));
            CHECK(has(o.err, all ? "every story or window to check on was used"
                                 : "2 of the 3 stories or windows to check on were used"));
        }
        const noted both = run_noted(d, little_model + command + " --stories :2 --check-stories 1:3");
        CHECK(any_has(both.notes, "text.txt: 1 of the 2 stories or windows to check on were used"));
        const auto rows = d.table(table);
        run_noted(d, little_model + command + " --stories :2 --check-stories 2:3");
        CHECK(d.table(table) == rows);
    }
}

TEST_CASE("--version says it, before anything else") {
    const desk d;
    const std::string version = "tamis-study " + std::to_string(TAMIS_VERSION_MAJOR) + "." +
                                std::to_string(TAMIS_VERSION_MINOR) + "." +
                                std::to_string(TAMIS_VERSION_PATCH) + "\n";
    CHECK(d.good("--version") == version);
    CHECK(d.good("sweep --version") == version);
    CHECK(d.good(to_out + "--version") == version);
    CHECK(has(d.good("--help"), "--version"));
}

TEST_CASE("what a list has twice is used once, with a word") {
    const desk d;
    const noted n = run_noted(d, little_model + "--sites up,up --values 0.9,0.5,0.90");
    CHECK(n.notes == std::vector<std::string>{"--sites: up is given more than once and used once",
                                              "--values: 0.9 is given more than once and used once"});
    CHECK(d.table("results.csv").size() == 4);
    CHECK(run_noted(d, little_model + "compare --at 0.5,0.5").notes.size() == 1);
    CHECK(run_noted(d, little_model + "critical --sites up,up --values 0.9,0.5").notes.size() == 1);
    CHECK(run_noted(d, little_model + "precision --sites up,up").notes.size() == 1);
}

TEST_CASE("hostile values are refused with the option, the value and what is possible") {
    const desk d;
    for (const std::string option : {"--checkpoint", "--tokenizer", "--text", "--tasks", "--out"}) {
        d.refused("--checkpoint m.bin --tokenizer t.bin --text text.txt " + option + " ''", option);
    }
    d.refused("--text ''", "--text \"\": the name of a file is needed");
    d.refused("--out ''", "--out \"\": the name of a folder is needed");
    d.refused("laws --out '' --curve text.txt", "--out \"\"");
    d.refused(to_out + "laws --curve ''", "--curve \"\"");
    d.refused(to_out + "calibrate --check-text ''", "--check-text \"\"");
    d.refused(to_out + "--thresholds ''", "--thresholds \"\"");
    d.refused(to_out + "calibrate --check-stories 9:", "--check-stories 9:: the range is empty");
    for (const std::string bad : {"''", "nan", "inf", "1e999", "0x1", "1,5x", "' 1'", "--", "1e-400"}) {
        d.refused(to_out + "--values " + bad, "--values");
        d.refused(to_out + "cett-ppl --percent " + bad, "--percent");
        d.refused(to_out + "calibrate --target " + bad, "--target");
        d.refused(to_out + "precision --p " + bad, "--p");
        d.refused(to_out + "compare --at " + bad, "--at");
        d.refused(to_out + "neurons --value " + bad, "--value");
    }
    for (const std::string bad : {"''", "0", "-1", "nan", "1.0", "1x", "99999999999999999999", "1,2"}) {
        d.refused(to_out + "--threads " + bad, "--threads");
        d.refused(to_out + "--questions " + bad, "--questions");
        d.refused(to_out + "neurons --contexts " + bad, "--contexts");
        d.refused(to_out + "neurons --show " + bad, "--show");
    }
    d.refused(to_out + "--sites ''", "--sites: unknown site \"\"");
    d.refused(to_out + "--rule ''", "--rule: unknown rule \"\"");
    d.refused(to_out + "--layers ''", "--layers: unknown choice \"\"");
    d.refused(to_out + "--activation ''", "--activation: unknown activation \"\"");
    d.refused(to_out + "calibrate --method ''", "--method: unknown method \"\"");
    d.refused("--embedded '' --out out", "--embedded");
}
