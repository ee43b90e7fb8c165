#pragma once

#include "support_desk.hpp"
#include "support_json.hpp"

#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

// docs/columns.md as a list, and CSV files as rows of fields.

namespace study_test {

struct csv_table {
    std::vector<std::string> names;
    std::vector<std::vector<std::string>> rows;

    std::vector<std::string> column(const std::string& name) const {
        std::vector<std::string> fields;
        for (std::size_t c = 0; c < names.size(); ++c) {
            for (std::size_t r = 0; names[c] == name && r < rows.size(); ++r) {
                fields.push_back(rows[r][c]);
            }
        }
        return fields;
    }
};
/// With quoted fields, as RFC 4180 has them.
inline csv_table csv_of(const std::string& text) {
    std::vector<std::vector<std::string>> lines(1, {""});
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
            lines.back().back() += text[++i];
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && c == ',') {
            lines.back().emplace_back();
        } else if (!quoted && c == '\n') {
            lines.push_back({""});
        } else {
            lines.back().back() += c;
        }
    }
    lines.pop_back(); // behind the last line's end
    csv_table t;
    t.names = lines.empty() ? std::vector<std::string>{} : lines.front();
    for (std::size_t r = 1; r < lines.size(); ++r) {
        REQUIRE(lines[r].size() == t.names.size());
        t.rows.push_back(lines[r]);
    }
    return t;
}
/// A column of a file of a run: fields by their names, not their places.
inline std::vector<std::string> column_of(const desk& d, const std::string& file, const std::string& name) {
    return csv_of(d.file(file)).column(name);
}

/// Every CSV in out/.
inline std::map<std::string, csv_table> tables_in(const desk& d) {
    std::map<std::string, csv_table> all;
    for (const auto& entry : std::filesystem::directory_iterator{d.folder / "out"}) {
        if (entry.path().extension() == ".csv") {
            all[entry.path().stem().string()] = csv_of(content(entry.path()));
        }
    }
    return all;
}
/// A value of JSON as the CSV has it.
inline std::string json_text(const json& value) {
    if (value.is_null()) {
        return {};
    }
    if (value.is_string()) {
        return value.get<std::string>();
    }
    return value.dump(); // 0.5, which is 0.500000 there
}
/// The tables of a report, as if they were files.
inline std::map<std::string, csv_table> tables_of(const json& report) {
    std::map<std::string, csv_table> all;
    for (const auto& [name, rows] : report.items()) {
        if (!rows.is_array() || rows.empty() || !rows[0].is_object()) {
            continue;
        }
        csv_table t;
        for (const auto& [column, value] : rows[0].items()) {
            t.names.push_back(column);
        }
        for (const auto& row : rows) {
            t.rows.emplace_back();
            for (const auto& column : t.names) {
                t.rows.back().push_back(json_text(row.at(column)));
            }
        }
        all[name] = std::move(t);
    }
    return all;
}

/// "command/file/column" to its shape, from the Markdown table.
using column_list = std::map<std::string, std::string>;
inline std::vector<std::string> parts_of(const std::string& text, const std::string& separator) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(separator, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + separator.size();
    }
    return parts;
}
inline column_list documented_columns(const std::string& text) {
    column_list all;
    for (const std::string& line : lines_of(text)) {
        const auto cells = parts_of(line, " | ");
        if (cells.size() != 6 || cells[0] == "| command") {
            continue;
        }
        for (const std::string& command : parts_of(cells[0].substr(2), ", ")) {
            for (const std::string& file : parts_of(cells[1], ", ")) {
                for (const std::string& column : parts_of(cells[2], ", ")) {
                    all[command + "/" + file + "/" + column] = cells[3];
                }
            }
        }
    }
    return all;
}
/// The list's key for a column; empty when there is none.
inline std::string key_of(const column_list& all, const std::string& command, const std::string& file,
                          const std::string& column) {
    for (const auto& [key, shape] : all) {
        const auto parts = parts_of(key, "/");
        const bool same = parts[2] == column || (parts[2].ends_with('*') &&
                                                 column.starts_with(parts[2].substr(0, parts[2].size() - 1)));
        if ((parts[0] == command || parts[0] == "all") && (parts[1] == file || parts[1] == "all") && same) {
            return key;
        }
    }
    return {};
}
inline std::string shape_of(const column_list& all, const std::string& command, const std::string& file,
                            const std::string& column) {
    const std::string key = key_of(all, command, file, column);
    return key.empty() ? std::string{} : all.at(key);
}
/// Whether a CSV's field is what its column's shape says; an empty one is.
inline bool has_shape(const std::string& field, const std::string& shape) {
    if (field.empty() || shape == "text") {
        return true;
    }
    if (shape == "flag") {
        return field == "true" || field == "false";
    }
    if (shape == "count") {
        return field.find_first_not_of("0123456789") == std::string::npos;
    }
    char* end = nullptr;
    std::strtod(field.c_str(), &end);
    return shape == "number" && end == field.c_str() + field.size() && !has(field, "nan");
}

/// Stories enough for a calibration, and points enough for a law.
inline void put_story_text(const desk& d) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
        for (int word = 0; word < 10; ++word) {
            text += pieces()[static_cast<std::size_t>(7 * i + 5 * word + word * word) % pieces().size()];
        }
        text += "the end\n<|endoftext|>\n";
    }
    put(d.folder / "text.txt", text);
}
inline void put_law_curve(const desk& d) {
    std::string text = "model,tokens,activation_ratio\n";
    for (int i = 0; i < 12; ++i) {
        const double tokens = 1e6 * std::pow(2.0, i);
        text += app::line("m,", static_cast<std::uint64_t>(tokens), ',',
                          std::exp(-3 * std::pow(tokens / 1e9, 0.5) - 0.7) + 0.08, '\n');
    }
    put(d.folder / "curve.csv", text);
}

} // namespace study_test
