#include "commands/results.hpp"

#include "error.hpp"
#include "output/write.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace app {

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    if (std::fflush(stdout) != 0) {
        throw error("standard output: cannot be written");
    }
}

std::filesystem::path folder_of(const common_options& o, const subject& s) {
    const std::filesystem::path all{o.out.value_or("")};
    return s.label.empty() ? all : all / s.label;
}

std::string describe(const subject& s) {
    const model_config& c = s.model.config;
    return line(c.n_layers, " layers, width ", c.dim, ", ", c.hidden_dim, " neurons (", name(s.sigma), "), ",
                c.n_heads, " heads (", c.n_kv_heads, " key-value heads), vocabulary ", c.vocab_size,
                ", context ", c.seq_len, ", RoPE base ", c.rope_base, ", RMS norms' epsilon ", c.norm_eps,
                ". Text: ", s.text_name, ", ", s.stories.size(), " stories, ", s.predictions(),
                " next-token predictions.");
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

/// On stderr, which is read when standard output goes into a file: that figures lost values and are NaN, and why. A line a
/// table and reason, and no more than a screen has room for.
void say_reasons(const document& found) {
    constexpr std::size_t most = 8;
    std::vector<std::string> said;
    found.each<table>([&](const table& t) {
        t.each_reason(
            [&](const std::string& reason) {
                std::string what = t.name + ": figures are nan: " + reason;
                if (std::find(said.begin(), said.end(), what) == said.end()) {
                    said.push_back(std::move(what));
                }
            },
            false);
    });
    for (std::size_t i = 0; i < std::min(most, said.size()); ++i) {
        std::fprintf(stderr, "tamis-study: %s\n", said[i].c_str());
    }
    if (said.size() > most) {
        std::fprintf(stderr, "tamis-study: and %zu reasons more, in the tables\n", said.size() - most);
    }
}

/// `before` and `behind` make a list of JSON objects of several.
void print_document(const common_options& o, const document& found, const char* before, const char* behind) {
    if (o.json) {
        print(before + json_of(found) + behind);
    } else {
        print(o.csv ? first_csv_of(found) : found.plain() + "\n");
    }
    say_reasons(found);
}

} // namespace

void show_document(const common_options& o, const std::filesystem::path& folder, const document& found) {
    if (!folder.empty()) {
        prepare_folder(folder);
    }
    print_document(o, found, "", "\n");
    if (!folder.empty()) {
        write_and_say(o, folder, found);
    }
}

void for_each_subject(const common_options& o, inputs& models,
                      const std::function<document(std::size_t, progress&)>& study_of,
                      const std::function<void(std::size_t)>& finished) {
    const auto& subjects = models.subjects();
    for (const auto& s : subjects) {
        if (o.out) {
            prepare_folder(folder_of(o, s));
        }
    }
    const bool list = subjects.size() > 1;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        progress shown{o.plain_progress};
        const document found = study_of(i, shown);
        shown.clear();
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
