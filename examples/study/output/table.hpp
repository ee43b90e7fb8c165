#pragma once

#include "output/files.hpp"

#include <tamis/study/figure.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app {

// Figures in rows and columns, once for people and once for programs.
//
// What programs read has one dialect in CSV and JSON: a number in all its decimals; what there is no figure for is an empty field
// and null (the row's `reason` says why); an infinity is inf or -inf, as text in JSON, which has none; true and false.

/// Between which a figure lies, as a sample tells.
struct interval {
    double low, high;
};
/// " (34.1 - 38.7)"; an end that lies beyond all that was measured is said to.
inline std::string in_brackets(const interval& i, double scale, int decimals) {
    const auto end = [&](double v) {
        return tamis::study::is_finite(v) ? fixed(scale * v, decimals) : std::string{"beyond"};
    };
    return " (" + end(i.low) + " - " + end(i.high) + ")";
}

/// A field of a table: what people read, and what programs read.
struct cell {
    std::string shown, data;
    bool number = false;              ///< whether `data` is one (or true, or false), for JSON
    std::string why{};                ///< why the number is none (NaN); its row says so
    bool lost = true;                 ///< whether the reason is that values were lost, which stderr says, too
    std::optional<interval> within{}; ///< of a column that has intervals
};
inline cell text_cell(const std::string& text) { return {text, text, false}; }
/// For people a dash, for programs nothing.
inline cell missing_cell() { return {"-", "", true}; }
inline cell text_or_dash(const std::string& text) {
    return text.empty() || text == "-" ? cell{"-", "", false} : text_cell(text);
}
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
/// The same with the interval of the figure, if it has one: "36.5 % (34.1 - 38.7)".
inline cell share_cell(double share, const std::optional<interval>& within, int decimals = 1,
                       const std::string& why = {}) {
    cell c = share_cell(share, decimals, why);
    if (within) {
        c.shown += in_brackets(*within, 100, decimals);
        c.within = within;
    }
    return c;
}
inline cell number_cell(double value, const std::optional<interval>& within, int decimals,
                        const std::string& why = {}) {
    cell c = number_cell(value, decimals, why);
    if (within) {
        c.shown += in_brackets(*within, 1, decimals);
        c.within = within;
    }
    return c;
}
inline cell count_cell(std::uint64_t count) { return {std::to_string(count), std::to_string(count), true}; }
inline cell bool_cell(bool yes) { return {yes ? "yes" : "no", yes ? "true" : "false", true}; }
/// A number as the user typed it, for programs as a number.
inline cell typed_cell(const std::string& typed, double number) {
    return typed == "-" ? missing_cell() : cell{typed, shortest(number), true};
}
/// For people a dash, for programs the value all the same.
inline cell dash_cell(double value) { return {"-", fixed(value, 6), true}; }

struct column {
    enum audience { all, people, programs };
    std::string name; ///< for programs
    std::string head; ///< for people; empty: the name
    audience who = all;
    bool interval = false; ///< programs get <name>_low and <name>_high behind it
};

/// Rows of cells under columns. Its name is that of its CSV file and its key in JSON.
class table {
  public:
    table(std::string table_name, std::vector<column> columns)
        : name{std::move(table_name)}, columns_{std::move(columns)} {}

    void add(std::vector<cell> row) { rows_.push_back(std::move(row)); }
    std::size_t size() const { return rows_.size(); }
    const std::vector<column>& columns() const { return columns_; }

    /// What programs read ends with the columns `model` (unless the table has its own) and `reason`, whatever the rows are.
    std::string csv(const std::string& model = {}, bool head = true) const;
    std::string markdown() const;
    /// booktabs' tabular, to be \input; its first lines say what it is.
    std::string latex() const;
    /// At most so many characters wide (texts are cut) and so many rows (the last line says how many more there are, and where).
    std::string plain(std::size_t width = unlimited, std::size_t rows = unlimited) const;
    static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

    /// Why numbers of a row are none: each reason once; empty when all are numbers.
    static std::string reason_of(const std::vector<cell>& row, bool all_reasons = true);
    /// Calls f(reason) for each row that has one: of all reasons, or that values were lost.
    template <class F>
    void each_reason(F&& f, bool all_reasons = true) const {
        for (const auto& row : rows_) {
            if (const std::string reason = reason_of(row, all_reasons); !reason.empty()) {
                f(reason);
            }
        }
    }

    /// A row for programs: names and cells.
    using program_row = std::vector<std::pair<std::string, cell>>;
    /// The fields' names, when there is no row.
    std::vector<std::string> names() const;
    program_row row(std::size_t number, const std::string& model) const;

    std::string name;
    bool csv_only = false; ///< too long for anything but its CSV

  private:
    std::vector<std::vector<std::string>> shown() const;

    std::vector<column> columns_;
    std::vector<std::vector<cell>> rows_;
};

/// A cell's text in CSV: empty for what is no figure.
std::string program_text(const cell& c);
/// A text in lines of at most `width`, broken at blanks.
std::string wrapped(const std::string& text, std::size_t width);

} // namespace app
