// Models that llama.cpp runs against the same models as tamis-study runs them by itself.

#include "support_gguf.hpp"

#include "input/subject.hpp"
#include "input/text.hpp"
#include "measure/measure.hpp"
#include "model/gguf.hpp"
#include "settings.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {

using study_test::gguf_options;

/// Widths that ggml's kernels take.
study_test::header gguf_header() {
    study_test::header h;
    h.dim = 64;
    h.hidden_dim = 96;
    h.seq_len = 64;
    return h;
}
/// A checkpoint whose logits are tame, and the same as GGUF.
struct gguf_twins {
    study_test::temporary_folder folder;
    study_test::bytes file = study_test::make_checkpoint(gguf_header()),
                      vocabulary = study_test::make_tokenizer();
    app::subject own;
    mutable int written = 0; ///< a file that a model is a view of stays as it is

    gguf_twins() {
        for (std::size_t at = 28; at < file.data.size();
             at += sizeof(float)) { // norms are numbers like all others
            float v;
            std::memcpy(&v, file.data.data() + at, sizeof v);
            v *= 0.4f;
            std::memcpy(file.data.data() + at, &v, sizeof v);
        }
        own = {"own", "", app::load_checkpoint(file.as("m")), app::activation::silu, {}, {}, "", ""};
        own.stories = app::encode_stories(texts(), app::tokenizer{vocabulary.as("t"), 290}, 64);
    }
    static std::vector<std::string_view> texts() {
        return {"the cat and the cat on the cat", "a cat on the cat at that", "and the doodee hand"};
    }
    std::string write(const gguf_options& o = {}, std::size_t left_out = 0) const {
        const std::string path = (folder.path() / ("model" + std::to_string(++written) + ".gguf")).string();
        const auto all = study_test::make_gguf(file.as("m"), vocabulary.as("t"), o);
        std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(all.data.data()),
                                                    static_cast<std::streamsize>(all.data.size() - left_out));
        return path;
    }
    app::subject foreign(const std::string& path) const {
        app::remarks notes;
        const auto engine = app::load_gguf(path, 64, notes);
        app::subject s{"foreign", "", {}, engine->sigma(), {}, {}, "", ""};
        s.model.config = engine->config();
        s.model.layers.resize(s.model.config.n_layers);
        s.model.runs_in = engine;
        s.stories = app::encode_stories(texts(), app::tokenizer{engine->tokens()}, 64);
        return s;
    }
};
std::vector<app::condition> gguf_conditions(std::size_t layers) {
    std::vector<app::condition> all{app::dense(layers)};
    const std::string name = "top_k";
    const app::rule_family& rule = app::parse_rule(name);
    for (const char* site : {"input", "gate", "up", "intermediate", "all_inputs"}) {
        all.push_back(app::masked(layers, app::parse_sites(site).front(), rule, {0.5, "0.5"}));
    }
    return all;
}
std::vector<app::measurement> gguf_rows(const app::subject& s, std::size_t threads = 1) {
    return app::measure(s, gguf_conditions(s.layers()), threads, [](std::size_t, std::size_t) {});
}
std::string gguf_error(const gguf_twins& twins, const std::string& path) {
    return study_test::error_of([&] { (void)twins.foreign(path); });
}

