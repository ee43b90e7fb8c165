#include "measure/laws.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace study_test;

namespace {

std::vector<app::law_row> read(const std::string& text) {
    return app::read_law_rows(bytes{}.add_text(text).as("laws.csv"));
}
std::vector<app::checkpoint_row> read_checkpoints(const std::string& text) {
    return app::read_checkpoint_rows(bytes{}.add_text(text).as("all.tsv"));
}
const std::string head = "model,tokens,activation_ratio,nll,cett\n", tsv_head = "file\tstep\ttokens\n";

/// Points of a curve over billions of tokens, from half a million on.
template <class Curve>
std::vector<app::law_row> points_of(const Curve& curve, std::size_t count = 20) {
    std::vector<app::law_row> rows;
    for (std::size_t i = 0; i < count; ++i) {
        const double tokens = 5e5 * std::pow(2.0, static_cast<double>(i) / 2);
        rows.push_back({"m", tokens, curve(tokens / 1e9), 1, 0.1});
    }
    return rows;
}
double silu_curve(double d) { return 0.4 - 0.02 * std::pow(d, -0.3); }
double relu_curve(double d) { return std::exp(-3 * std::pow(d, 0.5) - 0.7) + 0.08; }

} // namespace

TEST_CASE("rows of laws: all fields, or the first three; empty and null are not said") {
    const auto rows =
        read(head + "a,1000000,0.25,2.5,0.1\r\n\n# a remark\nb,2e6,0.5\nc,3e6,1,,\nd,1,0,null,null");
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].model == "a");
    CHECK(rows[0].tokens == 1e6);
    CHECK(rows[0].activation_ratio == 0.25);
    CHECK(rows[0].nll == 2.5);
    CHECK(rows[0].cett == 0.1);
    for (std::size_t i = 1; i < 4; ++i) {
        CHECK(std::isnan(rows[i].nll));
        CHECK(std::isnan(rows[i].cett));
    }
    CHECK(rows[1].tokens == 2e6);
    CHECK(rows[3].activation_ratio == 0);
    CHECK(read(head).empty());
    CHECK(read("").empty());
}

TEST_CASE("wrong rows of laws are refused with their line") {
    const auto refusal = [](const std::string& line) {
        return error_of([&] { read(head + "a,1e6,0.5\n" + line + "\nb,1e6,0.5\n"); });
    };
    CHECK(refusal("a,1e6") == "laws.csv: line 3: 3 fields are needed, here are 2");
    CHECK(refusal("a,many,0.5") == "laws.csv: line 3: \"many\" is no number");
    CHECK(refusal("a,1e6,nan") == "laws.csv: line 3: \"nan\" is no number");
    CHECK(refusal("a,0,0.5") == "laws.csv: line 3: 0 is not within 1 .. 1e+18");
    CHECK(refusal("a,1e6,1.5") == "laws.csv: line 3: 1.5 is not within 0 .. 1");
    CHECK(refusal("a,1e6,25 %") == "laws.csv: line 3: \"25 %\" is no number");
    CHECK(has(refusal("a,1e6,0.5,-1"), "line 3: -1 is not within"));
    CHECK(has(refusal("a,1e6,0.5,1,7"), "line 3: 7 is not within"));
    CHECK(has(refusal("a,1e6,"), "line 3: \"\" is no number"));
}

TEST_CASE("rows of checkpoints are files and tokens; wrong ones are refused with their line") {
    const auto rows = read_checkpoints(tsv_head + "a b.bin\t10\t5000\nc.bin\t20\t10000\tmore\n");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].file == "a b.bin");
    CHECK(rows[0].tokens == 5000);
    CHECK(rows[1].file == "c.bin");
    const auto refusal = [](const std::string& text) { return error_of([&] { read_checkpoints(text); }); };
    CHECK(refusal("") == "all.tsv: no checkpoint in it");
    CHECK(refusal(tsv_head) == "all.tsv: no checkpoint in it");
    CHECK(refusal(tsv_head + "a.bin,1,2\n") == "all.tsv: line 2: 3 fields are needed, here are 1");
    CHECK(refusal(tsv_head + "a.bin\t1\tx\n") == "all.tsv: line 2: \"x\" is no number");
    CHECK(refusal(tsv_head + "a.bin\t1\t0\n") == "all.tsv: line 2: 0 is not within 1 .. 1e+18");
}

TEST_CASE("each law finds its own parameters again, and fits better than the other") {
    const auto check = [](const app::fitted_law& own, const app::fitted_law& other,
                          const std::vector<double>& parameters) {
        REQUIRE(own.values.size() == parameters.size());
        REQUIRE(own.errors.size() == parameters.size());
        REQUIRE(own.parameters.size() == parameters.size());
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            CAPTURE(own.parameters[i]);
            CHECK(own.values[i] == doctest::Approx(parameters[i]).epsilon(1e-4));
            CHECK(own.errors[i] < 1e-4);
        }
        CHECK(own.limit == own.values.back());
        CHECK(own.limit_error == own.errors.back());
        CHECK(own.parameters.back() == "A0");
        CHECK(own.rms < 1e-7);
        CHECK(own.r_squared == doctest::Approx(1));
        CHECK(own.determines_limit);
        CHECK(own.converged);
        CHECK(own.iterations > 0);
        CHECK(other.rms > 100 * own.rms);
    };
    const auto of_silu = app::fit_laws(points_of(silu_curve));
    REQUIRE(of_silu.size() == 2);
    CHECK(of_silu[0].name == "SiLU");
    CHECK(of_silu[1].name == "ReLU");
    check(of_silu[0], of_silu[1], {0.3, 0.02, 0.4});
    CHECK(of_silu[0].curve(1) == doctest::Approx(silu_curve(1)));

    const auto of_relu = app::fit_laws(points_of(relu_curve));
    check(of_relu[1], of_relu[0], {0.5, -0.7, 3, 0.08});
    CHECK(of_relu[1].curve(0.01) == doctest::Approx(relu_curve(0.01)));
}

TEST_CASE("points that are all the same determine nothing, and say so") {
    for (const auto& f : app::fit_laws(points_of([](double) { return 0.25; }, 6))) {
        CAPTURE(f.name);
        CHECK(f.rms < 1e-3);
        CHECK(f.curve(0.001) == doctest::Approx(0.25).epsilon(1e-2));
        CHECK(f.r_squared <= 1);
        CHECK(std::any_of(f.errors.begin(), f.errors.end(), [](double e) { return std::isinf(e); }));
    }
}

TEST_CASE("too few points are refused") {
    CHECK(error_of([] { app::fit_laws({}); }) ==
          "laws: 0 checkpoints are too few: the ReLU form has 4 parameters, so 6 are the least");
    CHECK(has(error_of([] { app::fit_laws(points_of(silu_curve, 5)); }), "laws: 5 checkpoints are too few"));
    CHECK(app::fit_laws(points_of(silu_curve, 6)).size() == 2);
}
