#include "measure/curves.hpp"
#include "measure/observe.hpp"
#include "measure/precision.hpp"
#include "measure/scores.hpp"

#include "measure/predictions.hpp"
#include "support_study.hpp"
#include "support_weights.hpp"

#include <tamis/study/meter/frequency.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

// Figures that lost a term: none is the figure of what is left.

using namespace study_test;

namespace {

constexpr float inf_weight = std::numeric_limits<float>::infinity(), nan_weight = app::study::not_a_float;

std::string weight_refusal(const bytes& file) {
    return error_of([&] { app::load_checkpoint(file.as("m.bin")); });
}

/// The little study with another model.
app::subject study_with_model(const little_study& little, const bytes& file) {
    app::subject s = little.s;
    s.model = app::load_checkpoint(file.as("m"));
    return s;
}

/// Logits for a story of so many tokens and a vocabulary of four: the second token is the likeliest everywhere.
app::matrix logits_of_four(Eigen::Index tokens) {
    app::matrix logits(tokens, 4);
    logits.setZero();
    logits.col(1).setConstant(2);
    return logits;
}
app::text_score score_of_logits(const app::matrix& logits) {
    app::text_score sum;
    const std::vector<app::token> story(static_cast<std::size_t>(logits.rows()) + 1, 1);
    app::score_story(
        story, [&](auto) -> const app::matrix& { return logits; }, sum);
    return sum;
}

} // namespace

TEST_CASE("a weight that is not finite is refused, with its tensor, layer, index and file") {
    for (const auto& named : arrays_of_checkpoint()) { // clang 14 does not capture structured bindings
        const auto& array = named.first;
        for (const float wrong : {nan_weight, inf_weight, -inf_weight}) {
            for (const std::size_t layer : {std::size_t{0}, std::size_t{1}}) {
                const bool once = array == "embedding" || array == "rms_final" || array == "classifier";
                if (array == "rope" || (once && layer == 1)) {
                    continue;
                }
                CAPTURE(array);
                bytes file = make_checkpoint({.vocab_size = -290});
                set_weight(file, array, layer, 13, wrong);
                set_weight(file, array, layer, 15, wrong);
                const std::string why = weight_refusal(file);
                CHECK_MESSAGE(why.starts_with("m.bin: "), why);
                CHECK_MESSAGE(has(why, array), why);
                CHECK_MESSAGE(has(why, "at index 13"), why);
                CHECK_MESSAGE(has(why, "2 of its weights"), why);
                CHECK_MESSAGE(has(why, wrong == wrong ? "an infinite weight" : "a NaN"), why);
                CHECK_MESSAGE(once != has(why, "of layer " + std::to_string(layer)), why);
            }
        }
    }
    bytes file = make_checkpoint();
    set_weight(file, "rope", 0, 3, nan_weight); // is not read
    CHECK(weight_refusal(file).empty());
    set_weight(file, "w_up", 1, 35, nan_weight);
    set_weight(file, "w_down", 1, 41, inf_weight); // earlier in the file
    CHECK_MESSAGE(has(weight_refusal(file),
                      "w_down (w2) of layer 1 has an infinite weight at index 41 (row 1, column 1)"),
                  weight_refusal(file));
}

TEST_CASE("a prediction with a logit that is no number is no hit, and leaves no figure of the others") {
    const app::text_score good = score_of_logits(logits_of_four(5));
    CHECK(good.lost() == 0);
    CHECK(good.top1() == 1);
    CHECK(good.perplexity() == doctest::Approx(std::exp(good.nll())));
    for (const float wrong : {nan_weight, inf_weight, -inf_weight}) {
        for (const Eigen::Index column : {0, 1, 3}) { // beside the target, and at it
            app::matrix logits = logits_of_four(5);
            logits(2, column) = wrong;
            const app::text_score s = score_of_logits(logits);
            CHECK(s.lost() == 1);
            CHECK(s.predictions() == 5);
            CHECK(s.hits == 4);
            CHECK(tamis::is_nan(s.nll()));
            CHECK(tamis::is_nan(s.perplexity()));
            CHECK(tamis::is_nan(s.top1()));
            app::text_score merged = good;
            merged.merge(s);
            CHECK(merged.lost() == 1);
            CHECK(merged.predictions() == 10);
            CHECK(tamis::is_nan(merged.top1()));
        }
    }
    app::matrix far = logits_of_four(2); // finite logits whose difference is not
    far(0, 1) = -3e38f;
    far(0, 2) = 3e38f;
    CHECK(score_of_logits(far).lost() == 1);
    CHECK(tamis::is_nan(score_of_logits(far).nll()));
}

