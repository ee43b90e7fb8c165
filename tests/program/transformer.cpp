#include "model/transformer.hpp"

#include "measure/predictions.hpp"
#include "measure/runner.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

using namespace study_test;
using app::token;

namespace {

using vector = std::vector<double>;

vector times(std::span<const float> w, const vector& x) {
    vector y(w.size() / x.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
        for (std::size_t j = 0; j < x.size(); ++j) {
            y[i] += static_cast<double>(w[i * x.size() + j]) * x[j];
        }
    }
    return y;
}
vector normed(const vector& x, std::span<const float> gain, double eps) {
    double square = 0;
    for (const double v : x) {
        square += v * v;
    }
    vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        y[i] = static_cast<double>(gain[i]) * x[i] / std::sqrt(square / static_cast<double>(x.size()) + eps);
    }
    return y;
}
void rotate(vector& x, std::size_t size, std::size_t position, double base) {
    for (std::size_t i = 0; i < x.size(); i += 2) {
        const double angle = static_cast<double>(position) /
                             std::pow(base, static_cast<double>(i % size) / static_cast<double>(size));
        const double a = x[i], b = x[i + 1];
        x[i] = a * std::cos(angle) - b * std::sin(angle);
        x[i + 1] = a * std::sin(angle) + b * std::cos(angle);
    }
}
void add(vector& x, const vector& y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] += y[i];
    }
}

/// The transformer as llama2.c runs it, a token at a time with a cache, in double.
std::vector<vector> plain_logits(const app::checkpoint& model, const std::vector<token>& tokens) {
    const auto& c = model.config;
    const std::size_t size = c.head_size(), group = c.n_heads / c.n_kv_heads;
    std::vector<std::vector<vector>> keys(c.n_layers), values(c.n_layers);
    std::vector<vector> logits;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        const auto row = model.embedding.subspan(static_cast<std::size_t>(tokens[t]) * c.dim, c.dim);
        vector x(row.begin(), row.end());
        for (std::size_t l = 0; l < c.n_layers; ++l) {
            const auto& w = model.layers[l];
            const vector a = normed(x, w.rms_att, static_cast<double>(c.norm_eps));
            vector q = times(w.wq, a), k = times(w.wk, a);
            rotate(q, size, t, static_cast<double>(c.rope_base));
            rotate(k, size, t, static_cast<double>(c.rope_base));
            keys[l].push_back(k);
            values[l].push_back(times(w.wv, a));
            vector out(c.dim);
            for (std::size_t head = 0; head < c.n_heads; ++head) {
                vector weight(t + 1);
                double sum = 0;
                for (std::size_t s = 0; s <= t; ++s) {
                    double dot = 0;
                    for (std::size_t i = 0; i < size; ++i) {
                        dot += q[head * size + i] * keys[l][s][head / group * size + i];
                    }
                    sum += weight[s] = std::exp(dot / std::sqrt(static_cast<double>(size)));
                }
                for (std::size_t s = 0; s <= t; ++s) {
                    for (std::size_t i = 0; i < size; ++i) {
                        out[head * size + i] += weight[s] / sum * values[l][s][head / group * size + i];
                    }
                }
            }
            add(x, times(w.wo, out));
            const vector f = normed(x, w.rms_ffn, static_cast<double>(c.norm_eps));
            vector g = times(w.w_gate, f);
            const vector u = times(w.w_up, f);
            for (std::size_t i = 0; i < g.size(); ++i) {
                g[i] = g[i] / (1 + std::exp(-g[i])) * u[i];
            }
            add(x, times(w.w_down, g));
        }
        logits.push_back(
            times(model.classifier, normed(x, model.rms_final, static_cast<double>(c.norm_eps))));
    }
    return logits;
}

std::vector<token> some_tokens(std::size_t count, std::size_t vocabulary) {
    std::mt19937 random{11};
    std::vector<token> tokens{1};
    while (tokens.size() < count) {
        tokens.push_back(static_cast<token>(random() % vocabulary));
    }
    return tokens;
}

} // namespace

TEST_CASE("logits equal those of a plain token-by-token transformer in double") {
    for (const int vocabulary : {290, -290}) {
        for (const int kv_heads : {1, 2, 4}) {
            const bytes file = make_checkpoint({.n_kv_heads = kv_heads, .vocab_size = vocabulary});
            const auto model = app::load_checkpoint(file.as("m"));
            app::runner run{model, app::activation::silu};
            app::study::no_hook nothing;
            for (const std::size_t length : {1u, 2u, 31u, 32u, 33u, 64u}) { // strips of attention are 32 long
                const auto tokens = some_tokens(length, 290);
                const auto expected = plain_logits(model, tokens);
                const app::matrix& logits = run.logits(tokens, nothing);
                double worst = 0;
                for (std::size_t t = 0; t < length; ++t) {
                    for (std::size_t v = 0; v < 290; ++v) {
                        const auto got = static_cast<double>(
                            logits(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(v)));
                        worst = std::max(worst, std::abs(got - expected[t][v]));
                    }
                }
                CAPTURE(length);
                CHECK(worst < 1e-4);
            }
        }
    }
}

