#include "commands/results.hpp"

#include "error.hpp"
#include "output/write.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace app {

void print(const std::string& text) {
    errno = 0;
    if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
        throw write_error("standard output", errno);
    }
}

std::filesystem::path folder_of(const common_options& o, const subject& s) {
    const std::filesystem::path all{o.out.value_or("")};
    return s.label.empty() ? all : all / s.label;
}

std::string describe(const subject& s) {
    const model_config& c = s.model.config;
    const std::size_t stories = s.use.stories > 0 ? s.use.stories : s.stories.size();
    return line(c.n_layers, " layers, width ", c.dim, ", ", c.hidden_dim, " neurons (", name(s.sigma), "), ",
                c.n_heads, " heads (", c.n_kv_heads, " key-value heads), vocabulary ", c.vocab_size,
                ", context ", c.seq_len, ", RoPE base ", c.rope_base, ", RMS norms' epsilon ", c.norm_eps,
                ". Text: ", s.text_name, ", ", stories, " stories, ",
                s.use.used == s.use.tokens ? std::string{}
                                           : line(s.use.used, " of their ", s.use.tokens, " tokens, "),
                s.stories.size() == stories ? std::string{} : line(s.stories.size(), " windows, "),
                s.predictions(), " next-token predictions.");
}

remarks notes_on(const subject& s, const measurement& dense) {
    remarks notes;
    const double perplexity = dense.text.perplexity();
    if (perplexity > static_cast<double>(s.model.config.vocab_size)) {
        notes.add(s.name, " on ", s.text_name, ": the dense model's PPL is ", perplexity,
                  ", more than its vocabulary's ", s.model.config.vocab_size,
                  ": worse than guessing evenly. Checkpoint, tokenizer, activation and text may ",
                  "not belong together");
    }
    return notes;
}

namespace {

/// Writes a document and says what there is now.
void write_and_say(const common_options& o, const std::filesystem::path& folder, const document& found) {
    const written w = write_document(folder, found);
    if (o.json || o.csv) {
        return;
    }
    std::string files;
    for (const auto& f : w.files) {
        files.append(files.empty() ? "" : ", ").append(f);
    }
    print("Written to " + folder.string() + ": " + files + "\n");
    if (!w.all_drawn) {
        print(
            "No picture where a .gp stands: gnuplot is missing or failed. With it, `gnuplot NAME.gp >NAME.svg` draws "
            "one.\n");
    }
    print("\n");
}

/// That figures lost values and are NaN, and why: a note a table and reason, and no more than a screen has room for.
remarks reasons_in(const document& found) {
    constexpr std::size_t most = 8;
    remarks all, shown;
    found.each<table>([&](const table& t) {
        t.each_reason([&](const std::string& reason) { all.add(t.name, ": figures are nan: ", reason); },
                      false);
    });
    const std::size_t count = all.all().size();
    for (std::size_t i = 0; i < std::min(most, count); ++i) {
        shown.add(all.all()[i]);
    }
    if (count > most) {
        shown.add("and ", count - most, " reasons more, in the tables");
    }
    return shown;
}

/// `before` and `behind` make a list of JSON objects of several.
void print_document(const common_options& o, const document& found, const char* before, const char* behind) {
    if (o.json) {
        print(before + json_of(found) + behind);
    } else {
        print(o.csv ? first_csv_of(found) : found.plain() + "\n");
    }
}

/// Prints notes on stderr, each sentence once in a run.
class note_teller {
  public:
    void tell(const remarks& notes) {
        std::size_t next = told_.all().size();
        told_.merge(notes);
        for (; next < told_.all().size(); ++next) {
            std::fprintf(stderr, "tamis-study: note: %s\n", told_.all()[next].c_str());
        }
    }

  private:
    remarks told_;
};

} // namespace

void show_document(const common_options& o, const std::filesystem::path& folder, document found) {
    const folder_lock mine = folder.empty() ? folder_lock{} : prepare_folder(folder);
    found.notes.merge(o.notes);
    found.notes.merge(reasons_in(found));
    note_teller{}.tell(found.notes);
    print_document(o, found, "", "\n");
    if (!folder.empty()) {
        write_and_say(o, folder, found);
    }
}

void for_each_subject(const common_options& o, inputs& models,
                      const std::function<document(std::size_t, progress&)>& study_of,
                      const std::function<void(std::size_t)>& finished) {
    const auto& subjects = models.subjects();
    std::vector<folder_lock> mine;
    for (const auto& s : subjects) {
        if (o.out) {
            mine.push_back(prepare_folder(folder_of(o, s)));
        }
    }
    note_teller teller;
    teller.tell(o.notes);
    for (const auto& s : subjects) {
        teller.tell(s.notes); // better to know before hours of measuring
    }
    const bool list = subjects.size() > 1;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        progress shown{o.plain_progress};
        document found = study_of(i, shown);
        found.model = subjects[i].name;
        shown.clear();
        remarks notes = o.notes;
        notes.merge(subjects[i].notes);
        notes.merge(found.notes);
        notes.merge(reasons_in(found));
        teller.tell(notes);
        found.notes = std::move(notes);
        const bool last = i + 1 == subjects.size();
        print_document(o, found, !list ? "" : i == 0 ? "[\n" : "", !list ? "\n" : last ? "\n]\n" : ",\n");
        if (o.out) {
            write_and_say(o, folder_of(o, subjects[i]), found);
        }
        if (finished) {
            finished(i);
        }
    }
}

} // namespace app
