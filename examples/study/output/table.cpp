#include "output/table.hpp"

#include "lists.hpp"

namespace app {
namespace {

std::string quoted(const std::string& field) {
    if (field.find_first_of(",\"\n\r") == std::string::npos) {
        return field;
    }
    std::string text = "\"";
    for (const char c : field) {
        text += c == '"' ? "\"\"" : std::string(1, c);
    }
    return text + '"';
}
std::string csv_line(const std::vector<std::string>& fields) {
    std::string text;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        text += (i == 0 ? "" : ",") + quoted(fields[i]);
    }
    return text + '\n';
}
std::string with_bars_escaped(const std::string& field) {
    std::string text;
    for (const char c : field) {
        text += c == '|' ? "\\|" : std::string(1, c);
    }
    return text;
}
/// A field in LaTeX: its special characters as themselves, a range with a dash.
std::string in_latex(const std::string& field) {
    std::string text;
    for (std::size_t i = 0; i < field.size(); ++i) {
        const char c = field[i];
        switch (c) {
            case '%':
                if (text.ends_with(' ')) {
                    text.back() = '\\';
                    text += ','; // a thin space
                }
                text += "\\%";
                break;
            case '&':
            case '#':
            case '$':
            case '_':
            case '{':
            case '}': text += std::string{"\\"} + c; break;
            case '\\': text += "\\textbackslash{}"; break;
            case '~': text += "\\textasciitilde{}"; break;
            case '^': text += "\\textasciicircum{}"; break;
            case '|': text += "\\textbar{}"; break;
            case '<': text += "\\textless{}"; break;
            case '>': text += "\\textgreater{}"; break;
            case '-':
                text += field == "-" ? "--" : field.substr(i > 0 ? i - 1 : 0, 3) == " - " ? "--" : "-";
                break;
            default: text += c;
        }
    }
    return text;
}

/// Characters, not bytes: a table of contexts has any text in it.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}
std::string cut(const std::string& text, std::size_t width) {
    if (width_of(text) <= width) {
        return text;
    }
    std::size_t bytes = 0;
    for (std::size_t seen = 0; bytes < text.size(); ++bytes) {
        const bool first = (static_cast<unsigned char>(text[bytes]) & 0xc0) != 0x80;
        if (first && seen++ + 3 >= width) {
            break;
        }
    }
    return text.substr(0, bytes) + "...";
}

} // namespace

std::string program_text(const cell& c) {
    return c.number && (c.data == "nan" || c.data == "null") ? std::string{} : c.data;
}

std::string wrapped(const std::string& text, std::size_t width) {
    std::string all, line;
    const auto end_line = [&] {
        all += line + '\n';
        line.clear();
    };
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
        const std::string word = text.substr(at, end - at);
        if (!line.empty() && width_of(line) + 1 + width_of(word) > width) {
            end_line();
        }
        line += (line.empty() ? "" : " ") + word;
        if (end < text.size() && text[end] == '\n') {
            end_line();
        }
        at = end + 1;
    }
    return line.empty() ? all : all + line + '\n';
}

std::string table::reason_of(const std::vector<cell>& row, bool all_reasons) {
    std::string all;
    for (const cell& c : row) {
        if (!c.why.empty() && (all_reasons || c.lost) && all.find(c.why) == std::string::npos) {
            all += (all.empty() ? "" : "; ") + c.why;
        }
    }
    return all;
}

std::vector<std::string> table::names() const {
    std::vector<std::string> all;
    for (const column& c : columns_) {
        if (c.who == column::people) {
            continue;
        }
        all.push_back(c.name);
        if (c.interval) {
            all.push_back(c.name + "_low");
            all.push_back(c.name + "_high");
        }
    }
    if (std::find(all.begin(), all.end(), "model") == all.end()) {
        all.push_back("model");
    }
    all.push_back("reason");
    return all;
}

table::program_row table::row(std::size_t number, const std::string& model) const {
    program_row all;
    bool has_model = false;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c].who == column::people) {
            continue;
        }
        const cell& here = rows_[number][c];
        all.emplace_back(columns_[c].name, here);
        has_model = has_model || columns_[c].name == "model";
        if (columns_[c].interval) {
            const auto end = [&](double v) {
                return here.within ? cell{"", fixed(v, 6), true} : missing_cell();
            };
            all.emplace_back(columns_[c].name + "_low", end(here.within ? here.within->low : 0));
            all.emplace_back(columns_[c].name + "_high", end(here.within ? here.within->high : 0));
        }
    }
    if (!has_model) {
        all.emplace_back("model", text_or_dash(model));
    }
    all.emplace_back("reason", text_or_dash(reason_of(rows_[number])));
    return all;
}

