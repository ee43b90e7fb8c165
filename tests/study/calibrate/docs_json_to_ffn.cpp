#include <tamis/study/calibrate/calibration_json.hpp>

#include "ffn/support.hpp"

#include <tamis/tamis.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

// The way from thresholds.json to an FFN in docs/study.md: its lines stand here, too, are compiled and run.

namespace {

template <class Weights>
int json_to_ffn(const std::string& text, const Weights& weights, std::size_t layer,
                const std::vector<float>& x, std::vector<float>& y) {
    // clang-format off
const auto read = tamis::study::read_calibration(text);
if (!read) { std::puts(read.error.c_str()); return 1; }
std::vector<float> norms(weights.neurons());
tamis::neuron_norms(weights.down, norms);
const auto policy = tamis::at_intermediate(
    tamis::study::selector_at(*read.value, layer, tamis::site::intermediate, norms));
const auto packed = tamis::pack(weights, policy);
const tamis::glu_ffn ffn{packed.view(), tamis::silu{}, policy};
tamis::owned_workspace memory{ffn.workspace_bytes()};
ffn(x, y, tamis::tokens_at_a_time{1, memory});
    // clang-format on
    return 0;
}

std::string text_beside_this_file(const char* name) {
    std::ifstream file{std::filesystem::path{__FILE__}.parent_path() / name};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

TEST_CASE("docs/study.md: from a calibration to an FFN that skips") {
    const std::string docs = text_beside_this_file("../../../docs/study.md"),
                      here = text_beside_this_file("docs_json_to_ffn.cpp");
    const auto begin = docs.find("const auto read = tamis::study::read_calibration");
    REQUIRE(begin != std::string::npos);
    std::istringstream lines{docs.substr(begin, docs.find("```", begin) - begin)};
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        line = line.substr(0, line.find("  //"));
        line = line.substr(0, line.find_last_not_of(' ') + 1);
        CHECK_MESSAGE(here.find(line + "\n") != std::string::npos, line);
    }
    CHECK(count > 8);

    engine random{7};
    const std::size_t h = 8, d = 12;
    const auto gate = coarse_values(h * d, random), up = coarse_values(h * d, random),
               down = coarse_values(h * d, random);
    const auto x = coarse_values(h, random);
    const tamis::glu_weights weights{tamis::matrix<tamis::f32, tamis::neuron_major>{gate.data(), d, h},
                                     tamis::matrix<tamis::f32, tamis::neuron_major>{up.data(), d, h},
                                     tamis::matrix<tamis::f32, tamis::output_major>{down.data(), h, d}};
    tamis::study::calibration c{"m", "t", "cett", 0.2, 10, 1, {}};
    c.rules.push_back({0, tamis::site::intermediate, "cett", 0.0f});
    std::vector<float> y(h), dense(h);
    CHECK(json_to_ffn(tamis::study::to_text(c), weights, 0, x, y) == 0);
    const tamis::glu_ffn all{weights, tamis::silu{}};
    tamis::owned_workspace memory{all.workspace_bytes()};
    all(x, dense, memory);
    for (std::size_t i = 0; i < h; ++i) {
        CHECK(y[i] == doctest::Approx(dense[i]));
    }
    CHECK(json_to_ffn("{", weights, 0, x, y) == 1);
}
