// tamis-study from outside: its options, its files, and how it refuses. Its sweep and other commands have files of their own.

#include "support_desk.hpp"

using namespace study_test;
namespace fs = std::filesystem;

TEST_CASE("without gnuplot a line says so, and the rest is there") {
    const desk d;
    fs::create_directory(d.folder / "bin"); // a PATH with nothing in it
    const std::string command = "cd '" + d.folder.path().string() +
                                "' && PATH=\"$PWD/bin\" '" TAMIS_STUDY_PROGRAM "' " + to_out +
                                "--sites up --values 0.9 >stdout.log 2>stderr.log";
    CHECK(std::system(command.c_str()) == 0);
    CHECK(has(content(d.folder / "stdout.log"), "gnuplot is missing"));
    CHECK(fs::exists(d.folder / "out/report.md"));
    CHECK(!fs::exists(d.folder / "out/sweep.svg"));
    CHECK(!has(content(d.folder / "out/report.md"), "sweep.svg"));
}

TEST_CASE("--stories takes a part of the text") {
    const desk d;
    CHECK(d.run(to_out + "--values 0.8 --sites up --stories 1:2").code == 0);
    CHECK(has(content(d.folder / "out/report.md"), "1 stories"));
}

TEST_CASE("help is no error, of the program and of each command") {
    const desk d;
    const std::string help = d.good("--help");
    CHECK(has(help, "--checkpoint"));
    CHECK(d.good("-h") == help);
    for (const std::string command : {"sweep", "critical", "calibrate", "cett-ppl", "compare", "precision",
                                      "laws", "neurons", "summary"}) {
        CHECK(has(help, "\n  " + command + " "));
        const std::string of_command = d.good(command + " --help");
        CHECK(of_command != help);
        CHECK(has(of_command, command));
        CHECK(d.good(to_out + command + " --help") == of_command);
    }
    CHECK(has(d.good("calibrate --help"), "--method"));
    CHECK(has(d.good("sweep --help"), "--resume"));
    CHECK(has(d.good("sweep --help"), "--thresholds"));
    CHECK(has(d.good("laws --help"), "--checkpoints"));
    CHECK(has(d.good("neurons --help"), "--contexts"));
    CHECK(has(d.good("precision --help"), "--p"));
    CHECK(!d.exists(""));
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
        CHECK(has(content(d.folder / (std::string{"out/"} + twin + "/tasks.csv")), "dense,,,"));
    }
}

TEST_CASE("wrong options are refused in one line") {
    const desk d;
    d.refused(to_out + "--sites input,down", "unknown site \"down\"");
    d.refused(to_out + "--rule top_q", "unknown rule \"top_q\"");
    d.refused(to_out + "--activation tanh", "unknown activation \"tanh\"");
    d.refused(to_out + "--values 1.5", "--values: 1.5 is outside the domain of top_p");
    d.refused(to_out + "--values 0.9,abc", "\"abc\" is no number");
    d.refused(to_out + "--values ''", "\"\" is no number");
    d.refused(to_out + "--values", "--values");
    d.refused(to_out + "--rule threshold --values -1", "outside the domain of threshold");
    d.refused(to_out + "--threads 0", "--threads \"0\"");
    d.refused(to_out + "--threads many", "--threads");
    d.refused(to_out + "--questions 0", "--questions \"0\"");
    d.refused(to_out + "--frobnicate", "--frobnicate");
    d.refused(to_out + "extra", "extra");
    d.refused("--checkpoint m.bin --out out", "--tokenizer is needed");
    d.refused("--checkpoint m.bin --tokenizer t.bin --out out", "--text is needed");
    d.refused("--tokenizer t.bin --out out", "--tokenizer needs --checkpoint");
    d.refused("--activation relu --out out", "--activation needs --checkpoint");
    for (const char* range : {"5:9", "2:2", "0:4", "x", "1:b"}) {
        d.refused(to_out + "--stories " + range, "(text.txt has 3 stories)");
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
    d.refused(to_out + "--tasks none", "none: no such file");
    d.refused(to_out + "--tasks text.txt", "text.txt: line 1");
}

TEST_CASE("a folder that cannot be written is refused before anything is measured") {
    const desk d;
    const std::string without = "--checkpoint m.bin --tokenizer t.bin --text text.txt --values 0.9 ";
    d.refused(without + "--out m.bin", "m.bin");
    d.refused(without + "--out m.bin/below", "m.bin/below");
    d.refused(without + "--out ''", "--out");
    d.refused(without + "--out /dev/null/x", "/dev/null/x");
}
