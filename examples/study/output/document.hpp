#pragma once

#include "output/files.hpp"
#include "remarks.hpp"

#include <tamis/study/figure.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace app {

// What a command found, once: shown as text on a terminal, and written as Markdown, CSV and JSON.

/// A field of a table: what people read, and what programs read.
struct cell {
    std::string shown, data;
    bool number = false; ///< whether `data` is one, for JSON
    std::string why{};   ///< why the number is none (NaN); its row says so
    bool lost = true;    ///< whether the reason is that values were lost, which stderr says, too
};
inline cell text_cell(const std::string& text) { return {text, text, false}; }
/// A cell of a figure that may be no number, with the reason it has then.
inline cell with_reason(cell c, double figure, const std::string& why) {
    if (!tamis::study::is_finite(figure)) {
        c.why = why.empty() ? "a figure is not finite" : why;
    }
    return c;
}
inline cell number_cell(double value, int decimals, const std::string& why = {}) {
    return with_reason({fixed(value, decimals), fixed(value, std::max(decimals, 6)), true}, value, why);
}
inline cell share_cell(double share, int decimals = 2, const std::string& why = {}) {
    return with_reason({percent(share, decimals), fixed(share, 6), true}, share, why);
}
inline cell count_cell(std::uint64_t count) { return {std::to_string(count), std::to_string(count), true}; }
/// For people a dash, for programs the value all the same.
inline cell dash_cell(double value) { return {"-", fixed(value, 6), true}; }

struct column {
    enum audience { all, people, programs };
    std::string name; ///< for programs
    std::string head; ///< for people; empty: the name
    audience who = all;
};

/// Rows of cells under columns. Its name is that of its CSV file and its key in JSON.
class table {
  public:
    table(std::string table_name, std::vector<column> columns)
        : name{std::move(table_name)}, columns_{std::move(columns)} {}

    void add(std::vector<cell> row) { rows_.push_back(std::move(row)); }
    std::size_t size() const { return rows_.size(); }

    std::string csv() const {
        std::string text;
        each_line(column::people, true, [&](const std::vector<std::string>& fields) {
            for (std::size_t i = 0; i < fields.size(); ++i) {
                text += (i == 0 ? "" : ",") + quoted(fields[i]);
            }
            text += '\n';
        });
        return text;
    }
    std::string markdown() const {
        std::string text;
        each_line(column::programs, false, [&](const std::vector<std::string>& fields) {
            const bool head = text.empty();
            for (const auto& f : fields) {
                text += "| " + with_bars_escaped(f) + " ";
            }
            text += "|\n";
            for (std::size_t i = 0; head && i < fields.size(); ++i) {
                text += i + 1 < fields.size() ? "|---" : "|---|\n";
            }
        });
        return text;
    }
    std::string plain() const {
        std::vector<std::size_t> width;
        each_line(column::programs, false, [&](const std::vector<std::string>& fields) {
            width.resize(fields.size());
            for (std::size_t i = 0; i < fields.size(); ++i) {
                width[i] = std::max(width[i], fields[i].size());
            }
        });
        std::string text;
        each_line(column::programs, false, [&](const std::vector<std::string>& fields) {
            std::string padded;
            for (std::size_t i = 0; i < fields.size(); ++i) {
                padded += fields[i] + std::string(width[i] - fields[i].size() + 2, ' ');
            }
            text += padded.substr(0, padded.find_last_not_of(' ') + 1) + '\n';
        });
        return text;
    }
    /// Why numbers of a row are none: each reason once; empty when all are numbers.
    static std::string reason_of(const std::vector<cell>& row, bool all_reasons = true) {
        std::string all;
        for (const cell& c : row) {
            if (!c.why.empty() && (all_reasons || c.lost) && all.find(c.why) == std::string::npos) {
                all += (all.empty() ? "" : "; ") + c.why;
            }
        }
        return all;
    }
    /// Calls f(reason) for each row that has one: of all reasons, or that values were lost.
    template <class F>
    void each_reason(F&& f, bool all_reasons = true) const {
        for (const auto& row : rows_) {
            if (const std::string reason = reason_of(row, all_reasons); !reason.empty()) {
                f(reason);
            }
        }
    }

