#include "commands/results.hpp"

#include "error.hpp"
#include "output/write.hpp"
#include "settings.hpp"

#include <cerrno>
#include <cstdio>
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
    return line(c.n_layers, " layers, width ", c.dim, ", ", c.hidden_dim, " neurons (", name(s.sigma), "), ",
                c.n_heads, " heads (", c.n_kv_heads, " key-value heads), vocabulary ", c.vocab_size,
                ", context ", c.seq_len, ". Text: ", s.text_name, ", ", s.stories.size(), " stories, ",
                s.predictions(), " next-token predictions.");
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

/// `before` and `behind` make a list of JSON objects of several.
void print_document(const common_options& o, const document& found, const char* before, const char* behind) {
    if (o.json) {
        print(before + json_of(found) + behind);
    } else {
        print(o.csv ? first_csv_of(found) : found.plain() + "\n");
    }
}

} // namespace

void show_document(const common_options& o, const std::filesystem::path& folder, const document& found) {
    const folder_lock mine = folder.empty() ? folder_lock{} : prepare_folder(folder);
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
    const bool list = subjects.size() > 1;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        progress shown{o.plain_progress};
        document found = study_of(i, shown);
        found.model = subjects[i].name;
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
