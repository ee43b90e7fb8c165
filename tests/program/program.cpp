// tamis-study from outside: what it writes, and how it refuses.

#include "support.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace study_test;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
void put(const fs::path& path, const std::string& text) { std::ofstream{path, std::ios::binary} << text; }

struct outcome {
    int code;
    std::string out, err;
};

/// A folder with a whole little study, and the program run in it.
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
    /// Refused: exit code 2, one line on stderr with `why` in it, nothing on stdout, no file.
    void refused(const std::string& arguments, const std::string& why) const {
        CAPTURE(arguments);
        const outcome o = run(arguments);
        CHECK(o.code == 2);
        CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
        CHECK_MESSAGE(has(o.err, why), o.err);
        CHECK(o.out.empty());
        CHECK(!fs::exists(folder / "out"));
    }

    temporary_folder folder;
};

const std::string model = "--checkpoint m.bin --tokenizer t.bin --text text.txt --out out ";

} // namespace

TEST_CASE("a sweep writes a table, a report and a picture or its script") {
    const desk d;
    const outcome o = d.run(model + "--sites input,up --values 0.9,0.99 --tasks tasks.tsv");
    CHECK(o.code == 0);
    CHECK(o.err.empty());
    CHECK(has(o.out, "critical sparsity"));
    const std::string csv = content(d.folder / "out/results.csv");
    CHECK(csv.starts_with("site,rule,value,tokens,nll,ppl,top1,mask_sparsity,bytes_skipped\ndense,-,-,"));
    CHECK(csv.find("\ninput,top_p,0.99,") < csv.find("\ninput,top_p,0.9,"));
    CHECK(csv.find("\ninput,top_p,0.9,") < csv.find("\nup,top_p,0.99,"));
    CHECK(has(content(d.folder / "out/tasks.csv"), "up,top_p,0.9,b,1,"));
    const std::string report = content(d.folder / "out/report.md");
    CHECK(has(report, "PPL-1%"));
    CHECK(has(report, "top-1 99%"));
    CHECK(has(report, "tasks averaged 99%"));
    CHECK(has(content(d.folder / "out/sweep.gp"), "multiplot"));
    const bool gnuplot = std::system("gnuplot --version >/dev/null 2>&1") == 0;
    CHECK(fs::exists(d.folder / "out/sweep.svg") == gnuplot);
    CHECK(has(o.out, "gnuplot is missing") == !gnuplot);
    if (gnuplot) {
        CHECK(has(content(d.folder / "out/sweep.svg"), "</svg>"));
    }
    for (const auto& entry : fs::directory_iterator{d.folder / "out"}) {
        CHECK(entry.path().extension() != ".part");
    }
}

TEST_CASE("without gnuplot a line says so, and the rest is there") {
    const desk d;
    fs::create_directory(d.folder / "bin"); // a PATH with nothing in it
    const std::string command = "cd '" + d.folder.path().string() +
                                "' && PATH=\"$PWD/bin\" '" TAMIS_STUDY_PROGRAM "' " + model +
                                "--sites up --values 0.9 >stdout.log 2>stderr.log";
    CHECK(std::system(command.c_str()) == 0);
    CHECK(has(content(d.folder / "stdout.log"), "gnuplot is missing"));
    CHECK(fs::exists(d.folder / "out/report.md"));
    CHECK(!fs::exists(d.folder / "out/sweep.svg"));
    CHECK(!has(content(d.folder / "out/report.md"), "sweep.svg"));
}

TEST_CASE("the command may be named, and the figures do not depend on threads") {
    const desk d;
    CHECK(d.run("sweep " + model + "--values 0.8 --threads 1").code == 0);
    const std::string one = content(d.folder / "out/results.csv");
    CHECK(d.run(model + "--values 0.8 --threads 3 sweep").code == 0);
    CHECK(content(d.folder / "out/results.csv") == one);
    CHECK(std::count(one.begin(), one.end(), '\n') == 7);
}

TEST_CASE("--stories takes a part of the text") {
    const desk d;
    CHECK(d.run(model + "--values 0.8 --sites up --stories 1:2").code == 0);
    CHECK(has(content(d.folder / "out/report.md"), "1 stories"));
}

TEST_CASE("help is no error") {
    const desk d;
    const outcome o = d.run("--help");
    CHECK(o.code == 0);
    CHECK(has(o.out, "--checkpoint"));
}

