#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "input/plain_text.hpp"
#include "lists.hpp"
#include "model/tokenizer.hpp"
#include "remarks.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace app {

/// A question with its choices: which of them does the model find likeliest after the context?
struct question {
    struct choice {
        std::size_t run;           ///< in `runs`, which has this choice's tokens in front
        std::vector<token> tokens; ///< context and choice
    };
    std::size_t shared; ///< tokens of the context: those that no choice changes by merging with them
    std::size_t answer;
    std::vector<choice> choices;
    std::vector<std::vector<token>> runs; ///< what the model has to read: choices of one token share one run
};

/// Questions of one kind; a model's score is its accuracy.
struct task {
    std::string name;
    std::vector<question> questions;
};

/// The accuracy of who guesses, every choice as likely: what a model has to be above to know anything.
inline double chance_of(const task& t) {
    double right = 0;
    for (const question& q : t.questions) {
        right += 1 / static_cast<double>(q.choices.size());
    }
    return t.questions.empty() ? 0.0 : right / static_cast<double>(t.questions.size());
}

namespace detail {

/// The model reads all tokens of a choice but the last. Choices that read the same share a run.
inline void plan_runs(question& q) {
    for (auto& choice : q.choices) {
        const std::vector<token> read(choice.tokens.begin(), choice.tokens.end() - 1);
        const auto found = std::find(q.runs.begin(), q.runs.end(), read);
        choice.run = static_cast<std::size_t>(found - q.runs.begin());
        if (found == q.runs.end()) {
            q.runs.push_back(read);
        }
    }
}

/// `encode(text)`: its tokens. `bad(what...)`: the error that says so of this line.
inline question make_question(const std::vector<std::string>& fields, std::size_t seq_len, const auto& encode,
                              const auto& bad) {
    const std::string& context = fields[1];
    const std::size_t choices = fields.size() - 3;
    question q{};
    const std::string& digits = fields[2];
    const bool number =
        !digits.empty() && digits.size() < 6 &&
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number || (q.answer = std::stoul(digits)) >= choices) {
        throw bad("answer \"", digits, "\" is no index of its ", choices, " choices");
    }

    const std::vector<token> alone = encode(context);
    q.shared = alone.size();
    for (std::size_t i = 3; i < fields.size(); ++i) {
        q.choices.push_back({0, encode(context + fields[i])});
        if (i - 3 != q.answer && fields[i] == fields[3 + q.answer]) {
            throw bad("choice ", i - 3, " is the same as the answer, choice ", q.answer);
        }
        const auto& both = q.choices.back().tokens;
        const auto differs = std::mismatch(alone.begin(), alone.end(), both.begin(), both.end()).first;
        q.shared = std::min(q.shared, static_cast<std::size_t>(differs - alone.begin()));
        if (both.size() - 1 > seq_len) {
            throw bad(both.size(), " tokens, more than the model's seq_len ", seq_len);
        }
    }
    for (const auto& choice : q.choices) {
        if (choice.tokens.size() == q.shared) {
            throw bad("a choice adds nothing to the context");
        }
    }
    plan_runs(q);
    return q;
}

} // namespace detail

/// task <tab> context <tab> index of the answer <tab> choice <tab> choice ...; lines from # on are comments. Read as
/// plain_text reads; characters that the tokenizer cannot encode are refused with their line, or noted where they are <unk>.
inline std::vector<task> load_tasks(const source& from, const tokenizer& tokens, std::size_t seq_len,
                                    remarks& notes) {
    std::vector<task> tasks;
    const std::string text = plain_text(from, notes);
    std::string_view rest = text;
    std::size_t lacking = 0;
    std::string first_lack;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = rest.find('\n');
        std::string_view row = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (row.empty() || row.starts_with('#')) {
            continue;
        }

        const auto bad = [&](const auto&... why) {
            return error(from.name, ": line ", number, ": ", why...);
        };
        const std::vector<std::string> fields = split_list(row, '\t');
        if (fields.size() < 5) {
            throw bad("a question needs 5 fields or more (two choices), here are ", fields.size());
        }
        if (fields[0].empty() || fields[0].find(',') != std::string::npos) {
            throw bad("a task's name must not be empty or hold a comma");
        }
        auto found =
            std::find_if(tasks.begin(), tasks.end(), [&](const task& t) { return t.name == fields[0]; });
        if (found == tasks.end()) {
            found = tasks.insert(tasks.end(), {fields[0], {}});
        }
        const auto encode = [&](const std::string& part) {
            return tokens.encode(part, [&](std::size_t, std::string_view character) {
                if (!tokens.has_unknown()) {
                    throw bad(tokens.lack_of(character));
                }
                first_lack =
                    first_lack.empty() ? line("line ", number, ": ", tokens.lack_of(character)) : first_lack;
            });
        };
        found->questions.push_back(detail::make_question(fields, seq_len, encode, bad));
        const auto& choices = found->questions.back().choices;
        lacking += std::any_of(choices.begin(), choices.end(), [](const question::choice& c) {
            return std::find(c.tokens.begin(), c.tokens.end(), tokenizer::unknown) != c.tokens.end();
        });
    }
    if (lacking > 0) {
        notes.add(from.name, ": ", lacking,
                  lacking == 1 ? " question has a character" : " questions have characters",
                  " that are read as <unk>; the first in ", first_lack);
    }
    if (tasks.empty()) {
        throw error(from.name, ": no question in it");
    }
    return tasks;
}
inline std::vector<task> load_tasks(const source& from, const tokenizer& tokens, std::size_t seq_len) {
    remarks ignored;
    return load_tasks(from, tokens, seq_len, ignored);
}

} // namespace app