TEST_CASE("llama.cpp and tamis-study agree on a model: tokens, loss and masks at every site") {
    const gguf_twins twins;
    const app::subject there = twins.foreign(twins.write());
    REQUIRE(there.stories.size() == twins.own.stories.size());
    for (std::size_t i = 0; i < there.stories.size(); ++i) {
        CHECK(std::vector<app::token>(there.stories[i]) == std::vector<app::token>(twins.own.stories[i]));
    }
    CHECK(there.sigma == app::activation::silu);
    CHECK(there.model.config.hidden_dim == 96);
    const auto ours = gguf_rows(twins.own), theirs = gguf_rows(there), threads = gguf_rows(there, 2);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        CAPTURE(i);
        CHECK(std::abs(ours[i].text.nll() - theirs[i].text.nll()) < 0.02); // halves in the attention's cache
        CHECK(std::abs(ours[i].masks.mask_sparsity() - theirs[i].masks.mask_sparsity()) < 1e-3);
        CHECK(std::abs(ours[i].masks.bytes_skipped() - theirs[i].masks.bytes_skipped()) < 1e-3);
        CHECK(theirs[i].text.nll() == threads[i].text.nll()); // no figure depends on threads
        CHECK((i == 0 || theirs[i].text.nll() != theirs[0].text.nll()));
    }
    for (const auto which :
         {app::engine::weights::gate, app::engine::weights::up, app::engine::weights::down}) {
        const auto& l = twins.own.model.layers[1];
        const auto expected = which == app::engine::weights::gate ? l.w_gate
                              : which == app::engine::weights::up ? l.w_up
                                                                  : l.w_down;
        const auto got = there.model.runs_in->floats(1, which);
        CHECK(std::equal(expected.begin(), expected.end(), got.begin(), got.end()));
    }
}

TEST_CASE("experts that are all the same FFN make the same model, and every expert's row counts") {
    const gguf_twins twins;
    gguf_options four;
    four.experts = 4;
    four.experts_used = 2;
    const app::subject one = twins.foreign(twins.write()), mixed = twins.foreign(twins.write(four));
    CHECK(mixed.model.runs_in->experts_used() == 2);
    const auto rows = gguf_rows(one), of_experts = gguf_rows(mixed);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(i);
        CHECK(std::abs(rows[i].text.nll() - of_experts[i].text.nll()) < 1e-3);
        CHECK(std::abs(rows[i].masks.mask_sparsity() - of_experts[i].masks.mask_sparsity()) < 1e-3);
        CHECK(of_experts[i].masks.totals().entries == 2 * rows[i].masks.totals().entries);
    }
    CHECK(study_test::has(study_test::error_of(
                              [&] { (void)mixed.model.runs_in->floats(0, app::engine::weights::down); }),
                          "mixture of experts"));
}

TEST_CASE("files that are no model of gated FFNs are refused with a sentence") {
    const gguf_twins twins;
    CHECK(study_test::has(gguf_error(twins, twins.write({}, 5000)), "llama.cpp does not load it"));
    gguf_options other;
    other.architecture = "no_such_model";
    CHECK(study_test::has(gguf_error(twins, twins.write(other)), "no_such_model"));
    CHECK(study_test::has(gguf_error(twins, (twins.folder.path() / "none").string()), "does not load"));
    app::remarks notes;
    CHECK(study_test::has(study_test::error_of([&] { (void)app::load_gguf(twins.write(), 65, notes); }),
                          "--context 65: the model's is 64"));
}

TEST_CASE("a text is cut as llama.cpp's perplexity tool cuts it") {
    const gguf_twins twins;
    const app::subject s = twins.foreign(twins.write());
    const app::tokenizer tokens{s.model.runs_in->tokens()};
    std::string text;
    for (int i = 0; i < 60; ++i) {
        text += "the cat and on ";
    }
    app::remarks notes;
    const auto whole = s.model.runs_in->tokens().encode(text, false);
    const auto cut = app::encode_text(text, "t", nullptr, "--stories", tokens, 32, {}, notes);
    REQUIRE(cut.windows.size() == whole.size() / 32);
    for (std::size_t k = 0; k < cut.windows.size(); ++k) {
        CHECK(cut.windows[k].front() == 1);
        CHECK(std::equal(cut.windows[k].begin() + 1, cut.windows[k].end(),
                         whole.begin() + static_cast<std::ptrdiff_t>(32 * k + 1)));
        CHECK(cut.windows[k].predictions() == 31);
    }
    CHECK(study_test::has(notes.all().front(), "tokens left over"));
    const std::string range = "1:3";
    CHECK(app::encode_text(text, "t", &range, "--stories", tokens, 32, {}, notes).windows.size() == 2);
    CHECK(study_test::has(study_test::error_of([&] {
                              (void)app::encode_text("the cat", "t", nullptr, "--stories", tokens, 32, {},
                                                     notes);
                          }),
                          "too short: "));
}

} // namespace
