// Writes the corpus anew: fuzz_seeds FOLDER. Files that libFuzzer found, and those that once failed, lie beside these.

#include "fuzz/target.hpp"
#include "program/support_study.hpp"

#include "measure/row_store.hpp"

#include <tamis/study/calibrate/calibration_json.hpp>
#include <tamis/study/meter/effective_rank.hpp>
#include <tamis/study/meter/frequency.hpp>
#include <tamis/study/meter/outliers.hpp>
#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/meter/stability.hpp>
#include <tamis/study/meter/top_contexts.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

std::filesystem::path folder;

void put(const std::string& name, char key, const study_test::bytes& b) {
    std::ofstream file{folder / name, std::ios::binary};
    file << key << b.text();
}
study_test::bytes text(const std::string& t) { return study_test::bytes{}.add_text(t); }

template <class Meter>
void put_words(const char* name, std::uint8_t which, Meter m, tamis::site where) {
    const std::vector<float> values{1.0f, -2.0f, 0.0f, 3.0f, 0.5f};
    tamis::mask mask{5};
    mask.set(1, true);
    mask.set(3, true);
    for (std::size_t token = 0; token < 3; ++token) {
        m(tamis::sighting{where, values, mask, true, token});
        mask.set(token, true);
    }
    study_test::bytes b;
    b.add(which);
    for (const std::uint64_t w : tamis::study::to_words(m)) {
        b.add(w);
    }
    put(name, 'w', b);
}

void put_masks() {
    int number = 0;
    for (const unsigned which : {0u, 1u, 2u, 3u, 4u, 0x80u, 0x81u, 0x82u, 0x83u, 0x84u}) {
        for (const unsigned copies : {0u, 5u}) {
            study_test::bytes b;
            b.add(static_cast<std::uint8_t>(which)).add(0.9).add(static_cast<std::uint16_t>(copies));
            std::mt19937 random{which};
            for (int i = 0; i < 20; ++i) {
                const double value = (static_cast<double>(random()) - 2e9) / 1e9;
                which < 0x80 ? b.add(static_cast<float>(value)) : b.add(value);
            }
            put("masks_" + std::to_string(number++), 'm', b);
        }
    }
}

void put_ffns() {
    std::mt19937 random{1};
    for (int i = 0; i < 24; ++i) {
        study_test::bytes b;
        for (int k = 0; k < 40; ++k) {
            b.add(static_cast<std::uint8_t>(random()));
        }
        put("ffns_" + std::to_string(i), 'f', b);
    }
}

void put_models() {
    using study_test::bytes;
    const auto small = study_test::make_checkpoint({4, 4, 1, 2, 1, 3, 2});
    const auto apart = study_test::make_checkpoint({4, 6, 2, 1, 1, -2, 2});
    put("checkpoint_shared", 'c', small);
    put("checkpoint_apart", 'c', apart);
    put("checkpoint_version_1", 'c', bytes{}.add(std::uint32_t{0x616b3432}).add(1));
    bytes vocabulary;
    vocabulary.add(std::uint16_t{35}).add_text(study_test::make_tokenizer().text());
    put("tokenizer", 't', vocabulary);
}

void put_texts() {
    put("tasks", 'q',
        text("a\tthe\t0\t cat\t and\na\tthe cat\t1\t on\t at\n# comment\nb\te\t0\t a\t b\t c\n"));
    put("text", 'p',
        text(std::string{"\x05\x00", 2} +
             "\xef\xbb\xbfOnce upon a time\r\nthere was \xc3\xa9 cat<|endoftext|>The end.\rBye <|endofte"));
    put("text_one_story", 'p', text(std::string{"\x02\x00", 2} + "the the the \x01 \xe2\x82\xac"));
    put("laws", 'l',
        text("model,tokens,activation_ratio,nll,cett\nReLU,1e9,0.1,2.5,0.2\nReLU,2e9,0.09,,\na,3e9,nan\n"));
    put("laws_checkpoints", 'l', text("file\tstep\ttokens\na.bin\t10\t1000\nb.bin\t20\t2e6\n"));
    const char* const settings[] = {"input,gate,all_inputs", "1,0.95,.5,1e-3", "12", "3:70", "0.5"};
    for (std::uint8_t i = 0; i < 5; ++i) {
        put("settings_" + std::to_string(i), 's', study_test::bytes{}.add(i).add_text(settings[i]));
    }
}