TEST_CASE("the RoPE base and the norms' epsilon are the model's, and must be finite and above zero") {
    const bytes file = make_checkpoint();
    app::checkpoint model = app::load_checkpoint(file.as("m"));
    CHECK(model.config.rope_base == 10000.0f);
    CHECK(model.config.norm_eps == 1e-5f);
    const auto tokens = some_tokens(20, 290);
    const auto worst_of = [&](const std::vector<vector>& expected) {
        app::runner run{model, app::activation::silu};
        app::study::no_hook nothing;
        const app::matrix& logits = run.logits(tokens, nothing);
        double worst = 0;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            for (std::size_t v = 0; v < 290; ++v) {
                const auto got =
                    static_cast<double>(logits(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(v)));
                worst = std::max(worst, std::abs(got - expected[t][v]));
            }
        }
        return worst;
    };
    const auto usual = plain_logits(model, tokens);
    model.config.rope_base = 50;
    CHECK(worst_of(plain_logits(model, tokens)) < 1e-4);
    CHECK(worst_of(usual) > 1e-3);
    model.config.rope_base = 10000;
    model.config.norm_eps = 0.25f;
    CHECK(worst_of(plain_logits(model, tokens)) < 1e-4);
    CHECK(worst_of(usual) > 1e-3);
    for (const float wrong : {0.0f, -1.0f, HUGE_VALF, -HUGE_VALF, std::nanf("")}) {
        model.config.norm_eps = wrong;
        CHECK(has(error_of([&] { app::transformer{model}; }), "must be finite and above 0"));
        model.config.norm_eps = 1e-5f;
        model.config.rope_base = wrong;
        CHECK(has(error_of([&] { app::transformer{model}; }), "must be finite and above 0"));
        model.config.rope_base = 10000;
    }
}

namespace {

/// ln softmax(logits)[target]
double log_probability(const vector& logits, token target) {
    double sum = 0;
    for (const double z : logits) {
        sum += std::exp(z);
    }
    return logits[static_cast<std::size_t>(target)] - std::log(sum);
}

/// A model and what runs it, as the scores want it.
struct runs {
    bytes file = make_checkpoint();
    app::checkpoint model = app::load_checkpoint(file.as("m"));
    app::runner run{model, app::activation::silu};
    app::study::no_hook nothing{};

    auto logits_of() {
        return [this](std::span<const token> tokens) { return run.logits(tokens, nothing); };
    }
};

} // namespace

TEST_CASE("a story's loss and hits are those of its next tokens") {
    runs r;
    const auto tokens = some_tokens(20, 290);
    const auto logits = plain_logits(r.model, tokens);
    double loss = 0;
    std::size_t hits = 0;
    for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
        loss -= log_probability(logits[t], tokens[t + 1]);
        hits += std::max_element(logits[t].begin(), logits[t].end()) - logits[t].begin() == tokens[t + 1];
    }
    app::text_score score;
    app::score_story(tokens, r.logits_of(), score);
    CHECK(score.loss.sum() == doctest::Approx(loss).epsilon(1e-5));
    CHECK(score.hits == hits);
    CHECK(score.predictions() == 19);
    CHECK(score.nll() == doctest::Approx(loss / 19).epsilon(1e-5));
    CHECK(score.perplexity() == doctest::Approx(std::exp(loss / 19)).epsilon(1e-4));
    CHECK(score.top1() == static_cast<double>(hits) / 19);

    const app::text_score before = score;
    app::score_story(std::vector<token>{1}, r.logits_of(), score); // predicts nothing
    app::score_story(std::vector<token>{}, r.logits_of(), score);
    CHECK(score.loss == before.loss);
    app::score_story(tokens, r.logits_of(), score);
    CHECK(score.predictions() == 38);
    CHECK(score.hits == 2 * hits);
}

TEST_CASE("a model's answer is the choice whose tokens it finds likeliest behind the context") {
    runs r;
    const bytes vocabulary = make_tokenizer();
    const app::tokenizer encoder{vocabulary.as("t"), 290};
    std::mt19937 random{23};
    std::size_t right = 0, questions = 0;
    app::task_score score;
    for (int round = 0; round < 30; ++round) {
        const auto word = [&] {
            std::string text;
            for (auto n = 1 + random() % 3; n > 0; --n) {
                text += pieces()[random() % pieces().size()];
            }
            return text;
        };
        const std::size_t answer = random() % 3;
        const std::string context = "the " + word();
        const std::string row = "t\t" + context + '\t' + std::to_string(answer) + "\t a" + word() + "\t b" +
                                word() + "\t c" + word() + '\n';
        const auto tasks = app::load_tasks(bytes{}.add_text(row).as("q"), encoder, 64);
        const app::question& q = tasks[0].questions[0];

        std::vector<double> sums;
        for (const auto& choice : q.choices) { // each by a run of its own
            const auto logits = plain_logits(r.model, choice.tokens);
            sums.push_back(0);
            for (std::size_t t = q.shared; t < choice.tokens.size(); ++t) {
                sums.back() += log_probability(logits[t - 1], choice.tokens[t]);
            }
        }
        const auto best = std::max_element(sums.begin(), sums.end()) - sums.begin();
        right += static_cast<std::size_t>(best) == answer ? 1 : 0;
        ++questions;
        app::score_question(q, r.logits_of(), score);
        CHECK(score.right == right);
        CHECK(score.questions == questions);
    }
    CHECK(right > 3);
    CHECK(right < 27);
    CHECK(score.accuracy() == static_cast<double>(right) / 30);
}
