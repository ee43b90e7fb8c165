#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "input/hash.hpp"
#include "input/subject.hpp"
#include "input/text.hpp"
#include "model/embedded.hpp"
#include "options.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace app {

/// How much of their text and tasks the embedded models are measured on, unless the user says otherwise: both
/// sweeps over all sites together stay near a minute on two cores.
inline constexpr std::size_t embedded_stories = 75, embedded_questions = 60;

/// Of the tokens of stories.
inline std::string hash_of(const std::vector<std::vector<token>>& stories) {
    fingerprint all;
    for (const auto& story : stories) {
        all.add(story.size());
        for (const token t : story) {
            all.add(static_cast<std::uint64_t>(t));
        }
    }
    return all.hexadecimal();
}

/// The models to measure, and the files that they are views of. All is read and checked in the constructor.
class inputs {
  public:
    /// `tasks_too`: whether the command looks at tasks.
    explicit inputs(const common_options& o, bool tasks_too = true) {
        if (o.checkpoint) {
            std::optional<source> tasks;
            const source model = open(*o.checkpoint), tokens = open(*o.tokenizer), text = open(*o.text);
            if (o.tasks && tasks_too) {
                tasks = open(*o.tasks);
            }
            add({std::filesystem::path{*o.checkpoint}.filename().string(),
                 "",
                 {},
                 o.sigma.value_or(activation::silu),
                 {},
                 {},
                 {},
                 {}},
                model, tokens, text, tasks, o);
            return;
        }
        common_options with_defaults = o;
        if (!o.text && !o.stories) {
            with_defaults.stories = line(":", embedded_stories);
        }
        if (!o.tasks && !o.questions) {
            with_defaults.questions = embedded_questions;
        }
        const source text = o.text ? open(*o.text) : embedded_text();
        std::optional<source> tasks;
        if (tasks_too) {
            tasks = o.tasks ? open(*o.tasks) : embedded_tasks();
        }
        for (const auto& twin : embedded_models()) {
            if (!o.embedded || *o.embedded == twin.label) {
                add({twin.checkpoint.name, twin.label, {}, twin.sigma, {}, {}, {}, {}}, twin.checkpoint,
                    embedded_tokenizer(), text, tasks, with_defaults);
            }
        }
        if (embedded_models().empty()) {
            throw error("--checkpoint is needed: this program was built without embedded models");
        }
        if (subjects_.empty()) {
            throw error("--embedded: there is no \"", *o.embedded, "\" (there are swiglu, reglu)");
        }
    }

    const std::vector<subject>& subjects() const { return subjects_; }
    /// The texts that the stories were taken from are views of; a token's text comes from its tokenizer.
    const tokenizer& tokens_of(std::size_t subject) const { return tokenizers_[subject]; }

    /// The stories of another text (a range of it, "A:B") for a subject.
    std::vector<std::vector<token>> stories_of(std::size_t subject, const std::optional<std::string>& path,
                                               const std::optional<std::string>& range) {
        return encode(path ? open(*path) : embedded_text(), range, tokenizers_[subject],
                      subjects_[subject].model.config.seq_len);
    }

  private:
    source open(const std::string& path) { return files_.emplace_back(path); }

    static std::vector<std::vector<token>> encode(const source& text, const std::optional<std::string>& range,
                                                  const tokenizer& encoder, std::size_t seq_len) {
        const std::string whole = text.text();
        const std::vector<std::string_view> stories = split_stories(whole);
        if (stories.empty()) {
            throw error(text.name, ": no story in its ", whole.size(), " bytes");
        }
        story_range taken{0, stories.size()};
        if (range) {
            taken = story_range::parse(*range, stories.size(), text.name);
        }
        auto blocks = encode_stories(std::span{stories}.subspan(taken.first, taken.last - taken.first),
                                     encoder, seq_len);
        if (std::all_of(blocks.begin(), blocks.end(), [](const auto& story) { return story.size() < 2; })) {
            throw error(text.name, ": nothing to predict: no story has two tokens within seq_len ", seq_len);
        }
        return blocks;
    }

    void add(subject s, const source& model, const source& tokens, const source& text,
             const std::optional<source>& tasks, const common_options& o) {
        s.model = load_checkpoint(model);
        s.model.config.rope_base = o.rope_base.value_or(s.model.config.rope_base);
        s.model.config.norm_eps = o.norm_eps.value_or(s.model.config.norm_eps);
        const model_config& config = s.model.config;
        const tokenizer& encoder = tokenizers_.emplace_back(tokens, config.vocab_size);
        s.stories = encode(text, o.stories, encoder, config.seq_len);
        s.text_name = std::filesystem::path{text.name}.filename().string();
        s.text_hash = hash_of(s.stories);
        if (tasks) {
            s.tasks = load_tasks(*tasks, encoder, config.seq_len);
        }
        for (auto& t : s.tasks) {
            t.questions.resize(std::min(t.questions.size(), o.questions.value_or(t.questions.size())));
        }
        subjects_.push_back(std::move(s));
    }

    std::deque<file> files_; // a deque leaves its elements where they are
    std::deque<tokenizer> tokenizers_;
    std::vector<subject> subjects_;
};

} // namespace app
