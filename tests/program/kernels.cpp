// The program's masks set values to zero in dense products. Here the same rules run in tamis::glu_ffn on packed weights,
// which do not read what the masks spare: the model predicts the same, and what is said to be skipped is skipped.

#include "measure/cett.hpp"
#include "measure/predictions.hpp"
#include "model/transformer.hpp"
#include "support_study.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/pack.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <span>

using namespace study_test;

namespace {

/// One layer, packed for selectors at these sites, as an FFN for deployment is.
template <class Sigma, tamis::site... Sites>
class skipping_layer {
    using neuron_major = tamis::matrix<tamis::f32, tamis::neuron_major>;
    using weights = tamis::glu_weights<neuron_major, neuron_major, app::down_matrix>;
    template <tamis::site>
    using selector = tamis::any_selector;
    using packed = decltype(tamis::pack(std::declval<weights>(),
                                        std::declval<tamis::policy<Sites, selector<Sites>>>()...));
    using ffn = tamis::glu_ffn<decltype(std::declval<const packed&>().view()), Sigma,
                               tamis::policy<Sites, selector<Sites>>...>;

  public:
    skipping_layer(const app::checkpoint& model, std::size_t layer, const app::study::plan& plan)
        : packed_{tamis::pack(weights_of(model, layer), policy_of<Sites>(plan, layer)...)},
          ffn_{packed_.view(), Sigma{}, policy_of<Sites>(plan, layer)...},
          memory_{ffn_.workspace_bytes()} {}

    template <class Observer>
    tamis::traffic operator()(std::span<const float> x, std::span<float> y, Observer&& see) {
        return ffn_(x, y, memory_.view(), see);
    }

  private:
    static weights weights_of(const app::checkpoint& model, std::size_t layer) {
        return {app::gate_of(model, layer),
                {model.layers[layer].w_up.data(), model.config.hidden_dim, model.config.dim},
                app::down_of(model, layer)};
    }
    template <tamis::site Where>
    static tamis::policy<Where, tamis::any_selector> policy_of(const app::study::plan& plan,
                                                               std::size_t layer) {
        return {*plan.at(layer, Where)};
    }

    packed packed_;
    ffn ffn_;
    tamis::owned_workspace memory_;
};

struct outcome {
    app::text_score text;
    std::uint64_t entries = 0, dropped = 0;
    tamis::traffic bytes;
};

template <class Sigma, tamis::site... Sites>
outcome by_kernels(const app::subject& s, const app::condition& c) {
    outcome sum;
    std::deque<skipping_layer<Sigma, Sites...>> layers;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        layers.emplace_back(s.model, l, c.plan);
    }
    const auto count = [&](const tamis::sighting& seen) {
        if (seen.has_policy) {
            sum.entries += seen.mask.size();
            sum.dropped += seen.mask.size() - seen.mask.count();
        }
    };
    app::transformer model{s.model};
    for (const auto& story : s.stories) {
        app::score_story(
            story,
            [&](std::span<const app::token> tokens) -> const app::matrix& {
                return model(tokens, [&](std::size_t l, const app::matrix& x, app::matrix& y) {
                    const auto width = static_cast<std::size_t>(x.cols());
                    for (Eigen::Index t = 0; t < x.rows(); ++t) {
                        sum.bytes += layers[l](std::span{x.row(t).data(), width},
                                               std::span{y.row(t).data(), width}, count);
                    }
                });
            },
            sum.text);
    }
    return sum;
}

double share(std::uint64_t part, std::uint64_t all) {
    return static_cast<double>(part) / static_cast<double>(all);
}

/// Few tokens, so that none of their values lies within rounding of a cut.
constexpr std::size_t stories = 6;

template <class Sigma, tamis::site... Sites>
void compare(const little_study& little, const app::condition& c) {
    CAPTURE(c.site);
    CAPTURE(c.rule);
    const auto dense = app::measure(little.s, {little.dense()}, 1, ignore_progress, {}, false).front();
    const auto row = app::measure(little.s, {c}, 1, ignore_progress, {}, false).front();
    const outcome kernels = by_kernels<Sigma, Sites...>(little.s, c);

    CHECK(kernels.text.predictions() == row.text.predictions());
    CHECK(kernels.text.loss.sum() == doctest::Approx(row.text.loss.sum()).epsilon(1e-5));
    CHECK(kernels.text.hits == row.text.hits);
    CHECK(std::abs(row.text.nll() - dense.text.nll()) > 1e-3); // the masks do something
    const auto widths =
        ((Sites == tamis::site::input ? little.s.model.config.dim : little.s.model.config.hidden_dim) + ...);
    CHECK(kernels.entries == little.tokens_of_layers() * widths);
    CHECK(share(kernels.dropped, kernels.entries) == row.masks.mask_sparsity());
    CHECK(kernels.bytes.bytes_dense == little.tokens_of_layers() * 3 * 16 * 40 * sizeof(float));
    CHECK(share(kernels.bytes.bytes_skipped(), kernels.bytes.bytes_dense) == row.masks.bytes_skipped());
    CHECK(row.masks.bytes_skipped() > 0.05);
}

template <class Sigma>
void compare_everywhere(const little_study& little, const char* rule, double value) {
    using tamis::site;
    compare<Sigma, site::input>(little, little.at("input", rule, value));
    compare<Sigma, site::gate>(little, little.at("gate", rule, value));
    compare<Sigma, site::up>(little, little.at("up", rule, value));
    compare<Sigma, site::intermediate>(little, little.at("intermediate", rule, value));
    compare<Sigma, site::input, site::intermediate>(little, little.at("all_inputs", rule, value));
}

} // namespace

TEST_CASE("every site: the kernels that skip give the program's figures, SiLU") {
    const little_study little{app::activation::silu, stories};
    compare_everywhere<tamis::silu>(little, "top_p", 0.8);
    compare_everywhere<tamis::silu>(little, "top_k", 0.4);
    compare_everywhere<tamis::silu>(little, "max_p", 0.2);
}

TEST_CASE("every site: the kernels that skip give the program's figures, GELU and ReLU") {
    const little_study gelu{app::activation::gelu, stories};
    compare_everywhere<tamis::gelu>(gelu, "top_p_energy", 0.9);
    const little_study relu{app::activation::relu, stories};
    compare_everywhere<tamis::relu>(relu, "top_p", 0.7);
}

TEST_CASE("thresholds by layer, CETT's with norms of the weights: the kernels give the program's figures") {
    const little_study little{app::activation::silu, stories};
    const auto norms = app::neuron_norms_of(little.s.model);
    compare<tamis::silu, tamis::site::intermediate>(little, app::cett_condition(norms, {0.4, 0.9}, 0));
}
