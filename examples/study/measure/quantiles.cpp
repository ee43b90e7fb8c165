#include "measure/quantiles.hpp"

#include "error.hpp"

#include <tamis/study/calibrate/glu_block_error.hpp>
#include <tamis/study/calibrate/greedy_budgets.hpp>

#include <array>
#include <span>

namespace app {
namespace {

constexpr std::size_t sample_tokens = 512;

/// The FFN's inputs at the first tokens that it is shown, rows of the width.
class input_sample {
  public:
    explicit input_sample(std::size_t width) : width_{width} {}

    void operator()(const tamis::sighting& s) {
        if (s.where == tamis::site::input && rows() < sample_tokens) {
            values_.insert(values_.end(), s.values.begin(), s.values.end());
        }
    }
    void merge(const input_sample& other) { // used on one thread, where runs of stories come in order
        for (std::size_t i = 0; i < other.rows() && rows() < sample_tokens; ++i) {
            const auto row = std::span{other.values_}.subspan(i * width_, width_);
            values_.insert(values_.end(), row.begin(), row.end());
        }
    }
    std::size_t rows() const { return values_.size() / width_; }
    tamis::block<const float> block() const { return {values_.data(), rows(), width_}; }

  private:
    std::size_t width_;
    std::vector<float> values_;
};

template <class Sigma>
teal_budget budget_of(const checkpoint& model, std::size_t layer, Sigma sigma, const input_sample& sample,
                      double target) {
    const tamis::glu_weights weights{gate_of(model, layer), up_of(model, layer), down_of(model, layer)};
    study::glu_block_error<Sigma> error{weights, sigma, sample.block()};
    constexpr double step = 0.02;
    const auto sizes = error.sizes();
    const std::array<double, 2> two{sizes[0] + sizes[1], sizes[2]};
    const auto shared = study::greedy_budgets(two, target, step, [&](std::span<const double> s) {
        return error(std::array{s[0], s[0], s[1]});
    });
    const auto apart = study::greedy_budgets(sizes, target, step, error);
    if (study::count_not_finite(shared) + study::count_not_finite(apart) != 0) {
        throw app::error("layer ", layer,
                         ": the FFN's error over the sample is not finite, so there are no greedy budgets");
    }
    return {shared[0], shared[1], apart[0], apart[1], apart[2]};
}

} // namespace

std::vector<study::calibrated_rule> quantile_rules_of(const subject& s, tamis::site where,
                                                      const std::vector<double>& shares, std::size_t threads,
                                                      const progress_report& report) {
    const auto first = magnitudes_of(s, where, threads, report);
    const auto second =
        observe(s, s.stories, dense(s.layers()), study::second_pass(first, shares), threads, report);
    return study::quantile_rules(second);
}

study::per_layer<study::histogram_meter> magnitudes_of(const subject& s, tamis::site where,
                                                       std::size_t threads, const progress_report& report) {
    return observe(s, s.stories, dense(s.layers()),
                   study::per_layer{s.layers(), study::histogram_meter{where}}, threads, report);
}

std::vector<teal_budget> teal_budgets_of(const subject& s, double target, const progress_report& report) {
    // Stories from all over the text, one by one on one thread: the sample is the same everywhere.
    std::vector<story> some;
    for (std::size_t i = 0; i < s.stories.size(); i += std::max<std::size_t>(1, s.stories.size() / 8)) {
        some.push_back(s.stories[i]);
        some.back().resize(std::min<std::size_t>(some.back().size(), 65));
        some.back().first_scored = 1; // a sample: context is as good
    }
    const auto samples = observe(s, some, dense(s.layers()),
                                 study::per_layer{s.layers(), input_sample{s.model.config.dim}}, 1, report);
    std::vector<teal_budget> budgets;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        switch (s.sigma) {
            case activation::silu:
                budgets.push_back(budget_of(s.model, l, tamis::silu{}, samples[l], target));
                break;
            case activation::gelu:
                budgets.push_back(budget_of(s.model, l, tamis::gelu{}, samples[l], target));
                break;
            case activation::gelu_tanh:
                budgets.push_back(budget_of(s.model, l, tamis::gelu_tanh{}, samples[l], target));
                break;
            case activation::relu:
                budgets.push_back(budget_of(s.model, l, tamis::relu{}, samples[l], target));
                break;
        }
        report(l + 1, s.layers());
    }
    return budgets;
}

} // namespace app
