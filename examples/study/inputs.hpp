#pragma once

#include "checkpoint.hpp"
#include "embedded.hpp"
#include "error.hpp"
#include "file.hpp"
#include "options.hpp"
#include "sweep.hpp"
#include "tasks.hpp"
#include "text.hpp"
#include "tokenizer.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace study {

/// How much of their text and tasks the embedded models are measured on, unless the user says otherwise: both
/// sweeps over all sites together stay near a minute on two cores.
inline constexpr std::size_t embedded_stories = 75, embedded_questions = 60;

/// The models to measure, and the files that they are views of. All is read and checked in the constructor.
class inputs {
  public:
    explicit inputs(const options& o) {
        if (o.checkpoint) {
            std::optional<source> tasks;
            const source model = open(*o.checkpoint), tokens = open(*o.tokenizer), text = open(*o.text);
            if (o.tasks) {
                tasks = open(*o.tasks);
            }
            add({std::filesystem::path{*o.checkpoint}.filename().string(),
                 "",
                 {},
                 o.sigma.value_or(activation::silu),
                 {},
                 {}},
                model, tokens, text, tasks, o);
            return;
        }
        options with_defaults = o;
        if (!o.text && !o.stories) {
            with_defaults.stories = line(":", embedded_stories);
        }
        if (!o.tasks && !o.questions) {
            with_defaults.questions = embedded_questions;
        }
        const source text = o.text ? open(*o.text) : embedded_text();
        const source tasks = o.tasks ? open(*o.tasks) : embedded_tasks();
        for (const auto& twin : embedded_models()) {
            add({twin.checkpoint.name, twin.label, {}, twin.sigma, {}, {}}, twin.checkpoint,
                embedded_tokenizer(), text, tasks, with_defaults);
        }
        if (subjects_.empty()) {
            throw error("--checkpoint is needed: this program was built without embedded models");
        }
    }

    const std::vector<subject>& subjects() const { return subjects_; }

  private:
    source open(const std::string& path) { return files_.emplace_back(path); }

    void add(subject s, const source& model, const source& tokens, const source& text,
             const std::optional<source>& tasks, const options& o) {
        s.model = load_checkpoint(model);
        const model_config& config = s.model.config;
        const tokenizer encoder{tokens, config.vocab_size};

        const std::string whole = text.text();
        const std::vector<std::string_view> stories = split_stories(whole);
        if (stories.empty()) {
            throw error(text.name, ": no story in its ", whole.size(), " bytes");
        }
        story_range taken{0, stories.size()};
        if (o.stories) {
            taken = story_range::parse(*o.stories, stories.size(), text.name);
        }
        s.stories = encode_stories(std::span{stories}.subspan(taken.first, taken.last - taken.first), encoder,
                                   config.seq_len);
        if (std::all_of(s.stories.begin(), s.stories.end(),
                        [](const auto& story) { return story.size() < 2; })) {
            throw error(text.name, ": nothing to predict: no story has two tokens within seq_len ",
                        config.seq_len);
        }

        if (tasks) {
            s.tasks = load_tasks(*tasks, encoder, config.seq_len);
        }
        for (auto& t : s.tasks) {
            t.questions.resize(std::min(t.questions.size(), o.questions.value_or(t.questions.size())));
        }
        subjects_.push_back(std::move(s));
    }

    std::deque<file> files_; // a deque leaves its elements where they are
    std::vector<subject> subjects_;
};

} // namespace study
