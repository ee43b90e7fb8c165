// What a command leaves on a terminal: one screen, a headline in words, a table, the files; the rest is in the files.

#include "model/sha256.hpp"

#include "support_columns.hpp"
#include "support_desk.hpp"

#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

using namespace study_test;

namespace {

constexpr std::size_t screen_lines = 40, screen_width = 100;

void fits_a_screen(const std::string& out) {
    const auto lines = lines_of(out);
    CHECK_MESSAGE(lines.size() <= screen_lines, out);
    for (const std::string& line : lines) {
        std::size_t width = 0;
        for (const char c : line) {
            width += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1u : 0u;
        }
        CHECK_MESSAGE(width <= screen_width, line);
    }
}
/// The files that "Written to out: report.{md,json}, ..." names, its lines put together.
std::set<std::string> files_said(const std::string& out) {
    std::string list;
    bool inside = false;
    for (const std::string& line : lines_of(out)) {
        if (line.starts_with("Written to out: ")) {
            inside = true;
            list += line.substr(16);
        } else if (inside && !line.empty()) {
            list += " " + line;
        } else {
            inside = false;
        }
    }
    std::set<std::string> names;
    for (const std::string& one : parts_of(list, ", ")) {
        const std::size_t brace = one.find('{');
        if (brace == std::string::npos) {
            names.insert(one);
            continue;
        }
        for (const std::string& ending : parts_of(one.substr(brace + 1, one.size() - brace - 2), ",")) {
            names.insert(one.substr(0, brace) + ending);
        }
    }
    return names;
}

const std::vector<std::string> commands{"sweep --values paper --tasks tasks.tsv",
                                        "sweep --layers each",
                                        "critical --tasks tasks.tsv",
                                        "calibrate",
                                        "calibrate --method teal --stories 2: --check-stories 0:2",
                                        "calibrate --method cats",
                                        "cett-ppl",
                                        "compare --few",
                                        "precision",
                                        "neurons"};

} // namespace

TEST_CASE("every command ends in a screen that names every file there is") {
    const desk d;
    put_story_text(d);
    for (const std::string& command : commands) {
        CAPTURE(command);
        std::filesystem::remove_all(d.folder / "out");
        const outcome o = d.run(to_out + command);
        CHECK(o.code == 0);
        fits_a_screen(o.out);
        CHECK(lines_of(o.out).size() >= 5);
        const auto said = files_said(o.out);
        std::set<std::string> there;
        for (const auto& entry : std::filesystem::directory_iterator{d.folder / "out"}) {
            there.insert(entry.path().filename().string());
        }
        CHECK(said == there);
        CHECK(there.contains("provenance.json"));
    }
    put_law_curve(d);
    fits_a_screen(d.good("--out laws laws --curve curve.csv"));
    d.good(to_out + "--values 0.9");
    fits_a_screen(d.good("--out out summary"));
}

TEST_CASE("two embedded models share a screen") {
    const desk d;
    for (const std::string command :
         {"critical --sites up --values 0.9 --out out", "calibrate --method teal", "cett-ppl",
          "compare --few --out out", "precision --sites input", "neurons --contexts 1", "laws"}) {
        CAPTURE(command);
        const outcome o = d.run(command + " --stories 0:1 --questions 1");
        if (o.code == 2 && has(o.err, "built without embedded models")) {
            MESSAGE("skipped: this build has no embedded models");
            return;
        }
        CHECK_MESSAGE(o.code == 0, o.err);
        fits_a_screen(o.out);
    }
}

TEST_CASE("a headline says what was found, and the dense model's figures stand beside it") {
    const desk d;
    put_story_text(d);
    for (const std::string command :
         {"sweep --tasks tasks.tsv", "critical --tasks tasks.tsv", "compare --few --methods cett,top_k"}) {
        const std::string out = d.good(little_model + command);
        CHECK_MESSAGE(has(out, "Dense: PPL "), out);
        CHECK(has(out, "top-1 "));
        CHECK(has(out, "--out DIR keeps all tables and pictures; --details prints all of it."));
    }
    const std::string out = d.good(little_model + "--sites up --values 0.99,0.5,0.1");
    CHECK(has(out, "up tolerates "));
    CHECK(has(out, ") at PPL-1%; bytes not read: "));
    CHECK(!has(out, "top_p  0.5")); // the sweep's rows are in the files
    const std::string all = d.good(little_model + "--sites up --values 0.99,0.5,0.1 --details");
    CHECK(has(all, "top_p  0.5"));
    CHECK(has(all, "2 layers, width 16"));
}

TEST_CASE("every file says how it was made") {
    const desk d;
    d.good(to_out + "--sites up --values 0.9 --stories 0:2 --tasks tasks.tsv");
    const auto sha = [&](const char* name) {
        const outcome o{std::system(("cd '" + d.folder.path().string() + "' && sha256sum " + name +
                                     " >sum.log 2>/dev/null")
                                        .c_str()),
                        content(d.folder / "sum.log"), ""};
        return o.code == 0 ? o.out.substr(0, 64) : std::string{};
    };
    const std::string provenance = d.file("provenance.json");
    for (const char* fact :
         {"--sites up --values 0.9 --stories 0:2", "\"stories\": \"0:2\"", "\"model\": \"m.bin\"",
          "\"date\": \"20", "\"program\": \"tamis-study ", "\"instruction_set\": ", "\"text\": \"text.txt\"",
          "\"questions\": \"a: 1, b: 1\""}) {
        CHECK_MESSAGE(has(provenance, fact), fact);
    }
    for (const char* name : {"m.bin", "t.bin", "text.txt", "tasks.tsv"}) {
        if (const std::string sum = sha(name); !sum.empty()) {
            CHECK_MESSAGE(has(provenance, sum), name);
            for (const char* file : {"report.json", "report.md", "critical.tex", "sweep.gp"}) {
                CHECK_MESSAGE(has(d.file(file), sum), file);
            }
            if (gnuplot_there()) {
                CHECK(has(d.file("sweep.svg"), sum));
            }
        }
    }
    CHECK(has(d.file("report.md"), "tamis-study --checkpoint m.bin"));
    CHECK(has(d.file("critical.tex"), "\\toprule"));
    CHECK(has(d.file("critical.tex"), "top\\_p"));
    if (d.exists("sweep.pdf")) {
        CHECK(d.file("sweep.pdf").starts_with("%PDF"));
        CHECK(d.file("sweep.pdf").ends_with("%%EOF\n"));
    }
}

TEST_CASE("SHA-256 as the standard's examples have it, over the ends of blocks") {
    const auto of = [](const std::string& text) { return app::sha256(std::as_bytes(std::span{text})); };
    CHECK(of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(of(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
