#include "measure/neurons.hpp"

#include "measure/cett.hpp"
#include "measure/runner.hpp"
#include "support_study.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

using namespace study_test;
using tamis::site;
namespace study = tamis::study;

namespace {

/// Every value of every neuron, and where its mask kept it.
struct whole_record {
    std::vector<std::vector<study::context>> values[2] = {std::vector<std::vector<study::context>>(40),
                                                          std::vector<std::vector<study::context>>(40)};
    std::vector<std::size_t> kept[2] = {std::vector<std::size_t>(40), std::vector<std::size_t>(40)};
    std::uint64_t story = 0;

    void begin(std::uint64_t number) { story = number; }
    void operator()(std::size_t layer, const tamis::sighting& s) {
        for (std::size_t i = 0; s.where == site::intermediate && i < 40; ++i) {
            values[layer][i].push_back({s.values[i], static_cast<std::uint32_t>(s.token), story});
            kept[layer][i] += s.mask[i] ? 1 : 0;
        }
    }
    void merge(const whole_record& other) {
        for (std::size_t l = 0; l < 2; ++l) {
            for (std::size_t i = 0; i < 40; ++i) {
                values[l][i].insert(values[l][i].end(), other.values[l][i].begin(), other.values[l][i].end());
                kept[l][i] += other.kept[l][i];
            }
        }
    }
};

struct read_study {
    little_study little;
    std::vector<std::vector<float>> norms = app::neuron_norms_of(little.s.model);
    app::condition masks = little.at("intermediate", "top_p", 0.8);

    app::neuron_meters found(std::size_t threads, std::size_t contexts = 4) const {
        return app::neurons_of(little.s, masks, site::intermediate, contexts, norms, threads,
                               ignore_progress);
    }
};

} // namespace

TEST_CASE("neurons do not depend on the threads, to the last bit") {
    const read_study r;
    const auto one = study::to_words(r.found(1));
    for (const std::size_t threads : {2u, 5u}) {
        CHECK(study::to_words(r.found(threads)) == one);
    }
}

TEST_CASE("frequencies, contributions and contexts are those of all values that were written down") {
    const read_study r;
    const auto found = r.found(3);
    auto plain = app::observe(r.little.s, r.little.s.stories, r.masks, whole_record{}, 1, ignore_progress);
    const auto tokens = static_cast<double>(r.little.s.predictions());
    for (std::size_t l = 0; l < 2; ++l) {
        const auto& top = found[l].get<study::top_contexts>();
        const auto& frequency = found[l].get<study::frequency_meter>();
        CHECK(frequency.tokens() == r.little.s.predictions());
        for (std::size_t i = 0; i < 40; ++i) {
            CHECK(frequency.active()[i] == plain.kept[l][i]);
            auto& values = plain.values[l][i];
            double sum = 0;
            for (const auto& c : values) {
                sum += std::abs(static_cast<double>(c.value));
            }
            CHECK(top.mean_magnitude(i) == doctest::Approx(sum / tokens));
            CHECK(top.contribution(i) == doctest::Approx(sum / tokens * static_cast<double>(r.norms[l][i])));
            std::sort(values.begin(), values.end(), [](const study::context& a, const study::context& b) {
                const float x = std::abs(a.value), y = std::abs(b.value);
                return x != y                     ? x > y
                       : a.sequence != b.sequence ? a.sequence < b.sequence
                                                  : a.position < b.position;
            });
            REQUIRE(top.top(i).size() == 4);
            CHECK(std::equal(top.top(i).begin(), top.top(i).end(), values.begin()));
        }
    }
}

TEST_CASE("the frequencies' mean is what the row of a sweep keeps") {
    const read_study r;
    const auto found = r.found(2);
    const auto row = r.little.run(r.masks);
    for (std::size_t l = 0; l < 2; ++l) {
        double sum = 0;
        for (std::size_t i = 0; i < 40; ++i) {
            sum += found[l].get<study::frequency_meter>().frequency(i);
        }
        CHECK(sum / 40 == doctest::Approx(1 - row.masks.mask_sparsity(l)));
    }
}

TEST_CASE("a context is the token at its position: the story up to there has that value at its end") {
    read_study r;
    r.masks = r.little.dense(); // so that only the tokens before matter
    const auto found = r.found(2);
    app::runner model{r.little.s.model, r.little.s.sigma};
    for (std::size_t l = 0; l < 2; ++l) {
        for (std::size_t i = 0; i < 40; i += 3) {
            const study::context& c = found[l].get<study::top_contexts>().top(i).front();
            REQUIRE(c.sequence < r.little.s.stories.size());
            const auto& story = r.little.s.stories[c.sequence];
            REQUIRE(c.position + 1 < story.size()); // the last token predicts nothing
            float last = 0;
            auto watch = [&](std::size_t layer, site where, tamis::block<float> values) {
                if (layer == l && where == site::intermediate) {
                    last = values.row(values.rows() - 1)[i];
                }
            };
            model.logits(std::span{story}.first(c.position + 1), watch);
            CHECK(static_cast<double>(last) == doctest::Approx(static_cast<double>(c.value)).epsilon(1e-4));
        }
    }
}
