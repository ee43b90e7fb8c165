#pragma once

#include "output/provenance.hpp"
#include "output/table.hpp"
#include "remarks.hpp"

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace app {

// What a command found, once: shown on a terminal as one screen (or in whole), and written as Markdown, LaTeX, CSV and JSON.

/// A gnuplot script that writes an SVG to standard output; its name is that of its files.
struct picture {
    std::string name, title, script;
};

/// Paragraphs, headings, tables and pictures in the order in which they are read.
class document {
    struct remark {
        std::string text;
    };
    struct shown_only {
        table t;
    };

  public:
    explicit document(std::string title) : title_{std::move(title)} {}

    /// What was found, in a sentence; it stands under the title, and on the screen.
    void headline(std::string sentence) { headlines_.push_back(std::move(sentence)); }
    /// The one table of the screen. Programs do not get it: it is made of the others.
    void on_screen(table t) { screen_.assign(1, std::move(t)); }

    void heading(std::string text) { parts_.push_back(std::string{"## "} + std::move(text)); }
    void paragraph(std::string text) { parts_.push_back(std::move(text)); }
    /// Explains; in the report alone, not on a terminal.
    void note(std::string text) { parts_.push_back(remark{std::move(text)}); }
    void add(table t) { parts_.push_back(std::move(t)); }
    /// A table for people alone: in the report and LaTeX.
    void add_shown(table t) { parts_.push_back(shown_only{std::move(t)}); }
    /// A table for programs alone: CSV and JSON.
    void add_data(table t) { data_.push_back(std::move(t)); }
    void add(picture p) { parts_.push_back(std::move(p)); }
    /// A file that the command itself left beside the document's.
    void add_file(std::string name) { files_.push_back(std::move(name)); }

    const std::string& title() const { return title_; }
    const std::vector<std::string>& headlines() const { return headlines_; }
    const std::vector<std::string>& files() const { return files_; }
    std::string model;    ///< that it is about, for programs; empty: none
    std::string measured; ///< "stories.txt, 75 stories, 12034 predictions": behind the title
    remarks notes;        ///< in the report and in JSON; on a terminal they are printed apart, on stderr
    provenance made{};    ///< how; empty where it is not known
    bool brief = false;   ///< all of it is for the screen, as far as it fits
    /// The first paragraph: the model and what was done to it. Empty when there is none.
    std::string about() const;

    /// All of it. `screen`: title, headlines and one table (the one for the screen, or the first), at most so many rows.
    std::string plain(std::size_t width = table::unlimited) const;
    std::string screen(std::size_t rows) const;
    static constexpr std::size_t screen_width = 100, screen_lines = 40;

    /// `drawn(picture)` tells whether its SVG is there.
    template <class Drawn>
    std::string markdown(Drawn&& drawn) const {
        std::string text = "# " + title_ + "\n";
        for (const auto& sentence : headlines_) {
            text += "\n**" + sentence + "**\n";
        }
        for (const auto& sentence : notes.all()) {
            text += "\n> Note: " + sentence + "\n";
        }
        for (const auto& part : parts_) {
            if (const auto* words = std::get_if<std::string>(&part)) {
                text += "\n" + *words + "\n";
            } else if (const auto* r = std::get_if<remark>(&part)) {
                text += "\n" + r->text + "\n";
            } else if (const auto* t = std::get_if<table>(&part)) {
                text += "\n" + t->markdown();
            } else if (const auto* only = std::get_if<shown_only>(&part)) {
                text += "\n" + only->t.markdown();
            } else if (const auto& p = std::get<picture>(part); drawn(p)) {
                text += "\n![" + p.title + "](" + p.name + ".svg)\n";
            }
        }
        return made.empty() ? text : text + "\n## How this was made\n\n" + made.comment("    ");
    }
    template <class Part, class F>
    void each(F&& f) const {
        for (const auto& part : parts_) {
            if (const auto* p = std::get_if<Part>(&part)) {
                f(*p);
            }
        }
        if constexpr (std::is_same_v<Part, table>) {
            for (const table& t : data_) {
                f(t);
            }
        }
    }

    /// The tables that people read.
    template <class F>
    void each_shown_table(F&& f) const {
        for (const auto& part : parts_) {
            if (const auto* t = std::get_if<table>(&part)) {
                f(*t);
            } else if (const auto* only = std::get_if<shown_only>(&part)) {
                f(only->t);
            }
        }
    }

  private:
    std::string title_;
    std::vector<std::string> headlines_, files_;
    std::vector<std::variant<std::string, remark, table, shown_only, picture>> parts_;
    std::vector<table> data_, screen_;
};

} // namespace app
