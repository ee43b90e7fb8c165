#include "commands/kept_rows.hpp"

#include "input/file.hpp"
#include "input/hash.hpp"
#include "model/sha256.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace app {
namespace {

/// Of all that a row depends on, but its condition; by name, so that a refusal says what differs.
std::string fingerprint_of(const subject& s, const common_options& o) {
    fingerprint model, tasks;
    const model_config& c = s.model.config;
    for (const std::size_t size :
         {c.dim, c.hidden_dim, c.n_layers, c.n_heads, c.n_kv_heads, c.vocab_size, c.seq_len}) {
        model.add(std::uint64_t{size});
    }
    model.add(s.model.embedding).add(s.model.classifier).add(s.model.rms_final);
    for (const auto& l : s.model.layers) {
        for (const auto part : {l.rms_att, l.wq, l.wk, l.wv, l.wo, l.rms_ffn, l.w_gate, l.w_down, l.w_up}) {
            model.add(part);
        }
    }
    for (const auto& t : s.tasks) {
        tasks.add(t.name).add(t.questions.size());
        for (const auto& q : t.questions) {
            tasks.add(q.answer);
            for (const auto& choice : q.choices) {
                for (const token number : choice.tokens) {
                    tasks.add(static_cast<std::uint64_t>(number));
                }
            }
        }
    }
    if (s.model.runs_in) {
        const file bytes{*o.gguf};
        model.add(sha256(static_cast<source>(bytes).bytes));
    }
    return line("model=", model.hexadecimal(), " activation=", app::name(s.sigma), " rope_base=", c.rope_base,
                " norm_eps=", c.norm_eps, " stories=", s.text_hash, " tasks=", tasks.hexadecimal(),
                s.keep_tokens ? " per_token=1" : "", // rows that have no tokens cannot give them
                o.repack ? " repack=1" : "");
}

} // namespace

void kept_rows::open(const subject& s, const std::string& also, const std::vector<condition>& wanted) {
    if (!o_->out) {
        return;
    }
    store_ = {folder_of(*o_, s) / "rows.state", fingerprint_of(s, *o_) + also, resume_};
    if (resume_) {
        say_resumed(wanted);
    }
}

void kept_rows::finish() {
    if (const std::size_t others = o_->out ? store_.finish() : 0; others != 0) {
        say(line(store_.path().string(), " stays: ", others,
                 " rows in it were not asked for; --resume with more sites or values takes them"));
    }
}

void kept_rows::say(const std::string& text) const {
    if (o_->json || o_->csv) {
        std::fprintf(stderr, "%s\n", text.c_str());
    } else {
        print(text + "\n\n");
    }
}
void kept_rows::say_resumed(const std::vector<condition>& wanted) const {
    if (store_.found() + store_.damaged() == 0) {
        say(line("Nothing to resume in ", store_.path().parent_path().string(), ": all ",
                 wanted.empty() ? std::string{} : line(wanted.size(), ' '), "rows will be measured."));
        return;
    }
    const auto there = std::count_if(wanted.begin(), wanted.end(),
                                     [&](const condition& c) { return store_.has(row_store::label_of(c)); });
    std::string text =
        line("Resumed: ", wanted.empty() ? line(store_.found()) : line(there, " of ", wanted.size()),
             " rows are in ", store_.path().string());
    if (store_.damaged() != 0) {
        text += line(" (", store_.damaged(), " more cut off or damaged: measured again)");
    }
    say(text);
}
std::string kept_rows::way_on() const {
    return line(store_.kept(), " rows are kept in ", store_.path().string(),
                ": the same command with --resume goes on");
}

} // namespace app