std::string table::csv(const std::string& model, bool head) const {
    std::string text = head ? csv_line(names()) : std::string{};
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        std::vector<std::string> line;
        for (const auto& [field, c] : row(r, model)) {
            line.push_back(program_text(c));
        }
        text += csv_line(line);
    }
    return text;
}

/// The head and the rows for people, with a column of reasons at the end if a row has one.
std::vector<std::vector<std::string>> table::shown() const {
    std::vector<std::vector<std::string>> lines(1 + rows_.size());
    bool reasons = false;
    each_reason([&](const std::string&) { reasons = true; });
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c].who == column::programs) {
            continue;
        }
        lines[0].push_back(columns_[c].head.empty() ? columns_[c].name : columns_[c].head);
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            lines[1 + r].push_back(rows_[r][c].shown);
        }
    }
    for (std::size_t r = 0; reasons && r <= rows_.size(); ++r) {
        lines[r].push_back(r == 0 ? "reason" : reason_of(rows_[r - 1]));
    }
    return lines;
}

std::string table::markdown() const {
    std::string text;
    for (const auto& fields : shown()) {
        const bool head = text.empty();
        for (const auto& f : fields) {
            text += "| " + with_bars_escaped(f) + " ";
        }
        text += "|\n";
        for (std::size_t i = 0; head && i < fields.size(); ++i) {
            text += i + 1 < fields.size() ? "|---" : "|---|\n";
        }
    }
    return text;
}

std::string table::latex() const {
    const auto lines = shown();
    std::string text = "% \\usepackage{booktabs}\n\\begin{tabular}{";
    for (std::size_t c = 0; c < lines[0].size(); ++c) { // numbers to the right
        bool numbers = !rows_.empty();
        for (std::size_t r = 1; r < lines.size(); ++r) {
            const std::string& f = lines[r][c];
            numbers = numbers && (f.empty() || f == "-" || (f[0] >= '0' && f[0] <= '9') || f[0] == '-');
        }
        text += numbers ? 'r' : 'l';
    }
    text += "}\n\\toprule\n";
    for (std::size_t r = 0; r < lines.size(); ++r) {
        for (std::size_t c = 0; c < lines[r].size(); ++c) {
            text += (c == 0 ? "" : " & ") + in_latex(lines[r][c]);
        }
        text += r == 0 ? " \\\\\n\\midrule\n" : " \\\\\n";
    }
    return text + "\\bottomrule\n\\end{tabular}\n";
}

std::string table::plain(std::size_t limit, std::size_t most_rows) const {
    auto lines = shown();
    const bool clipped = rows_.size() > most_rows;
    const std::size_t kept = clipped ? most_rows - 1 : rows_.size();
    lines.resize(1 + kept);
    std::vector<std::size_t> width(lines[0].size());
    const auto fit = [&](std::size_t first) {
        for (std::size_t l = first; l < lines.size(); ++l) {
            for (std::size_t i = 0; i < lines[l].size(); ++i) {
                width[i] = std::max(width[i], width_of(lines[l][i]));
            }
        }
    };
    const auto all_of = [&] {
        std::size_t all = 2 * (width.size() - 1);
        for (const std::size_t w : width) {
            all += w;
        }
        return all;
    };
    fit(0);
    if (limit != unlimited &&
        all_of() > limit) { // heads take several lines, then the widest column gives way
        std::fill(width.begin(), width.end(), 0);
        fit(1);
        std::vector<std::vector<std::string>> heads(1, std::vector<std::string>(width.size()));
        for (std::size_t i = 0; i < width.size(); ++i) {
            std::size_t longest = width[i];
            for (const std::string& word : split_list(lines[0][i], ' ')) {
                longest = std::max(longest, width_of(word));
            }
            width[i] = longest;
            const auto parts = split_list(wrapped(lines[0][i], longest), '\n'); // the last one is empty
            for (std::size_t l = 0; l + 1 < parts.size(); ++l) {
                if (l == heads.size()) {
                    heads.emplace_back(width.size());
                }
                heads[l][i] = parts[l];
            }
        }
        lines.erase(lines.begin());
        lines.insert(lines.begin(), heads.begin(), heads.end());
        while (all_of() > limit) {
            const auto widest = std::max_element(width.begin(), width.end());
            if (*widest <= 6) {
                break;
            }
            --*widest;
        }
    }
    std::string text;
    for (const auto& fields : lines) {
        std::string padded;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const std::string f = cut(fields[i], width[i]);
            padded += f + std::string(width[i] - width_of(f) + 2, ' ');
        }
        padded.resize(padded.find_last_not_of(' ') + 1);
        text += cut(padded, limit) + '\n';
    }
    if (clipped) {
        text += line("... ", rows_.size() - kept, " rows more\n");
    }
    return text;
}

} // namespace app
