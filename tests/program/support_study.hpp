#pragma once

#include "input/subject.hpp"
#include "input/text.hpp"
#include "measure/measure.hpp"
#include "settings.hpp"
#include "support.hpp"

#include <tamis/study/state.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A made-up model with stories and questions, to be measured in a moment.

namespace study_test {

inline void ignore_progress(std::size_t, std::size_t) {}

/// Owns the bytes that the subject's model is a view of.
struct little_study {
    bytes file = make_checkpoint(), vocabulary = make_tokenizer();
    app::subject s;

    explicit little_study(app::activation sigma = app::activation::silu, std::size_t stories = 23) {
        const app::tokenizer tokens{vocabulary.as("t"), 290};
        std::vector<std::string> texts;
        std::mt19937 random{5};
        for (std::size_t i = 0; i < stories; ++i) {
            std::string text = "the";
            for (auto n = random() % 30; n > 0; --n) {
                text += pieces()[random() % pieces().size()];
            }
            texts.push_back(text);
        }
        const std::vector<std::string_view> views(texts.begin(), texts.end());
        s = {"little", "", app::load_checkpoint(file.as("m")), sigma, {}, {}, "text.txt", "0123"};
        s.stories = app::encode_stories(views, tokens, 64);
        s.tasks = app::load_tasks(
            bytes{}.add_text("a\tthe\t0\t cat\t and\na\tthe cat\t1\t on\t at\nb\te\t0\t a\t b\n").as("q"),
            tokens, 64);
    }
    little_study(const little_study&) = delete;
    little_study& operator=(const little_study&) = delete;

    app::condition dense() const { return app::dense(s.layers()); }
    app::condition at(const std::string& site, const std::string& rule, double value,
                      std::optional<std::size_t> only_layer = {}) const {
        return app::masked(s.layers(), app::parse_sites(site).front(), app::parse_rule(rule),
                           {value, app::line(value)}, only_layer);
    }
    app::measurement run(const app::condition& c, std::size_t threads = 1) const {
        return app::measure(s, {c}, threads, ignore_progress).front();
    }
    /// Predictions of all stories, over all layers.
    std::size_t tokens_of_layers() const { return s.predictions() * s.layers(); }
};

inline std::vector<std::string> site_names() {
    std::vector<std::string> names;
    for (const auto& choice : app::site_choices()) {
        names.emplace_back(choice.name);
    }
    return names;
}

/// All that a measurement counted, to the last bit.
inline std::vector<std::uint64_t> words_of(const app::measurement& m) { return app::study::to_words(m); }

} // namespace study_test
