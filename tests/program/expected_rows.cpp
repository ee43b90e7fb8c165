// The figures of a real model against those of an independent implementation: every row of
// reference/expected_stories260K.txt in the folder that TAMIS_SHARED names. Ends with 77, which ctest shows as
// skipped, when the data is not there. With the argument gguf: of the same model as a GGUF file, run by llama.cpp.

#include "gguf/support_gguf.hpp"

#include "input/file.hpp"
#include "input/text.hpp"
#include "measure/measure.hpp"
#include "model/gguf.hpp"
#include "output/files.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace app;

/// llama.cpp keeps keys and values of attention as halves.
struct tolerances {
    double nll = 0.0001, top1 = 0.0001, sparsity = 0.0003;
};

bool near(const char* what, double got, double expected, double most) {
    const bool good = std::abs(got - expected) <= most;
    std::printf("  %s %.6f expected %.5f%s", what, got, expected, good ? "" : " WRONG");
    return good;
}

int check_all(const std::filesystem::path& shared, bool by_gguf) {
    const file model{(shared / "models/stories260K.bin").string()},
        vocabulary{(shared / "models/tok512.bin").string()},
        text{(shared / "text/tinystories_first300.txt").string()},
        rows{(shared / "reference/expected_stories260K.txt").string()};
    subject s{"stories260K", "", load_checkpoint(model), activation::silu, {}, {}, "", ""};
    const std::string whole = source(text).text();
    const tolerances most = by_gguf ? tolerances{0.01, 0.003, 0.002} : tolerances{};
    study_test::temporary_folder folder;
    if (by_gguf) {
        const std::string path = (folder.path() / "stories260K.gguf").string();
        write_file(path, study_test::make_gguf(model, vocabulary).text());
        remarks notes;
        const auto engine = load_gguf(path, s.model.config.seq_len, notes);
        s.model = {};
        s.model.config = engine->config();
        s.model.layers.resize(s.model.config.n_layers);
        s.model.runs_in = engine;
        s.stories = encode_stories(split_stories(whole), tokenizer{engine->tokens()}, s.model.config.seq_len);
    } else {
        s.stories = encode_stories(split_stories(whole), tokenizer{vocabulary, s.model.config.vocab_size},
                                   s.model.config.seq_len);
    }

    struct expected {
        std::string site, rule, value;
        double nll = 0, top1 = 0, sparsity = 0;
    };
    std::vector<expected> all;
    std::vector<condition> conditions;
    std::istringstream lines(source(rows).text());
    for (std::string row; std::getline(lines, row);) {
        if (row.empty() || row[0] == '#') {
            continue;
        }
        std::istringstream fields{row};
        expected e;
        if (!(fields >> e.site >> e.rule >> e.value >> e.nll >> e.top1 >> e.sparsity)) {
            std::printf("cannot be read: %s\n", row.c_str());
            return 1;
        }
        if (e.site == "dense") {
            conditions.push_back(dense(s.layers()));
        } else {
            const rule_family& rule = parse_rule(e.rule);
            conditions.push_back(
                masked(s.layers(), parse_sites(e.site).front(), rule, parse_values(e.value, rule).front()));
        }
        all.push_back(e);
    }

    bool good = true;
    measure(
        s, conditions, std::max(1u, std::thread::hardware_concurrency()), [](std::size_t, std::size_t) {},
        [&](std::size_t row, const measurement& got) {
            const expected& e = all[row];
            std::printf("%s %s %s:", e.site.c_str(), e.rule.c_str(), e.value.c_str());
            good &= got.text.predictions() == 120756;
            good &= near("nll", got.text.nll(), e.nll, most.nll);
            good &= near("top1", got.text.top1(), e.top1, most.top1);
            good &= near("sparsity", got.masks.mask_sparsity(), e.sparsity, most.sparsity);
            std::printf("\n");
            std::fflush(stdout);
        });
    good = good && all.size() == 9;
    std::printf("%zu rows compared, %s\n", all.size(),
                good ? "all within tolerance" : "NOT ALL WITHIN TOLERANCE");
    return good ? 0 : 1;
}

} // namespace

int main(int count, char** arguments) {
    const char* const shared = std::getenv("TAMIS_SHARED");
    if (shared == nullptr ||
        !std::filesystem::exists(std::filesystem::path{shared} / "reference/expected_stories260K.txt")) {
        std::printf("SKIPPED: TAMIS_SHARED names no folder with reference/expected_stories260K.txt\n");
        return 77;
    }
    try {
        return check_all(shared, count > 1 && std::string{arguments[1]} == "gguf");
    } catch (const std::exception& e) {
        std::printf("%s\n", e.what());
        return 1;
    }
}
