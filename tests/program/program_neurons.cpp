// tamis-study neurons and precision from outside.

#include "input/text.hpp"
#include "support_desk.hpp"
#include "support_json.hpp"

#include <string>
#include <string_view>
#include <vector>

using namespace study_test;

namespace {

/// JSON is UTF-8: to dump strictly what was read is to check it.
bool is_utf8(const std::string& text) {
    return json(text).dump(-1, ' ', false, json::error_handler_t::ignore) ==
           json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

TEST_CASE("neurons: every neuron's frequency, contribution and contexts") {
    const desk d;
    const std::string out = d.good(to_out + "neurons --value 0.8 --contexts 2 --show 3");
    CHECK(has(out, "Neurons of m.bin"));
    CHECK(has(out, "kept by top_p 0.8 at the intermediate"));
    const auto neurons = d.table("neurons.csv");
    REQUIRE(neurons.size() == 1 + 2 * 40);
    CHECK(neurons[0] == "layer,neuron,frequency,contribution,mean_magnitude,model,reason");
    CHECK(d.table("contexts.csv").size() == 1 + 2 * 40 * 2);
    CHECK(d.table("strongest.csv").size() == 1 + 2 * 3);
    const auto layers = d.table("layers.csv");
    REQUIRE(layers.size() == 3);
    double frequencies = 0;
    for (std::size_t i = 1; i <= 40; ++i) {
        frequencies += std::stod(fields_of(neurons[i])[2]);
    }
    CHECK(std::stod(fields_of(layers[1])[1]) == doctest::Approx(frequencies / 40).epsilon(1e-4));
    d.check_picture("frequency");
    d.check_nothing_half_written();

    // What is active is what a sweep does not drop.
    const json swept =
        parsed(d.good(little_model + "sweep --sites intermediate --values 0.8 --json")).at("layers");
    for (std::size_t l = 0; l < 2; ++l) {
        CHECK(swept[l].at("mask_sparsity").get<double>() ==
              doctest::Approx(1 - std::stod(fields_of(layers[l + 1])[1])).epsilon(1e-4));
    }
}

TEST_CASE("neurons: a context's brackets are around the token at its position in its story") {
    const desk d;
    const json contexts =
        parsed(d.good(little_model + "neurons --contexts 3 --stories 1: --json")).at("contexts");
    REQUIRE(contexts.size() == 2 * 40 * 3);
    const std::string text = content(d.folder / "text.txt");
    const app::tokenizer tokens{make_tokenizer().as("t"), 290};
    const std::vector<std::string_view> all = app::split_stories(text);
    const auto stories = app::encode_stories(std::vector(all.begin() + 1, all.end()), tokens, 64);
    for (const auto& c : contexts) {
        const auto& story = stories.at(c.at("story").get<std::size_t>());
        const auto at = c.at("position").get<std::size_t>();
        REQUIRE(at + 1 < story.size());
        std::string token = tokens.decode({story[at]});
        token = token.starts_with(' ') ? " [" + token.substr(1) + "]" : "[" + token + "]";
        std::string shown = token + tokens.decode({story[at + 1]});
        if (at <= 12) { // all that is before is shown, too
            shown = tokens.decode({story.begin(), story.begin() + static_cast<std::ptrdiff_t>(at)}) + shown;
            CHECK(c.at("context") == shown);
        } else {
            CHECK(c.at("context").get<std::string>().starts_with("..."));
            CHECK(c.at("context").get<std::string>().ends_with(shown));
        }
    }
}

TEST_CASE("neurons: figures do not depend on the threads") {
    const desk d;
    const std::string one = d.good(little_model + "neurons --json --rule top_k --value 0.5 --threads 1");
    CHECK(figures_of(d.good(little_model + "neurons --json --rule top_k --value 0.5 --threads 3")) ==
          figures_of(one));
    CHECK(parsed(one).at("layers")[0].at("mean_frequency").get<double>() >= 0.5);
}

TEST_CASE("neurons: characters that tokens tear apart leave files that are UTF-8") {
    const desk d;
    put(d.folder / "text.txt", "caf\xc3\xa9 na\xc3\xafve \xe2\x82\xac 5, \xf0\x9f\x90\x88 end\n");
    d.good(to_out + "neurons --contexts 9");
    for (const char* name : {"contexts.csv", "strongest.csv", "report.md"}) {
        CAPTURE(name);
        CHECK(is_utf8(d.file(name)));
    }
    CHECK(has(d.file("contexts.csv"), "[\xc3\xa9]")); // a token of its own stays whole
    CHECK(!is_utf8("\xc3"));                          // the test sees what it is to see
}

TEST_CASE("precision: each format at each site, with masks and without") {
    const desk d;
    const std::string out = d.good(to_out + "precision --sites input,intermediate --p 0.8");
    CHECK(has(out, "Precision of activations: m.bin"));
    const auto rows = d.table("precision.csv");
    REQUIRE(rows.size() == 1 + 2 * 5 * 3);
    CHECK(
        rows[0] ==
        "site,format,masks,jaccard,mask_sparsity,flushed,nll,ppl_ratio,overflowed,saturated,lost,ppl_over_float,"
        "same_as_unguarded,model,reason");
    for (const std::size_t first : {std::size_t{1}, std::size_t{16}}) { // float's own format
        const auto none = fields_of(rows[first]), plain = fields_of(rows[first + 1]),
                   guarded = fields_of(rows[first + 2]);
        CHECK(none[0] == (first == 1 ? "input" : "intermediate"));
        CHECK(none[1] == "f32");
        CHECK(none[2] == "none");
        CHECK(none[3].empty());
        CHECK(none[7] == "1.000000");
        CHECK(plain[2] == "top-p");
        CHECK(plain[3] == "1.000000");
        CHECK(plain[5] == "0.000000");
        CHECK(guarded[2] == "guarded top-p");
        CHECK(guarded[3] == "1.000000");
    }
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto fields = fields_of(rows[i]);
        CHECK(std::stod(fields[7]) > 0);
        if (fields[2] != "none") {
            CHECK(std::stod(fields[3]) > 0.5);
            CHECK(std::stod(fields[3]) <= 1);
        }
    }
    d.check_picture("precision_masks");
    d.check_picture("precision_ppl");
    d.check_nothing_half_written();

    // In float's own format it is the row of a sweep.
    const json swept =
        parsed(d.good(little_model + "sweep --sites input --values 0.8 --json")).at("results")[1];
    CHECK(swept.at("nll").get<double>() == std::stod(fields_of(rows[2])[6]));
    CHECK(swept.at("mask_sparsity").get<double>() == std::stod(fields_of(rows[2])[4]));
}

TEST_CASE("precision: figures do not depend on the threads, and JSON says null where there are no masks") {
    const desk d;
    const std::string one = d.good(little_model + "precision --sites gate --json --threads 1");
    CHECK(figures_of(d.good(little_model + "precision --sites gate --json --threads 3")) == figures_of(one));
    const json rows = parsed(one).at("precision");
    REQUIRE(rows.size() == 15);
    CHECK(rows[0].at("jaccard").is_null());
    CHECK(rows[1].at("jaccard") == 1.0);
}

TEST_CASE("wrong options of precision and neurons are refused in one line") {
    const desk d;
    d.refused(to_out + "precision --sites all_inputs", "--sites: one site at a time here, not all_inputs");
    d.refused(to_out + "precision --sites down", "unknown site \"down\"");
    d.refused(to_out + "precision --p 1.5", "--p: 1.5 is not within 0 .. 1");
    d.refused(to_out + "precision --p 0.9,0.8", "--p: \"0.9,0.8\" is no number");
    d.refused(to_out + "precision --p ''", "--p: \"\" is no number");
    d.refused(to_out + "precision --values 0.9", "--values: an option of sweep, not of precision");
    d.refused(to_out + "neurons --value 2", "--value: 2 is outside the domain of top_p");
    d.refused(to_out + "neurons --value 0.9,0.8", "--value: one value is needed, here are 2");
    d.refused(to_out + "neurons --value paper", "--value: one value is needed, here are 26");
    d.refused(to_out + "neurons --value x", "--value: \"x\" is no number");
    d.refused(to_out + "neurons --rule top_q", "unknown rule \"top_q\"");
    d.refused(to_out + "neurons --contexts 0", "--contexts \"0\"");
    d.refused(to_out + "neurons --contexts 1001", "--contexts \"1001\"");
    d.refused(to_out + "neurons --show many", "--show \"many\"");
    d.refused(to_out + "cett-ppl --percent 1,2", "--percent: \"1,2\" is no number");
    d.refused(to_out + "calibrate --target 0.1,0.2", "--target: \"0.1,0.2\" is no number");
}