    /// Calls row(), then field(name, cell) for each of its fields that programs read.
    template <class Row, class Field>
    void each_field(Row&& begin_row, Field&& field) const {
        for (const auto& row : rows_) {
            begin_row();
            for (std::size_t c = 0; c < columns_.size(); ++c) {
                if (columns_[c].who != column::people) {
                    field(columns_[c].name, row[c]);
                }
            }
            if (const std::string reason = reason_of(row); !reason.empty()) {
                field("reason", text_cell(reason));
            }
        }
    }

    std::string name;
    bool csv_only = false; ///< too long for anything but its CSV

  private:
    /// Calls line(fields) for the head and each row, without the columns that are for the other audience, and with a column of
    /// reasons at the end if a row has one.
    template <class Line>
    void each_line(column::audience left_out, bool data, Line&& line) const {
        std::vector<std::string> fields;
        bool reasons = false;
        each_reason([&](const std::string&) { reasons = true; });
        const auto gather = [&](auto&& field, const std::string& reason) {
            fields.clear();
            for (std::size_t c = 0; c < columns_.size(); ++c) {
                if (columns_[c].who != left_out) {
                    fields.push_back(field(c));
                }
            }
            if (reasons) {
                fields.push_back(reason);
            }
            line(fields);
        };
        gather(
            [&](std::size_t c) {
                return data || columns_[c].head.empty() ? columns_[c].name : columns_[c].head;
            },
            "reason");
        for (const auto& row : rows_) {
            gather([&](std::size_t c) { return data ? row[c].data : row[c].shown; }, reason_of(row));
        }
    }
    static std::string with_bars_escaped(const std::string& field) {
        std::string text;
        for (const char c : field) {
            text += c == '|' ? "\\|" : std::string(1, c);
        }
        return text;
    }
    static std::string quoted(const std::string& field) {
        if (field.find_first_of(",\"\n\r") == std::string::npos) {
            return field;
        }
        std::string text = "\"";
        for (const char c : field) {
            text += c == '"' ? "\"\"" : std::string(1, c);
        }
        return text + '"';
    }

    std::vector<column> columns_;
    std::vector<std::vector<cell>> rows_;
};

/// A gnuplot script that writes an SVG to standard output; its name is that of its files.
struct picture {
    std::string name, title, script;
};

/// Paragraphs, headings, tables and pictures in the order in which they are read.
class document {
    struct remark {
        std::string text;
    };

  public:
    explicit document(std::string title) : title_{std::move(title)} {}

    void heading(std::string text) { parts_.push_back(std::string{"## "} + std::move(text)); }
    void paragraph(std::string text) { parts_.push_back(std::move(text)); }
    /// Explains; in the report alone, not on a terminal.
    void note(std::string text) { parts_.push_back(remark{std::move(text)}); }
    void add(table t) { parts_.push_back(std::move(t)); }
    /// A table for programs alone: CSV and JSON.
    void add_data(table t) { data_.push_back(std::move(t)); }
    void add(picture p) { parts_.push_back(std::move(p)); }

    const std::string& title() const { return title_; }
    std::string model; ///< that it is about, for programs; empty: none
    /// The first paragraph: the model and what was done to it. Empty when there is none.
    std::string about() const {
        for (const auto& part : parts_) {
            if (const auto* words = std::get_if<std::string>(&part);
                words != nullptr && !words->starts_with("## ")) {
                return *words;
            }
        }
        return {};
    }
    remarks notes; ///< in the report and in JSON; on a terminal they are printed apart, on stderr
    std::string plain() const;
    /// `drawn(picture)` tells whether its SVG is there.
    template <class Drawn>
    std::string markdown(Drawn&& drawn) const {
        std::string text = "# " + title_ + "\n";
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
            } else if (const auto& p = std::get<picture>(part); drawn(p)) {
                text += "\n![" + p.title + "](" + p.name + ".svg)\n";
            }
        }
        return text;
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

  private:
    std::string title_;
    std::vector<std::variant<std::string, remark, table, picture>> parts_;
    std::vector<table> data_;
};

inline std::string document::plain() const {
    std::string text = title_ + "\n";
    for (const auto& part : parts_) {
        if (const auto* words = std::get_if<std::string>(&part)) {
            text += "\n" + (words->starts_with("## ") ? words->substr(3) : *words) + "\n";
        } else if (const auto* t = std::get_if<table>(&part)) {
            text += "\n" + t->plain();
        }
    }
    return text;
}

} // namespace app