TEST_CASE("a question with a likelihood that is no number is lost, and leaves no accuracy") {
    const little_study little;
    const app::question& q = little.s.tasks[0].questions[0];
    const auto answered = [&](float wrong, std::size_t run) {
        app::task_score sum;
        app::matrix logits;
        std::size_t runs = 0;
        app::score_question(
            q,
            [&](std::span<const app::token> tokens) -> const app::matrix& {
                logits.setZero(static_cast<Eigen::Index>(tokens.size()), 290);
                if (runs++ == run) {
                    logits(logits.rows() - 1, 7) = wrong;
                }
                return logits;
            },
            sum);
        return sum;
    };
    CHECK(answered(0, 0).lost == 0);
    CHECK(answered(0, 0).accuracy() == 1); // the first of equals
    for (const float wrong : {nan_weight, inf_weight, -inf_weight}) {
        const app::task_score s = answered(wrong, 0);
        CHECK(s.lost == 1);
        CHECK(s.questions == 1);
        CHECK(s.right == 0);
        CHECK(tamis::is_nan(s.accuracy()));
        app::task_score merged = answered(0, 0);
        merged.merge(s);
        CHECK(tamis::is_nan(merged.accuracy()));
    }
}

TEST_CASE("finite weights that overflow, anywhere: all figures are NaN, and the place is said") {
    const little_study little;
    struct overflow {
        const char* array;
        float weight;
        const char* place;
    };
    for (const overflow& o :
         {overflow{"embedding", 3e38f, "attention"}, overflow{"rms_att", 3e38f, "attention"},
          overflow{"wq", 3e38f, "attention"}, overflow{"wv", 3e38f, "attention"},
          overflow{"wo", 3e38f, "attention"}, overflow{"rms_ffn", 3e38f, "input"},
          overflow{"w_gate", 3e38f, "gate"}, overflow{"w_up", 3e38f, "up"},
          overflow{"w_down", 3e38f, "behind the FFN"}, overflow{"rms_final", 3e38f, "logits"}}) {
        CAPTURE(o.array);
        bytes file = make_checkpoint();
        fill_weights(file, o.array, 0, o.weight);
        const app::subject s = study_with_model(little, file);
        const auto rows =
            app::measure(s, {little.dense(), little.at("intermediate", "top_p", 0.9)}, 1, ignore_progress);
        for (const auto& row : rows) {
            CHECK(row.text.lost() > 0);
            CHECK(row.text.predictions() == s.predictions());
            CHECK(tamis::is_nan(row.text.nll()));
            CHECK(tamis::is_nan(row.text.perplexity()));
            CHECK(tamis::is_nan(row.text.top1()));
            CHECK(tamis::is_nan(row.tasks[0].score.accuracy()));
            CHECK(row.masks.lost.values > 0);
            const std::string why = app::why_none(row, s.layers());
            CHECK_MESSAGE(has(why, o.place), why);
            CHECK_MESSAGE(has(why,
                              std::to_string(row.text.lost()) + " of " + std::to_string(s.predictions())),
                          why);
        }
        CHECK(tamis::is_nan(rows[1].masks.mask_sparsity()));
        CHECK(tamis::is_nan(rows[1].masks.mask_sparsity(0)));
        CHECK(tamis::is_nan(rows[1].masks.bytes_skipped()));
        for (const auto& c :
             app::curves_of(s, {little.dense(), little.at("intermediate", "top_p", 0.9)}, rows)) {
            CHECK(c.critical().undefined);
            CHECK(tamis::is_nan(c.critical().sparsity));
            CHECK_MESSAGE(has(c.why_undefined(), "lost"), c.why_undefined());
        }
    }
}

