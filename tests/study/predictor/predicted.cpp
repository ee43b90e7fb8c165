#include <tamis/study/predictor/low_rank.hpp>
#include <tamis/study/predictor/predicted.hpp>
#include <tamis/study/predictor/sign_bits.hpp>

#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/study/masker.hpp>

#include "study/predictor/support.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

using namespace tamis;
using namespace tamis::study;

namespace {

/// A gated FFN of two layers' worth of weights, and a block of tokens.
struct small_model {
    static constexpr std::size_t h = 24, d = 70, tokens = 6;
    std::vector<random_gate> gates{{h, d, 4, 0.05f, 1}, {h, d, 4, 0.05f, 2}};
    random_gate up{h, d, h, 0.1f, 3}, down{d, h, h, 0.1f, 4};
    std::vector<float> x = random_x(tokens * h, 5);

    /// Runs a layer's FFN with a hook; returns its outputs.
    template <class Sigma, class Hook>
    std::vector<float> run(std::size_t layer, Sigma sigma, Hook&& hook, std::size_t first = 0,
                           std::size_t count = tokens) const {
        using weights = typename hooked_ffn<Sigma>::weights;
        const matrix<f32, output_major> w_down{down.weights.data(), h, d};
        hooked_ffn<Sigma> ffn{weights{gates[layer].view(), up.view(), w_down}, sigma};
        std::vector<float> y(count * h);
        ffn(layer, block<const float>{x.data() + first * h, count, h}, block<float>{y.data(), count, h},
            hook);
        return y;
    }
    std::span<const float> token(std::size_t t) const { return std::span{x}.subspan(t * h, h); }
};

/// Notes the gates' masks, and how many sightings of other sites there were and whether these had a policy.
struct notes {
    std::vector<std::string> gates;
    std::vector<std::size_t> tokens;
    std::size_t others = 0, others_with_policy = 0;
    bool gate_before_mask = true;

    void operator()(std::size_t, const sighting& s) {
        if (s.where != site::gate) {
            ++others;
            others_with_policy += s.has_policy || s.mask.size() != 0 ? 1 : 0;
            return;
        }
        gates.push_back(show(s.mask));
        tokens.push_back(s.token);
        bool any_dropped = false;
        for (std::size_t i = 0; i < s.values.size(); ++i) {
            any_dropped = any_dropped || (!s.mask[i] && s.values[i] != 0);
        }
        gate_before_mask = gate_before_mask && any_dropped && s.has_policy;
    }
};

} // namespace

static_assert(site_hook<predicted<sign_bits>> && site_hook<prediction_watch<sign_bits>>);

TEST_CASE("the gate is zero where its layer's predictor said so, and nowhere else") {
    const small_model m;
    const std::vector<sign_bits> predictors{sign_bits{m.gates[0].view()}, sign_bits{m.gates[1].view(), 1.1}};
    for (const std::size_t layer : {0u, 1u}) {
        notes see;
        predicted hook{predictors, see};
        const auto y = m.run(layer, silu{}, hook);
        // The plain way: a hook that multiplies the gate by the mask of its token.
        const auto by_hand = [&](std::size_t, site where, block<float> values) {
            for (std::size_t t = 0; where == site::gate && t < values.rows(); ++t) {
                const mask made = predict(predictors[layer], m.token(t));
                for (std::size_t i = 0; i < m.d; ++i) {
                    values.row(t)[i] = made[i] ? values.row(t)[i] : 0.0f;
                }
            }
        };
        CHECK(y == m.run(layer, silu{}, by_hand));
        REQUIRE(see.gates.size() == m.tokens);
        for (std::size_t t = 0; t < m.tokens; ++t) {
            CHECK(see.gates[t] == show(predict(predictors[layer], m.token(t))));
            CHECK(see.tokens[t] == t);
        }
        CHECK(see.gate_before_mask);
        CHECK(see.others == 3 * m.tokens);
        CHECK(see.others_with_policy == 0);
    }
}

TEST_CASE("blocks of any size, one after the other, are predicted like single tokens") {
    const small_model m;
    const std::vector<sign_bits> predictors{sign_bits{m.gates[0].view()}, sign_bits{m.gates[1].view()}};
    notes whole, parts;
    predicted all{predictors, whole};
    m.run(0, silu{}, all);
    predicted some{predictors, parts};
    m.run(0, silu{}, some, 0, 1);
    m.run(0, silu{}, some, 1, 3);
    m.run(0, silu{}, some, 4, 2);
    CHECK(whole.gates == parts.gates);
}

TEST_CASE("a predictor of full rank is the masker's own plan, at equal sparsity") {
    const small_model m;
    const any_selector rule{top_k{20}};
    const std::vector<low_rank<silu>> predictors{{m.gates[0].view(), m.h, silu{}, rule},
                                                 {m.gates[1].view(), m.h, silu{}, rule}};
    plan p{2};
    p.set_all(site::gate, rule);
    owned_workspace memory{p.workspace_bytes(m.d)};
    for (const std::size_t layer : {0u, 1u}) {
        notes by_values, by_prediction;
        masker exact{p, memory, by_values};
        predicted guess{predictors, by_prediction};
        const auto y = m.run(layer, silu{}, exact);
        CHECK(m.run(layer, silu{}, guess) == y);
        CHECK(by_values.gates == by_prediction.gates);
    }
}

