#include "evaluate.hpp"
#include "parallel.hpp"
#include "sweep.hpp"
#include "transformer.hpp"

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace study {
namespace {

/// What one thread works with: a transformer, and a workspace for the FFNs that all threads share.
class session {
  public:
    session(const checkpoint& model, const ffn& layers)
        : transformer_{model}, layers_{&layers}, memory_{layers.workspace_bytes()} {}

    /// Calls work(transformer, sparse_ffn), the second in the form that the first takes; returns its result
    /// together with what the FFN did meanwhile.
    template <class Work>
    auto counted(Work&& work) {
        ffn_counts counts;
        auto result = work(transformer_, [&](std::size_t layer, const matrix& x, matrix& y) {
            const auto rows = static_cast<std::size_t>(x.rows()),
                       columns = static_cast<std::size_t>(x.cols());
            layers_->run(layer, tamis::block<const float>{x.data(), rows, columns},
                         tamis::block<float>{y.data(), rows, columns}, memory_, counts);
        });
        return std::pair{result, counts};
    }

  private:
    transformer transformer_;
    const ffn* layers_;
    tamis::owned_workspace memory_;
};

/// The sum of work(item, transformer, sparse_ffn) over the items, which are spread over threads. It is taken
/// in the order of the items, so it does not depend on the number of threads.
template <class Result, class Item, class Work, class Done>
std::pair<Result, ffn_counts> sum_over(const std::vector<Item>& items, const checkpoint& model,
                                       const ffn& layers, std::size_t threads, Work work, Done done) {
    std::vector<std::pair<Result, ffn_counts>> results(items.size());
    for_each_index(items.size(), threads, [&] {
        return [&, own = session{model, layers}](std::size_t i) mutable {
            results[i] = own.counted(
                [&](transformer& reads, auto&& sparse) -> Result { return work(items[i], reads, sparse); });
            done();
        };
    });
    std::pair<Result, ffn_counts> sum{};
    for (const auto& [result, counts] : results) {
        sum.first += result;
        sum.second += counts;
    }
    return sum;
}

} // namespace

measurement measure(const subject& s, const ffn_choice& choice, std::size_t threads,
                    const progress_report& report) {
    std::size_t all = s.stories.size();
    for (const auto& t : s.tasks) {
        all += t.questions.size();
    }
    std::atomic<std::size_t> finished = 0;
    const auto done = [&] { report(++finished, all); };

    const auto layers = make_ffn(s.model, s.sigma, choice);
    const auto [text, counts] = sum_over<prediction_score>(
        s.stories, s.model, *layers, threads,
        [](const std::vector<token>& story, transformer& model, auto& sparse) {
            return score_story(model, story, sparse);
        },
        done);
    measurement row{choice, text, counts, {}};
    for (const task& t : s.tasks) {
        const auto [right, task_counts] = sum_over<std::size_t>(
            t.questions, s.model, *layers, threads,
            [](const question& q, transformer& model, auto& sparse) {
                return answers(model, q, sparse) ? 1u : 0u;
            },
            done);
        row.tasks.push_back({t.name, right, t.questions.size(), task_counts});
    }
    return row;
}

} // namespace study