TEST_CASE("the embedded models are measured by default, if there are any") {
    const desk d;
    const outcome o = d.run("--stories 0:1 --questions 1 --sites intermediate --values 0.9 --out out");
    if (o.code == 2) {
        CHECK(has(o.err, "built without embedded models"));
        MESSAGE("skipped: this build has no embedded models");
        return;
    }
    CHECK(o.code == 0);
    for (const char* twin : {"swiglu", "reglu"}) {
        CHECK(has(content(d.folder / (std::string{"out/"} + twin + "/results.csv")),
                  "\nintermediate,top_p,0.9,"));
        CHECK(has(content(d.folder / (std::string{"out/"} + twin + "/tasks.csv")), "dense,-,-,"));
    }
}

TEST_CASE("wrong options are refused in one line") {
    const desk d;
    d.refused(model + "--sites input,down", "unknown site \"down\"");
    d.refused(model + "--rule top_q", "unknown rule \"top_q\"");
    d.refused(model + "--activation tanh", "unknown activation \"tanh\"");
    d.refused(model + "--values 1.5", "--values: 1.5 is outside the domain of top_p");
    d.refused(model + "--values 0.9,abc", "\"abc\" is no number");
    d.refused(model + "--values ''", "\"\" is no number");
    d.refused(model + "--values", "--values");
    d.refused(model + "--rule threshold --values -1", "outside the domain of threshold");
    d.refused(model + "--threads 0", "--threads \"0\"");
    d.refused(model + "--threads many", "--threads");
    d.refused(model + "--questions 0", "--questions \"0\"");
    d.refused(model + "--frobnicate", "--frobnicate");
    d.refused(model + "extra", "extra");
    d.refused("--checkpoint m.bin --out out", "--tokenizer is needed");
    d.refused("--checkpoint m.bin --tokenizer t.bin --out out", "--text is needed");
    d.refused("--tokenizer t.bin --out out", "--tokenizer needs --checkpoint");
    d.refused("--activation relu --out out", "--activation needs --checkpoint");
    for (const char* range : {"5:9", "2:2", "0:4", "x", "1:b"}) {
        d.refused(model + "--stories " + range, "(text.txt has 3 stories)");
    }
}

TEST_CASE("files that are missing, truncated or foreign are refused in one line") {
    const desk d;
    const auto with = [](const std::string& checkpoint, const std::string& tokenizer,
                         const std::string& text) {
        return "--checkpoint " + checkpoint + " --tokenizer " + tokenizer + " --text " + text + " --out out";
    };
    put(d.folder / "short.bin", make_checkpoint().text().substr(0, 1000));
    put(d.folder / "long.bin", make_checkpoint().text() + "x");
    put(d.folder / "empty", "");
    put(d.folder / "blank.txt", " \n<|endoftext|>\n");
    put(d.folder / "half.bin", make_tokenizer().text().substr(0, 700));
    for (const char* option : {"checkpoint", "tokenizer", "text"}) {
        const std::string which = option;
        d.refused(with(which == "checkpoint" ? "none" : "m.bin", which == "tokenizer" ? "none" : "t.bin",
                       which == "text" ? "none" : "text.txt"),
                  "none: no such file");
        d.refused(with(which == "checkpoint" ? "." : "m.bin", which == "tokenizer" ? "." : "t.bin",
                       which == "text" ? "." : "text.txt"),
                  "not a regular file");
    }
    d.refused(with("short.bin", "t.bin", "text.txt"), "short.bin: truncated");
    d.refused(with("long.bin", "t.bin", "text.txt"), "long.bin: trailing bytes");
    d.refused(with("empty", "t.bin", "text.txt"), "empty: truncated");
    d.refused(with("text.txt", "t.bin", "text.txt"), "text.txt: not a llama2.c v0 checkpoint");
    d.refused(with("m.bin", "half.bin", "text.txt"), "half.bin: truncated");
    d.refused(with("m.bin", "m.bin", "text.txt"), "m.bin: not a llama2.c tokenizer");
    d.refused(with("m.bin", "empty", "text.txt"), "empty: truncated");
    d.refused(with("m.bin", "t.bin", "empty"), "empty: no story");
    d.refused(with("m.bin", "t.bin", "blank.txt"), "blank.txt: no story");
    d.refused(model + "--tasks none", "none: no such file");
    d.refused(model + "--tasks text.txt", "text.txt: line 1");
}

TEST_CASE("a folder that cannot be written is refused before anything is measured") {
    const desk d;
    const std::string without = "--checkpoint m.bin --tokenizer t.bin --text text.txt --values 0.9 ";
    d.refused(without + "--out m.bin", "m.bin");
    d.refused(without + "--out m.bin/below", "m.bin/below");
    d.refused(without + "--out ''", "--out");
    d.refused(without + "--out /dev/null/x", "/dev/null/x");
}