TEST_CASE("a lower rank costs more error than the mask by value, at equal sparsity") {
    const small_model m;
    const any_selector rule{top_k{20}};
    const std::vector<low_rank<silu>> predictors{{m.gates[0].view(), 2, silu{}, rule}};
    plan p{1};
    p.set_all(site::gate, rule);
    owned_workspace memory{p.workspace_bytes(m.d)};
    masker exact{p, memory};
    predicted guess{predictors};
    const auto dense = m.run(0, silu{}, no_hook{}), by_value = m.run(0, silu{}, exact),
               by_prediction = m.run(0, silu{}, guess);
    double value_error = 0, prediction_error = 0;
    for (std::size_t i = 0; i < dense.size(); ++i) {
        value_error += static_cast<double>((by_value[i] - dense[i]) * (by_value[i] - dense[i]));
        prediction_error +=
            static_cast<double>((by_prediction[i] - dense[i]) * (by_prediction[i] - dense[i]));
    }
    CHECK(value_error < prediction_error);
}

TEST_CASE("watching changes nothing and scores what a dense run has") {
    const small_model m;
    const std::vector<sign_bits> predictors{sign_bits{m.gates[0].view()}, sign_bits{m.gates[1].view()}};
    const any_selector truth{nonzero{}};
    prediction_watch watch{predictors, truth};
    CHECK(m.run(0, relu{}, watch) == m.run(0, relu{}, no_hook{}));
    m.run(1, relu{}, watch);

    for (const std::size_t layer : {0u, 1u}) {
        prediction_score expected;
        std::vector<mask> true_masks;
        m.run(layer, relu{}, [&](std::size_t, site where, block<float> values) {
            for (std::size_t t = 0; t < values.rows(); ++t) {
                if (where == site::gate) {
                    true_masks.push_back(select(truth, values.row(t)));
                } else if (where == site::intermediate) {
                    expected.add(predict(predictors[layer], m.token(t)), true_masks[t], values.row(t));
                }
            }
        });
        CHECK(watch.scores()[layer] == expected);
        CHECK(expected.tokens() == m.tokens);
        CHECK(expected.recall() > 0.6);
        CHECK(expected.recall() < 1);
    }
    prediction_score both = watch.scores()[0];
    both.merge(watch.scores()[1]);
    CHECK(watch.total() == both);
}

TEST_CASE("watches merge, and full rank predicts all") {
    const small_model m;
    const any_selector rule{threshold{0.3}};
    const std::vector<low_rank<silu>> predictors{{m.gates[0].view(), m.h, silu{}, rule}};
    prediction_watch all{predictors, rule}, first{predictors, rule}, second{predictors, rule};
    m.run(0, silu{}, all);
    m.run(0, silu{}, second, 4, 2);
    m.run(0, silu{}, first, 0, 4);
    second.merge(first);
    CHECK(second.total() == all.total());
    CHECK(all.total().recall() == 1);
    CHECK(all.total().precision() == 1);
    prediction_watch by_intermediate{predictors, any_selector{nonzero{}}, site::intermediate};
    m.run(0, silu{}, by_intermediate);
    CHECK(by_intermediate.total().active_share() == 1);
    CHECK(by_intermediate.total().recall() == all.total().predicted_share());
}

#if defined(__cpp_exceptions)
TEST_CASE("layers without a predictor and predictors of another size are refused") {
    const small_model m;
    const std::vector<sign_bits> one{sign_bits{m.gates[0].view()}};
    predicted hook{one};
    CHECK(message_of([&] { m.run(1, silu{}, hook); }) ==
          "tamis::study: there are predictors for 1 layers, but layer 1 was run");
    const random_gate narrow{m.h, m.d - 1, 2, 1.0f, 1};
    const std::vector<sign_bits> other{sign_bits{narrow.view()}};
    predicted wrong{other};
    CHECK(message_of([&] { m.run(0, silu{}, wrong); }).find("over 69 neurons, but there are 70") !=
          std::string::npos);
    CHECK(message_of([&] {
              prediction_watch(one, any_selector{nonzero{}}, site::up);
          }).find("of the gate or of the intermediate") != std::string::npos);
    std::vector<float> values(m.d);
    predicted fresh{one};
    CHECK(message_of([&] {
              fresh(0, site::gate, block<float>{values.data(), 1, m.d});
          }).find("for 0 tokens at input, but 1 came") != std::string::npos);
    prediction_watch a{one, any_selector{nonzero{}}};
    const std::vector<sign_bits> two{one[0], one[0]};
    const prediction_watch b{two, any_selector{nonzero{}}};
    CHECK(message_of([&] { a.merge(b); }).find("1 layers can not take one of 2") != std::string::npos);
}
#endif
