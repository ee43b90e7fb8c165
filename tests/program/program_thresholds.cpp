// Thresholds that tamis-study calibrate or cett-ppl wrote, taken by its sweep.

#include "support_desk.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace study_test;

namespace {

/// Calibrates by the arguments; the thresholds are then in thresholds.json, and there is no folder out.
std::string calibrated(const desk& d, const std::string& arguments) {
    d.good(to_out + arguments);
    const std::string effect = d.file("effect.csv");
    std::filesystem::copy_file(d.folder / "out/thresholds.json", d.folder / "thresholds.json",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove_all(d.folder / "out");
    return effect;
}
double number_at(const std::vector<std::string>& table, std::size_t row, const std::string& column) {
    const auto names = fields_of(table.at(0));
    const auto at = std::find(names.begin(), names.end(), column) - names.begin();
    return std::stod(fields_of(table.at(row)).at(static_cast<std::size_t>(at)));
}
const std::string sweep = "sweep --sites intermediate,input --values 0.9,0.8 --thresholds thresholds.json ";
const std::string same_text = "chosen on this very text";

} // namespace

TEST_CASE("sweep: a calibration is a row of its own, with the figures that calibrate says") {
    const desk d;
    struct row {
        std::string arguments, begins;
    };
    for (const auto& method : {row{"calibrate --target 0.2", "intermediate,cett,0.2,"},
                               row{"calibrate --method cats --target 0.6", "gate,cats,0.6,"},
                               row{"calibrate --method teal --target 0.3", "input+intermediate,teal,0.3,"}}) {
        const std::string arguments = method.arguments; // clang 14 captures no structured binding
        CAPTURE(arguments);
        const auto effect = lines_of(calibrated(d, arguments));
        d.good(to_out + sweep, same_text);
        CHECK(has(d.file("report.md"), same_text));
        const auto rows = d.table("results.csv");
        REQUIRE(rows.size() == 2 + 2 * 2 + 1);
        CHECK(rows.back().starts_with(method.begins));
        const double ratio = number_at(rows, rows.size() - 1, "ppl") / number_at(rows, 1, "ppl");
        CHECK(ratio == doctest::Approx(number_at(effect, 1, "ppl_ratio")).epsilon(1e-4));
        for (const char* same : {"mask_sparsity", "bytes_skipped"}) {
            CHECK(number_at(rows, rows.size() - 1, same) == number_at(effect, 1, same));
        }
        d.check_nothing_half_written();

        // The other rows are those of a sweep without it.
        const std::string without =
            d.good(little_model + "sweep --sites intermediate,input --values 0.9,0.8 --csv");
        CHECK(d.file("results.csv") == without + rows.back() + "\n");
    }
}

TEST_CASE("sweep: takes what cett-ppl wrote") {
    const desk d;
    d.good(to_out + "cett-ppl --percent 5");
    const std::string ratio = fields_of(d.table("cett_ppl.csv").at(1)).at(2);
    std::filesystem::rename(d.folder / "out/thresholds.json", d.folder / "thresholds.json");
    d.good(to_out + sweep, same_text);
    const auto rows = d.table("results.csv");
    CHECK(rows.back().starts_with("intermediate,cett_ppl,0."));
    CHECK(number_at(rows, rows.size() - 1, "ppl") / number_at(rows, 1, "ppl") ==
          doctest::Approx(std::stod(ratio)).epsilon(1e-4));
}

TEST_CASE("sweep: thresholds that do not fit are refused before anything is measured") {
    const desk d;
    calibrated(d, "calibrate");
    d.refused(to_out + "sweep --thresholds none", "none: no such file");
    d.refused(to_out + "sweep --thresholds text.txt", "text.txt: ");
    d.refused(to_out + sweep + "--layers each", "--thresholds does not go with --layers each");
    d.refused(to_out + "critical --thresholds thresholds.json", "--thresholds");
    header three;
    three.n_layers = 3;
    put(d.folder / "m.bin", make_checkpoint(three).text());
    d.refused(to_out + sweep, "thresholds.json: a calibration of 2 layers; the model has 3");
}

TEST_CASE(
    "sweep: thresholds that were chosen on some of what is measured say so, those of other stories do not") {
    const desk d;
    calibrated(d, "calibrate --target 0.2 --stories 0:2");
    for (const char* some : {"", "--stories 1:3", "--stories 0:1"}) {
        d.good(to_out + sweep + some, "chosen on stories 0:2 of text.txt, of which some are measured here");
    }
    d.good(to_out + sweep + "--stories 0:2", same_text);
    d.good(to_out + sweep + "--stories 2:3");
    d.good(to_out + sweep + "--stories 2:");
}
