// The figures of a real model against those of an independent implementation: every row of
// reference/expected_stories260K.txt in the folder that TAMIS_SHARED names. Ends with 77, which ctest shows as
// skipped, when the data is not there.

#include "file.hpp"
#include "settings.hpp"
#include "sweep.hpp"
#include "text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>

namespace {

using namespace study;

constexpr double tolerance = 0.002, dense_nll_tolerance = 0.0005;

bool near(const char* what, double got, double expected, double most) {
    const bool good = std::abs(got - expected) <= most;
    std::printf("  %s %.5f expected %.5f%s", what, got, expected, good ? "" : " WRONG");
    return good;
}

int check_all(const std::filesystem::path& shared) {
    const file model{(shared / "models/stories260K.bin").string()},
        vocabulary{(shared / "models/tok512.bin").string()},
        text{(shared / "text/tinystories_first300.txt").string()},
        rows{(shared / "reference/expected_stories260K.txt").string()};
    subject s{"stories260K", "", load_checkpoint(model), activation::silu, {}, {}};
    const std::string whole = source(text).text();
    s.stories = encode_stories(split_stories(whole), tokenizer{vocabulary, s.model.config.vocab_size},
                               s.model.config.seq_len);

    bool good = true;
    int compared = 0;
    std::istringstream lines(source(rows).text());
    for (std::string row; std::getline(lines, row);) {
        if (row.empty() || row[0] == '#') {
            continue;
        }
        std::istringstream fields{row};
        std::string site, rule, value;
        double nll = 0, top1 = 0, sparsity = 0;
        if (!(fields >> site >> rule >> value >> nll >> top1 >> sparsity)) {
            std::printf("cannot be read: %s\n", row.c_str());
            return 1;
        }
        ffn_choice choice;
        if (site != "dense") {
            const auto rule_is = parse_name<rule_choice>(rule_names, rule, "the file", "rule");
            choice = ffn_setting{parse_sites(site).front(), rule_is, parse_values(value, rule_is).front()};
        }
        const auto got = measure(s, choice, std::max(1u, std::thread::hardware_concurrency()),
                                 [](std::size_t, std::size_t) {});
        std::printf("%s %s %s:", site.c_str(), rule.c_str(), value.c_str());
        good &= got.text.predictions == 120756;
        good &= near("nll", got.text.nll(), nll, choice ? tolerance : dense_nll_tolerance);
        good &= near("top1", got.text.top1(), top1, tolerance);
        good &= near("sparsity", got.counts.mask_sparsity(), sparsity, tolerance);
        std::printf("\n");
        std::fflush(stdout);
        ++compared;
    }
    std::printf("%d rows compared, %s\n", compared,
                good && compared > 0 ? "all within tolerance" : "NOT ALL WITHIN TOLERANCE");
    return good && compared > 0 ? 0 : 1;
}

} // namespace

int main() {
    const char* const shared = std::getenv("TAMIS_SHARED");
    if (shared == nullptr ||
        !std::filesystem::exists(std::filesystem::path{shared} / "reference/expected_stories260K.txt")) {
        std::printf("SKIPPED: TAMIS_SHARED names no folder with reference/expected_stories260K.txt\n");
        return 77;
    }
    try {
        return check_all(shared);
    } catch (const std::exception& e) {
        std::printf("%s\n", e.what());
        return 1;
    }
}
