#include "transformer.hpp"
#include "evaluate.hpp"
#include "support.hpp"
#include "sweep.hpp"

#include <doctest/doctest.h>

using namespace study_test;
using study::token;

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
vector normed(const vector& x, std::span<const float> gain) {
    double square = 0;
    for (const double v : x) {
        square += v * v;
    }
    vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        y[i] = static_cast<double>(gain[i]) * x[i] / std::sqrt(square / static_cast<double>(x.size()) + 1e-5);
    }
    return y;
}
void rotate(vector& x, std::size_t size, std::size_t position) {
    for (std::size_t i = 0; i < x.size(); i += 2) {
        const double angle = static_cast<double>(position) /
                             std::pow(10000.0, static_cast<double>(i % size) / static_cast<double>(size));
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
std::vector<vector> plain_logits(const study::checkpoint& model, const std::vector<token>& tokens) {
    const auto& c = model.config;
    const std::size_t size = c.head_size(), group = c.n_heads / c.n_kv_heads;
    std::vector<std::vector<vector>> keys(c.n_layers), values(c.n_layers);
    std::vector<vector> logits;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        const auto row = model.embedding.subspan(static_cast<std::size_t>(tokens[t]) * c.dim, c.dim);
        vector x(row.begin(), row.end());
        for (std::size_t l = 0; l < c.n_layers; ++l) {
            const auto& w = model.layers[l];
            const vector a = normed(x, w.rms_att);
            vector q = times(w.wq, a), k = times(w.wk, a);
            rotate(q, size, t);
            rotate(k, size, t);
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
            const vector f = normed(x, w.rms_ffn);
            vector g = times(w.w_gate, f);
            const vector u = times(w.w_up, f);
            for (std::size_t i = 0; i < g.size(); ++i) {
                g[i] = g[i] / (1 + std::exp(-g[i])) * u[i];
            }
            add(x, times(w.w_down, g));
        }
        logits.push_back(times(model.classifier, normed(x, model.rms_final)));
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

/// The library's FFN without policies, for the transformer.
auto dense_ffn(const study::ffn& layers, tamis::workspace memory, study::ffn_counts& counts) {
    return [&layers, memory, &counts](std::size_t l, const study::matrix& x, study::matrix& y) {
        const auto rows = static_cast<std::size_t>(x.rows()), columns = static_cast<std::size_t>(x.cols());
        layers.run(l, tamis::block<const float>{x.data(), rows, columns},
                   tamis::block<float>{y.data(), rows, columns}, memory, counts);
    };
}

} // namespace

TEST_CASE("logits equal those of a plain token-by-token transformer in double") {
    for (const int vocabulary : {290, -290}) {
        for (const int kv_heads : {1, 2, 4}) {
            const bytes file = make_checkpoint({.n_kv_heads = kv_heads, .vocab_size = vocabulary});
            const auto model = study::load_checkpoint(file.as("m"));
            const auto layers = study::make_ffn(model, study::activation::silu, {});
            tamis::owned_workspace memory{layers->workspace_bytes()};
            study::ffn_counts counts;
            study::transformer block{model};
            for (const std::size_t length : {1u, 2u, 31u, 32u, 33u, 64u}) { // strips of attention are 32 long
                const auto tokens = some_tokens(length, 290);
                const auto expected = plain_logits(model, tokens);
                const study::matrix& logits = block(tokens, dense_ffn(*layers, memory, counts));
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

TEST_CASE("a story's loss and hits are those of its next tokens") {
    const bytes file = make_checkpoint();
    const auto model = study::load_checkpoint(file.as("m"));
    const auto layers = study::make_ffn(model, study::activation::silu, {});
    tamis::owned_workspace memory{layers->workspace_bytes()};
    study::ffn_counts counts;
    study::transformer block{model};
    const auto tokens = some_tokens(20, 290);
    const auto logits = plain_logits(model, tokens);
    double loss = 0;
    std::size_t hits = 0;
    for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
        double sum = 0;
        for (const double z : logits[t]) {
            sum += std::exp(z);
        }
        loss += std::log(sum) - logits[t][static_cast<std::size_t>(tokens[t + 1])];
        hits += std::max_element(logits[t].begin(), logits[t].end()) - logits[t].begin() == tokens[t + 1];
    }
    const auto score = study::score_story(block, tokens, dense_ffn(*layers, memory, counts));
    CHECK(score.loss == doctest::Approx(loss).epsilon(1e-5));
    CHECK(score.hits == hits);
    CHECK(score.predictions == 19);
    CHECK(study::score_story(block, std::vector<token>{1}, dense_ffn(*layers, memory, counts)).predictions ==
          0);
}
