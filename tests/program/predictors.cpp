#include "measure/predictors.hpp"

#include "measure/observe.hpp"
#include "support_study.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <vector>

using namespace study_test;
using tamis::site;

namespace {

/// What sign bits say, counted sign by sign, and how many gates are above zero.
struct plain_signs {
    const app::checkpoint* model;
    double alpha;
    std::size_t predicted = 0, active = 0, both = 0;
    std::vector<std::vector<bool>>
        kept{}; ///< of the block's tokens: all of them come to a site before the next one

    void operator()(std::size_t layer, const tamis::sighting& s) {
        if (s.where == site::input) {
            kept.resize(std::max(kept.size(), s.token + 1));
            kept[s.token].assign(40, false);
            for (std::size_t i = 0; i < 40; ++i) {
                std::size_t negative = 0;
                for (std::size_t j = 0; j < 16; ++j) {
                    const float w = model->layers[layer].w_gate[i * 16 + j];
                    negative += (std::bit_cast<std::uint32_t>(w) >> 31) !=
                                (std::bit_cast<std::uint32_t>(s.values[j]) >> 31);
                }
                kept[s.token][i] =
                    static_cast<double>(negative) <= alpha * static_cast<double>(16 - negative);
                predicted += kept[s.token][i] ? 1 : 0;
            }
        } else if (s.where == site::gate) {
            for (std::size_t i = 0; i < 40; ++i) {
                active += s.values[i] != 0 ? 1 : 0;
                both += kept[s.token][i] && s.values[i] != 0 ? 1 : 0;
            }
        }
    }
    void merge(const plain_signs& other) {
        predicted += other.predicted;
        active += other.active;
        both += other.both;
    }
};

double share(std::size_t part, std::size_t all) {
    return static_cast<double>(part) / static_cast<double>(all);
}

} // namespace

TEST_CASE("a gate of full rank masks as the gate does by its own top-k") {
    for (const auto sigma : {app::activation::silu, app::activation::gelu, app::activation::relu}) {
        const little_study little{sigma};
        const auto rows = app::low_rank_rows(little.s, 16, {0.9, 0.5, 0.25}, 2, ignore_progress);
        REQUIRE(rows.size() == 3);
        for (const auto& row : rows) {
            CAPTURE(row.masks.value);
            CHECK(row.masks.site == "gate");
            CHECK(row.masks.rule == "low_rank 16");
            const auto gate = little.run(little.at("gate", "top_k", row.masks.number));
            const auto predicted = little.run(row.masks, 3);
            // The products are rounded in another order: neurons that tie may change places.
            CHECK(predicted.text.nll() == doctest::Approx(gate.text.nll()).epsilon(1e-6));
            CHECK(predicted.masks.mask_sparsity() ==
                  doctest::Approx(gate.masks.mask_sparsity()).epsilon(1e-3));
            CHECK(row.score.tokens() == little.tokens_of_layers());
            CHECK(row.score.recall() == doctest::Approx(1).epsilon(1e-3));
            CHECK(row.score.precision() == doctest::Approx(1).epsilon(1e-3));
            CHECK(row.weight_bytes == 2u * 16u * (16u + 40u) * sizeof(float));
        }
    }
}

TEST_CASE("a low rank keeps as many neurons, not all of them the right ones") {
    const little_study little;
    const auto rows = app::low_rank_rows(little.s, 2, {0.5}, 1, ignore_progress);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].weight_bytes == 2u * 2u * (16u + 40u) * sizeof(float));
    CHECK(little.run(rows[0].masks).masks.mask_sparsity() == doctest::Approx(0.5));
    CHECK(rows[0].score.predicted_share() == doctest::Approx(0.5));
    CHECK(rows[0].score.active_share() == doctest::Approx(0.5));
    CHECK(rows[0].score.recall() > 0.5); // chance
    CHECK(rows[0].score.recall() < 0.99);
    CHECK(rows[0].score.recall() == doctest::Approx(rows[0].score.precision()));
    const auto many = app::low_rank_rows(little.s, 2, {0.5}, 5, ignore_progress);
    CHECK(many[0].score == rows[0].score);
    CHECK(words_of(little.run(many[0].masks, 5)) == words_of(little.run(rows[0].masks)));
}

TEST_CASE("a predictor's masks are counted at the gate alone") {
    const little_study little;
    const auto row = app::low_rank_rows(little.s, 4, {0.3}, 1, ignore_progress).front();
    const auto masks = little.run(row.masks).masks;
    for (std::size_t l = 0; l < 2; ++l) {
        CHECK(masks.mask_sparsity(l, site::gate) == doctest::Approx(0.7));
        CHECK(masks.mask_sparsity(l, site::input) == 0);
        CHECK(masks.mask_sparsity(l, site::intermediate) == 0);
    }
}

TEST_CASE("sign bits say what signs counted one by one say, against the gates that are above zero") {
    const little_study little{app::activation::relu};
    const std::vector alphas{1.5, 1.0, 0.8};
    const auto rows = app::sign_bit_rows(little.s, alphas, 2, ignore_progress);
    REQUIRE(rows.size() == alphas.size());
    const std::size_t all = little.tokens_of_layers() * 40;
    for (std::size_t i = 0; i < alphas.size(); ++i) {
        const auto& row = rows[i];
        CHECK(row.masks.rule == "sign_bits");
        CHECK(row.masks.number == alphas[i]);
        const auto plain = app::observe(little.s, little.s.stories, little.dense(),
                                        plain_signs{&little.s.model, alphas[i]}, 1, ignore_progress);
        CHECK(row.score.predicted_share() == share(plain.predicted, all));
        CHECK(row.score.active_share() == share(plain.active, all));
        CHECK(row.score.recall() == share(plain.both, plain.active));
        CHECK(row.score.precision() == share(plain.both, plain.predicted));
        CHECK(row.weight_bytes == 2u * 40u * 8u); // 16 signs in a word
        CHECK(app::sign_bit_rows(little.s, {alphas[i]}, 5, ignore_progress)[0].score == row.score);
        if (i > 0) {
            CHECK(row.score.predicted_share() < rows[i - 1].score.predicted_share());
        }
    }
}

TEST_CASE("sign bits that drop nothing but gates at zero change nothing") {
    const little_study little{app::activation::relu};
    const auto row = app::sign_bit_rows(little.s, {1e6}, 2, ignore_progress).front();
    CHECK(row.score.recall() == 1);
    CHECK(little.run(row.masks).text.loss == little.run(little.dense()).text.loss);
}