TEST_CASE("a token that overflows loses its own predictions and those that see it, no other") {
    const little_study little;
    const app::token bad = little.s.stories[3][little.s.stories[3].size() / 2];
    // With a classifier of its own, in which the token is like the others.
    bytes apart = make_checkpoint({.vocab_size = -290});
    set_weight(apart, "embedding", 0, static_cast<std::size_t>(bad) * 16, 1e30f); // its square is not finite
    const app::subject s = study_with_model(little, apart);
    std::uint64_t lost = 0;
    for (const auto& story : s.stories) {
        bool seen = false;
        for (std::size_t t = 0; t + 1 < story.size(); ++t) {
            seen = seen || story[t] == bad;
            lost += seen ? 1 : 0;
        }
    }
    REQUIRE(lost > 0);
    REQUIRE(lost < s.predictions());
    for (const std::size_t threads : {1u, 3u}) {
        const auto row = app::measure(s, {little.dense()}, threads, ignore_progress).front();
        CHECK(row.text.lost() == lost);
        CHECK(row.text.predictions() == s.predictions());
        CHECK(tamis::is_nan(row.text.nll()));
    }
    // The other predictions are those of the model without the token: nothing leaks to earlier tokens of a story.
    const bytes untouched = make_checkpoint({.vocab_size = -290});
    const app::subject plain = study_with_model(little, untouched);
    app::runner spoilt{s.model, s.sigma}, whole{plain.model, plain.sigma};
    app::study::no_hook nothing;
    for (const auto& story : s.stories) {
        const app::matrix a = spoilt.logits(story, nothing), b = whole.logits(story, nothing);
        for (std::size_t t = 0; t < story.size() && story[t] != bad; ++t) {
            const auto row = static_cast<Eigen::Index>(t);
            CHECK((a.row(row) - b.row(row)).cwiseAbs().maxCoeff() < 1e-4f);
        }
    }
}

TEST_CASE("what is observed of a model that overflows is an error that says where, unless it is asked for") {
    const little_study little;
    bytes file = make_checkpoint();
    fill_weights(file, "w_gate", 1, 3e38f);
    const app::subject s = study_with_model(little, file);
    const app::study::per_layer<app::study::frequency_meter> fresh{2, app::study::frequency_meter{
                                                                          tamis::site::gate}};
    const std::string why =
        error_of([&] { app::observe(s, s.stories, little.dense(), fresh, 1, ignore_progress); });
    CHECK_MESSAGE(has(why, "little: "), why);
    CHECK_MESSAGE(has(why, "in layer 1 at gate"), why);
    app::not_finite lost;
    app::observe(s, s.stories, little.dense(), fresh, 1, ignore_progress, &lost);
    CHECK(lost.values > 0);
    CHECK(lost.first / app::not_finite::places == 1);
}

TEST_CASE(
    "rounding that overflows is counted, and leaves a row without figures; rounding that saturates, with them") {
    const little_study little;
    bytes file = make_checkpoint();
    fill_weights(file, "w_up", 1,
                 40000.0f); // beyond f16's, e5m2's and e4m3's largest numbers, not beyond bf16's
    const app::subject s = study_with_model(little, file);
    const auto row_in = [&](const app::study::any_rounding& r) {
        return app::measure(s, {app::rounded_condition(little.dense(), r, {tamis::site::up})}, 2,
                            ignore_progress)
            .front();
    };
    for (const app::study::any_rounding& r :
         {app::study::any_rounding{app::study::to_f16{}}, app::study::any_rounding{app::study::to_e5m2{}}}) {
        CAPTURE(r.name);
        const auto row = row_in(r);
        CHECK(row.masks.rounding.overflowed > 0);
        CHECK(row.text.lost() > 0);
        CHECK(tamis::is_nan(row.text.nll()));
        CHECK(tamis::is_nan(row.text.top1()));
        const std::string why = app::why_none(row, s.layers());
        CHECK_MESSAGE(has(why, "rounding made " + std::to_string(row.masks.rounding.overflowed)), why);
        CHECK_MESSAGE(has(why, "in layer 1 at up"), why);
    }
    const auto cut = row_in(app::study::to_e4m3{});
    CHECK(cut.masks.rounding.saturated > 0);
    CHECK(cut.masks.rounding.overflowed == 0);
    CHECK(cut.text.lost() == 0);
    CHECK(!tamis::is_nan(cut.text.nll()));
    const auto fine = row_in(app::study::to_bf16{});
    CHECK(fine.masks.rounding.overflowed == 0);
    CHECK(fine.masks.rounding.saturated == 0);
    CHECK(!tamis::is_nan(fine.text.nll()));
    CHECK(fine.masks.rounding.values == s.predictions() * 40 * 2);
}

TEST_CASE("a ReLU model's NaN stays one: no activation makes a zero of it") {
    const little_study little{app::activation::relu};
    bytes file = make_checkpoint();
    for (std::size_t j = 0; j < 16; ++j) { // infinity less infinity in one neuron
        set_weight(file, "w_gate", 0, j, j % 2 == 0 ? 3e38f : -3e38f);
    }
    app::subject s = study_with_model(little, file);
    const auto row = app::measure(s, {little.dense()}, 1, ignore_progress).front();
    CHECK(row.text.lost() > 0);
    CHECK(tamis::is_nan(row.text.nll()));
}
