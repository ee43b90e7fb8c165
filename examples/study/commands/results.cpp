#include "commands/results.hpp"

#include "commands/origin.hpp"
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
    return s.label.empty() || !o.out ? all : all / s.label;
}

std::string describe(const subject& s) {
    const model_config& c = s.model.config;
    const std::size_t stories = s.use.stories > 0 ? s.use.stories : s.stories.size();
    return line(c.n_layers, " layers, width ", c.dim, ", ", c.hidden_dim, " neurons (", name(s.sigma), "), ",
                c.n_heads, " heads (", c.n_kv_heads, " key-value heads), vocabulary ", c.vocab_size,
                ", context ", c.seq_len,
                s.model.runs_in ? " (llama.cpp: " + s.model.runs_in->describe() + ")"
                                : line(", RoPE base ", c.rope_base, ", RMS norms' epsilon ", c.norm_eps),
                ". Text: ", s.text_name, ", ", stories, " stories, ",
                s.use.used == s.use.tokens ? std::string{}
                                           : line(s.use.used, " of their ", s.use.tokens, " tokens, "),
                s.stories.size() == stories ? std::string{} : line(s.stories.size(), " windows, "),
                s.predictions(), " next-token predictions.");
}

std::string measured_on(const subject& s) {
    return line(s.text_name, ", ", s.use.stories > 0 ? s.use.stories : s.stories.size(), " stories, ",
                s.predictions(), " predictions");
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

/// "report.{md,json}, sweep.svg": names with the endings that they have, in the order of the first.
std::string by_name(const std::vector<std::string>& files) {
    std::vector<std::pair<std::string, std::vector<std::string>>> all;
    for (const std::string& f : files) {
        const std::size_t dot = f.rfind('.');
        const std::string stem = f.substr(0, dot), ending = f.substr(dot + 1);
        auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == stem; });
        if (found == all.end()) {
            found = all.insert(all.end(), {stem, {}});
        }
        found->second.push_back(ending);
    }
    std::string text;
    for (const auto& [stem, endings] : all) {
        std::string list;
        for (const std::string& e : endings) {
            list += (list.empty() ? "" : ",") + e;
        }
        text += (text.empty() ? "" : ", ") + stem + (endings.size() > 1 ? ".{" + list + "}" : "." + list);
    }
    return text;
}

/// Writes a document; what there is to say of it then.
std::string write_and_tell(const std::filesystem::path& folder, const document& found) {
    const written w = write_document(folder, found);
    std::string text =
        wrapped("Written to " + folder.string() + ": " + by_name(w.files), document::screen_width);
    if (!w.all_drawn) {
        text +=
            "No picture where a .gp stands alone: gnuplot is missing or failed. `gnuplot NAME.gp` draws one.\n";
    }
    return text;
}

/// What a terminal shows: with `behind` it fills no more than its part of a screen.
std::string screen_of(const common_options& o, const document& found, const std::string& behind,
                      std::size_t documents) {
    if (o.details) {
        return found.plain() + (behind.empty() ? "" : "\n" + behind) + "\n";
    }
    const auto lines = [](const std::string& text) {
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    };
    const std::size_t most = document::screen_lines / documents;
    if (const std::string all = found.plain(document::screen_width) + "\n";
        found.brief && lines(all) <= most) {
        return all;
    }
    std::string text = found.screen(table::unlimited) + behind + "\n";
    for (std::size_t rows = document::screen_lines; lines(text) > most && rows > 2; --rows) {
        text = found.screen(rows) + behind + "\n";
    }
    return text;
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

/// Prints one of several documents, and writes it into a folder unless that is empty.
void give(const common_options& o, const std::filesystem::path& folder, const document& found,
          std::size_t number, std::size_t documents) {
    const bool list = documents > 1, last = number + 1 == documents;
    if (o.json) {
        print((!list         ? ""
               : number == 0 ? "[\n"
                             : "") +
              json_of(found) +
              (!list  ? "\n"
               : last ? "\n]\n"
                      : ",\n"));
    } else if (o.csv) {
        print(first_csv_of(found, number == 0));
    }
    std::string files;
    if (!folder.empty()) {
        files = write_and_tell(folder, found);
    } else if (last && !o.details && !found.brief) {
        files = "--out DIR keeps all tables and pictures; --details prints all of it.\n";
    }
    if (!o.json && !o.csv) {
        print(screen_of(o, found, files, documents));
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
    found.made = provenance_of(o);
    give(o, folder, found, 0, 1);
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
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        progress shown{o.plain_progress};
        document found = study_of(i, shown);
        found.model = subjects[i].name;
        if (found.measured.empty()) {
            found.measured = measured_on(subjects[i]);
        }
        shown.clear();
        remarks notes = o.notes;
        notes.merge(subjects[i].notes);
        notes.merge(found.notes);
        notes.merge(reasons_in(found));
        teller.tell(notes);
        found.notes = std::move(notes);
        if (o.out || o.json) {
            provenance made = provenance_of(o, subjects[i]);
            for (const auto& [name, value] : found.made.facts()) { // the command's own
                made.add(name, value);
            }
            found.made = std::move(made);
        }
        give(o, folder_of(o, subjects[i]), found, i, subjects.size());
        if (finished) {
            finished(i);
        }
    }
}

} // namespace app
