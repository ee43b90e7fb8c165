// tamis-study laws from outside: points of a file, of checkpoints, and of the embedded twins.

#include "support_desk.hpp"
#include "support_json.hpp"

#include <cmath>
#include <cstring>
#include <string>

using namespace study_test;

namespace {

/// 12 points of the ReLU law with A0 = 0.08.
std::string curve_file(int points = 12) {
    std::string text = "model,tokens,activation_ratio\n";
    for (int i = 0; i < points; ++i) {
        const double tokens = 1e6 * std::pow(2.0, i);
        text += app::line("m,", static_cast<std::uint64_t>(tokens), ',',
                          std::exp(-3 * std::pow(tokens / 1e9, 0.5) - 0.7) + 0.08, '\n');
    }
    return text;
}
/// The made-up model at another place of its training: weights of a smaller size.
std::string smaller_checkpoint() {
    std::string text = make_checkpoint().text();
    for (std::size_t at = 28; at < text.size(); at += 4) {
        float weight;
        std::memcpy(&weight, &text[at], 4);
        weight *= 0.8f;
        std::memcpy(&text[at], &weight, 4);
    }
    return text;
}
/// A table of so many checkpoints, the second model from the fourth on; returns its name.
std::string put_checkpoints(const desk& d, int count) {
    std::filesystem::create_directory(d.folder / "run");
    put(d.folder / "run/small.bin", smaller_checkpoint());
    std::string table = "file\tstep\ttokens\n";
    for (int i = 1; i <= count; ++i) {
        table += app::line(i < 4 ? "small.bin" : "../m.bin", '\t', i, '\t', 1000 * i, '\n');
    }
    put(d.folder / "run/all.tsv", table);
    return "run/all.tsv";
}

} // namespace

TEST_CASE("laws: a curve's own law is found again; its table can be read once more") {
    const desk d;
    put(d.folder / "curve.csv", curve_file());
    const std::string out = d.good("laws --curve curve.csv --out out");
    CHECK(has(out, "Scaling laws: curve.csv"));
    const auto points = d.table("laws.csv");
    REQUIRE(points.size() == 13);
    CHECK(points[0] == "model,tokens,activation_ratio,nll,cett,reason");
    CHECK(points[1].starts_with("m,1000000,"));
    CHECK(points[1].ends_with(",,,"));
    const auto fits = d.table("fits.csv");
    REQUIRE(fits.size() == 1 + 3 + 4);
    CHECK(fits[0] == "law,form,parameter,value,error,model,reason");
    const auto quality = d.table("quality.csv");
    REQUIRE(quality.size() == 3);
    CHECK(quality[2].starts_with("ReLU,"));
    CHECK(quality[2].ends_with(",true,determined,,"));
    CHECK(std::stod(fields_of(quality[2])[1]) == doctest::Approx(0.08).epsilon(0.01));
    CHECK(std::stod(fields_of(quality[2])[3]) < std::stod(fields_of(quality[1])[3])); // rms
    d.check_picture("laws");
    d.check_nothing_half_written();

    std::filesystem::copy_file(d.folder / "out/laws.csv", d.folder / "again.csv");
    const json again = parsed(d.good("laws --curve again.csv --json"));
    CHECK(again.at("quality")[1].at("limit").get<double>() ==
          doctest::Approx(std::stod(fields_of(quality[2])[1])).epsilon(1e-3));
    CHECK(again.at("laws")[0].at("nll").is_null());
    CHECK(has(d.good("laws --curve curve.csv --csv"), points[1]));
}

TEST_CASE("laws: what points do not determine is called so, not printed; errors are null in JSON") {
    const desk d;
    std::string flat = "model,tokens,activation_ratio\n";
    for (int i = 1; i <= 6; ++i) {
        flat += app::line("m,", 1000 * i, ",0.25\n");
    }
    put(d.folder / "flat.csv", flat);
    const std::string shown = d.good("laws --curve flat.csv --out out");
    CHECK(has(shown, "not determined"));
    CHECK(!has(shown, "inf"));
    CHECK(!has(d.file("report.md"), "inf"));
    for (const std::string& row : lines_of(shown)) { // no figure beside it
        if (row.starts_with("SiLU  -c / D^alpha + A0") && has(row, "not determined")) {
            CHECK(row.ends_with(" -"));
        }
    }
    for (const auto& row : d.table("quality.csv")) {
        CHECK(!has(row, ",true"));
        CHECK(row.ends_with(row.starts_with("law,") ? ",verdict,model,reason"
                                                    : ",failed,,")); // there is nothing to explain
    }
    const json found = parsed(d.file("report.json"));
    CHECK(found.at("quality").size() == 2);
    std::size_t unknown = 0;
    for (const auto& f : found.at("fits")) {
        unknown += f.at("error").is_null() ? 1 : 0;
    }
    CHECK(unknown > 0);
}

