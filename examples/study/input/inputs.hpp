#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "input/hash.hpp"
#include "input/plain_text.hpp"
#include "input/subject.hpp"
#include "input/text.hpp"
#include "model/embedded.hpp"
#include "model/gguf.hpp"
#include "options.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace app {

/// How much of their text and tasks the embedded models are measured on, unless the user says otherwise: both
/// sweeps over all sites together stay near a minute on two cores, and of so many questions each dense model answers more than
/// a hundred, so that a single one is less than the 1 % that the criterion is about.
inline constexpr std::size_t embedded_stories = 75, embedded_questions = 120;

/// Of the tokens of stories, and of which of them count.
inline std::string hash_of(const std::vector<story>& stories) {
    fingerprint all;
    for (const auto& s : stories) {
        all.add(s.size());
        for (const token t : s) {
            all.add(static_cast<std::uint64_t>(t));
        }
        if (s.first_scored != 1) {
            all.add(s.first_scored);
        }
    }
    return all.hexadecimal();
}

/// What was used to choose something says nothing of it: such stories are left out of those that it is checked on, with a word, and
/// it is refused where none is left.
inline void leave_out_used(const char* command, const subject& used, subject& checked) {
    std::set<std::string> known;
    for (const story& s : used.stories) {
        known.insert(hash_of({s}));
    }
    const std::size_t all = checked.stories.size();
    std::erase_if(checked.stories, [&](const story& s) { return known.contains(hash_of({s})); });
    if (checked.stories.empty() && all != 0) {
        throw error(
            command, ": ", checked.text_name,
            ": every story or window to check on was used to choose what is "
            "checked; --stories and --check-stories take parts of a text, --check-text takes another");
    }
    if (checked.stories.size() != all) {
        checked.notes.add(
            checked.text_name, ": ", all - checked.stories.size(), " of the ", all,
            " stories or windows to check on were used to choose what is checked, and are left out");
        checked.text_hash = hash_of(checked.stories);
    }
}

/// The models to measure, and the files that they are views of. All is read and checked in the constructor.
class inputs {
  public:
    /// `tasks_too`: whether the command looks at tasks.
    explicit inputs(const common_options& o, bool tasks_too = true) : windows_{o.windows} {
        if (o.gguf) {
            remarks notes;
            engine_ = load_gguf(*o.gguf, o.context.value_or(512), notes, o.repack);
            const source text = open_text(*o.text);
            std::optional<source> tasks;
            if (o.tasks && tasks_too) {
                tasks = open(*o.tasks);
            }
            subject s{std::filesystem::path{*o.gguf}.filename().string(),
                      "",
                      {},
                      engine_->sigma(),
                      {},
                      {},
                      {},
                      {},
                      notes};
            s.model.config = engine_->config();
            s.model.layers.resize(s.model.config.n_layers);
            s.model.runs_in = engine_;
            add(std::move(s), tokenizers_.emplace_back(engine_->tokens()), text, tasks, o);
            return;
        }
        if (o.checkpoint) {
            std::optional<source> tasks;
            const source model = open(*o.checkpoint), tokens = open(*o.tokenizer), text = open_text(*o.text);
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
        const source text = o.text ? open_text(*o.text) : embedded_text();
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

    /// A subject with another text: the file's or the embedded one, and a range of it that an option ("--stories") names.
    subject with_text(std::size_t number, const std::optional<std::string>& path,
                      const std::optional<std::string>& range, const char* range_option) {
        subject s = subjects_[number];
        give_text(s, path ? open_text(*path) : embedded_text(), range, range_option, tokenizers_[number]);
        return s;
    }

  private:
    source open(const std::string& path) { return files_.emplace_back(path); }
    source open_text(const std::string& path) {
        return path == "-" ? static_cast<source>(file::standard_input()) : open(path);
    }

    void give_text(subject& s, const source& from, const std::optional<std::string>& range,
                   const char* range_option, const tokenizer& encoder) const {
        encoded_text text = encode_text(plain_text(from, s.notes), from.name, range ? &*range : nullptr,
                                        range_option, encoder, s.model.config.seq_len, windows_, s.notes);
        s.stories = std::move(text.windows);
        s.use = text.use;
        s.text_name = std::filesystem::path{from.name}.filename().string();
        s.text_hash = hash_of(s.stories);
        if (s.model.runs_in && s.model.runs_in->experts_used() > 1 &&
            std::any_of(s.stories.begin(), s.stories.end(),
                        [](const story& w) { return w.first_scored != 1; })) {
            throw error(
                "--windows: windows that overlap are not there for a mixture of experts; chunks or disjoint "
                "are");
        }
    }

    void add(subject s, const source& model, const source& tokens, const source& text,
             const std::optional<source>& tasks, const common_options& o) {
        s.model = load_checkpoint(model);
        s.model.config.rope_base = o.rope_base.value_or(s.model.config.rope_base);
        s.model.config.norm_eps = o.norm_eps.value_or(s.model.config.norm_eps);
        const tokenizer& encoder = tokenizers_.emplace_back(tokens, s.model.config.vocab_size);
        add(std::move(s), encoder, text, tasks, o);
    }
    void add(subject s, const tokenizer& encoder, const source& text, const std::optional<source>& tasks,
             const common_options& o) {
        const model_config& config = s.model.config;
        s.keep_tokens = o.per_token;
        s.notes.merge(encoder.notes());
        give_text(s, text, o.stories, "--stories", encoder);
        if (tasks) {
            s.tasks = load_tasks(*tasks, encoder, config.seq_len, s.notes);
        }
        for (auto& t : s.tasks) {
            t.questions.resize(std::min(t.questions.size(), o.questions.value_or(t.questions.size())));
        }
        subjects_.push_back(std::move(s));
    }

    windowing windows_;
    std::deque<file> files_; // a deque leaves its elements where they are
    std::shared_ptr<const engine> engine_;
    std::deque<tokenizer> tokenizers_;
    std::vector<subject> subjects_;
};

} // namespace app