void put_settings_of_engines() {
    const char* const rules[] = {"top_p=0.9", "power(2):guarded(64):top_p=.5 & threshold=0.01 | top_k=3",
                                 "cett=.01", "grouped_norm(8):at_least(2):max_p=.25",
                                 "channel_thresholds & (top_k_fraction=.5 | nonzero)"};
    for (std::size_t i = 0; i < 5; ++i) {
        put("rule_" + std::to_string(i), 'x',
            text(std::string{"\x80", 1} + std::string{"\x00\x01", 2} + rules[i]));
    }
    put("sites", '@', text("top_p=0.95@input;top_p=0.9 & threshold=0.01@gate,intermediate"));
    put("sites_calibrated", '@', text("top_p=0.9@input,intermediate;top_k=32@gate;nonzero@up"));
    put("gating_0", 'g', text("clipped_swiglu(1.702,7)"));
    put("gating_1", 'g', text("sparse_gelu(.95,sample)"));
    for (std::uint8_t i = 0; i < 9;
         ++i) { // kind, outputs, inputs, bits, block, first, count, what tensors have
        const std::uint8_t bits[] = {2, 4, 8}, blocks[] = {16, 32, 128};
        study_test::bytes b;
        for (const int byte : {i % 3 * 2, 5, 70, int{bits[i % 3]}, int{blocks[i / 3]}, 1, 3}) {
            b.add(static_cast<std::uint8_t>(byte));
        }
        put("nbits_" + std::to_string(i), 'b', b.add_text("0123\x8f\x41 some more bytes \xff\xfe\x01"));
    }
}

void put_calibrations() {
    tamis::study::calibration c;
    c.model = "little";
    c.source = "text \"a\", hash 0123";
    c.kind = "quantile";
    c.target = 0.5;
    c.tokens = 1000;
    c.layers = 2;
    c.rules.push_back({0, tamis::site::gate, "threshold", 0.25, {}});
    c.rules.push_back({0, tamis::site::intermediate, "top_p", 0.95, {}});
    c.rules.push_back({1, tamis::site::intermediate, "top_p", 0.9, {}});
    c.rules.push_back({1, tamis::site::gate, "channel_thresholds", 0.5, {0.5f, 1.0f, 0.25f}});
    put("calibration", 'j', text(tamis::study::to_text(c)));
}

void put_rows() {
    const study_test::little_study little{app::activation::silu, 3};
    const std::filesystem::path path = folder / "rows";
    std::string rows;
    {
        const app::row_store store{path, "text=0123", false};
        for (const double p : {0.5, 0.25}) {
            const auto c = little.at("input", "top_p", p);
            store.add(app::row_store::label_of(c), little.run(c));
        }
        std::ifstream file{path, std::ios::binary};
        rows.assign(std::istreambuf_iterator<char>{file}, {});
    }
    put("rows", 'r', text(rows));
    put("rows_cut_off", 'r', text(rows.substr(0, rows.size() - 10)));
    put("rows_of_another", 'r', text("tamis-study rows 5 text=4567\n"));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("fuzz_seeds FOLDER\n", stderr);
        return 2;
    }
    folder = argv[1];
    std::filesystem::create_directories(folder);
    put_masks();
    put_ffns();
    put_models();
    put_texts();
    put_settings_of_engines();
    put_calibrations();
    put_rows();
    using namespace tamis::study;
    put_words("words_sparsity", 0, sparsity_meter{}, tamis::site::gate);
    put_words("words_frequency", 1, frequency_meter{tamis::site::gate}, tamis::site::gate);
    put_words("words_stability", 2, stability_meter{tamis::site::up}, tamis::site::up);
    put_words("words_outliers", 3, outliers_meter{}, tamis::site::input);
    put_words("words_effective_rank", 4, effective_rank_meter{tamis::site::up}, tamis::site::up);
    put_words("words_top_contexts", 5, top_contexts{5, 3, tamis::site::gate}, tamis::site::gate);
    return 0;
}