TEST_CASE("laws: checkpoints along a training, each at its CETT-PPL-1%") {
    const desk d;
    const std::string table = put_checkpoints(d, 6);
    d.good(to_out + "laws --checkpoints " + table);
    const auto points = d.table("laws.csv");
    REQUIRE(points.size() == 7);
    CHECK(points[4].starts_with("m,4000,"));
    for (const std::size_t i : {2u, 3u, 5u, 6u}) { // copies of one model
        auto fields = fields_of(points[i]), first = fields_of(points[i < 4 ? 1 : 4]);
        fields[1] = first[1];
        CHECK(fields == first);
    }
    // What cett-ppl says of each.
    for (const std::string model : {"run/small.bin", "m.bin"}) {
        const auto fields = fields_of(points[model == "m.bin" ? 4 : 1]);
        const json found = parsed(
            d.good("cett-ppl --json --tokenizer t.bin --text text.txt --checkpoint " + model))["cett_ppl"][0];
        CHECK(found.at("activation_ratio").get<double>() == std::stod(fields[2]));
        CHECK(found.at("cett").get<double>() == doctest::Approx(std::stod(fields[4])).epsilon(1e-5));
    }
    CHECK(fields_of(points[1])[3] != fields_of(points[4])[3]);
    CHECK(has(d.file("report.md"), "Text: text.txt"));
    d.check_picture("laws");
    d.check_nothing_half_written();
    CHECK(d.good(little_model + "laws --csv --threads 1 --checkpoints " + table) == d.file("laws.csv"));
}

TEST_CASE("laws: of the embedded twins, if there are any") {
    const desk d;
    const outcome o = d.run("laws --out out --stories 0:1");
    if (o.code == 2) {
        CHECK(has(o.err, "built without embedded models"));
        MESSAGE("skipped: this build has no embedded models");
        return;
    }
    CHECK(o.code == 0);
    for (const std::string twin : {"swiglu", "reglu"}) {
        const auto points = d.table(twin + "/laws.csv");
        CHECK(points.size() > 6);
        for (std::size_t i = 1; i < points.size(); ++i) {
            CHECK(points[i].starts_with(twin + ","));
        }
        CHECK(d.table(twin + "/quality.csv").size() == 3);
    }
    CHECK(parsed(d.good("laws --embedded reglu --stories 0:1 --json")).at("laws")[0].at("model") == "reglu");
}

TEST_CASE("laws: what is wrong is refused in one line, before anything is measured") {
    const desk d;
    put(d.folder / "few.csv", curve_file(5));
    put(d.folder / "bad.csv", curve_file() + "m,1,2\n");
    put(d.folder / "empty", "");
    d.refused("laws --out out --curve few.csv", "laws: 5 checkpoints are too few");
    d.refused("laws --out out --curve empty", "laws: 0 checkpoints are too few");
    d.refused("laws --out out --curve bad.csv", "bad.csv: line 14: 2 is not within 0 .. 1");
    d.refused("laws --out out --curve none", "none: no such file");
    const std::string table = put_checkpoints(d, 5), with = to_out + "laws --checkpoints ";
    d.refused(with + table, "laws: 5 checkpoints are too few");
    d.refused(with + table + " --curve few.csv", "--checkpoints and --curve: one of them at a time");
    d.refused("laws --out out --checkpoints " + table, "--checkpoints needs --checkpoint");
    d.refused(to_out + "laws", "--checkpoints is needed with --checkpoint");
    d.refused(with + "none", "none: no such file");
    d.refused(with + "empty", "empty: no checkpoint in it");
    put(d.folder / "run/all.tsv", content(d.folder / "run/all.tsv") + "gone.bin\t6\t6000\n");
    d.refused(with + table, "run/gone.bin: no such file");
    d.refused(to_out + "laws --at 0.5", "--at");
}
