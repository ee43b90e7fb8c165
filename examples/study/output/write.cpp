#include "output/write.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <system_error>

namespace app {
namespace {

using json = nlohmann::ordered_json;

/// A cell for programs: null for what there is no figure for (the row's field "reason" says why); an infinity is a text.
json json_of(const cell& c) {
    const std::string text = program_text(c);
    if (text.empty() && (c.number || c.shown != c.data)) {
        return nullptr;
    }
    if (!c.number) {
        return text;
    }
    json value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json(text) : value;
}
json json_of(const provenance& made) {
    json all = json::object();
    for (const auto& [name, value] : made.facts()) {
        all[name] = value;
    }
    return all;
}
std::string text_of(const json& j) { return j.dump(1, ' ', false, json::error_handler_t::replace); }

/// What a shell command prints, or nothing when it fails.
std::string output_of(const std::string& command) {
    std::string text;
    std::FILE* const from = ::popen(command.c_str(), "r");
    if (from == nullptr) {
        return text;
    }
    char part[4096];
    for (std::size_t n; (n = std::fread(part, 1, sizeof part, from)) > 0;) {
        text.append(part, n);
    }
    return ::pclose(from) == 0 ? text : std::string{};
}
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return result + "'";
}

/// What gnuplot draws, with how it was made as its metadata; empty when it is not there, or failed.
std::string svg_of(const std::filesystem::path& script, const provenance& made) {
    std::string svg = output_of("gnuplot " + quoted(script.string()) + " 2>/dev/null");
    if (svg.find("</svg>") == std::string::npos) { // the end of it
        return {};
    }
    const std::size_t tag = svg.find("<svg"), inside = svg.find('>', tag);
    std::string facts;
    for (const char c : made.comment("")) {
        facts += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    }
    if (tag != std::string::npos && inside != std::string::npos && !facts.empty()) {
        svg.insert(inside + 1, "\n<metadata>\n" + facts + "</metadata>");
    }
    return svg;
}
/// The same as a PDF; not every gnuplot can make one. Comments stand behind its end, which is then said once more.
std::string pdf_of(const std::filesystem::path& script, const provenance& made) {
    std::string pdf = output_of("gnuplot -e 'as_pdf = 1' " + quoted(script.string()) + " 2>/dev/null");
    const std::size_t place = pdf.rfind("startxref");
    if (!pdf.starts_with("%PDF") || place == std::string::npos) {
        return {};
    }
    return pdf + (pdf.ends_with('\n') ? "" : "\n") + made.comment("% ") + pdf.substr(place);
}

/// Writes the script NAME.gp and what gnuplot makes of it. Files of an older run do not stay.
bool draw(const std::filesystem::path& folder, const document& d, const picture& p,
          std::vector<std::string>& files) {
    const auto script = folder / (p.name + ".gp");
    write_file(script, "# gnuplot " + p.name + ".gp >" + p.name + ".svg (gnuplot -e 'as_pdf = 1' ... >" +
                           p.name + ".pdf)\n" + d.made.comment("# ") + p.script);
    const auto put = [&](const char* ending, const std::string& content) {
        const auto path = folder / (p.name + ending);
        if (content.empty()) {
            std::error_code ignored;
            std::filesystem::remove(path, ignored);
        } else {
            write_file(path, content);
            files.push_back(p.name + ending);
        }
        return !content.empty();
    };
    const bool drawn = put(".svg", svg_of(script, d.made));
    put(".pdf", drawn ? pdf_of(script, d.made) : std::string{});
    files.push_back(p.name + ".gp");
    return drawn;
}

} // namespace

written write_document(const std::filesystem::path& folder, const document& d) {
    written result;
    const auto put = [&](const std::string& name, const std::string& content) {
        write_file(folder / name, content);
        result.files.push_back(name);
    };
    d.each<table>([&](const table& t) { put(t.name + ".csv", t.csv(d.model)); });
    d.each_shown_table([&](const table& t) { put(t.name + ".tex", d.made.comment("% ") + t.latex()); });
    std::map<std::string, bool> drawn;
    d.each<picture>([&](const picture& p) {
        drawn[p.name] = draw(folder, d, p, result.files);
        result.all_drawn = result.all_drawn && drawn[p.name];
    });
    if (!d.made.empty()) {
        put("provenance.json", text_of(json_of(d.made)) + "\n");
    }
    result.files.insert(result.files.end(), d.files().begin(), d.files().end());
    put("report.json", json_of(d) + "\n");
    put("report.md", d.markdown([&](const picture& p) { return drawn[p.name]; }));
    std::rotate(result.files.begin(), result.files.end() - 2,
                result.files.end()); // named first, written last
    return result;
}

std::string json_of(const document& d) {
    json object{{"title", d.title()}};
    if (!d.model.empty()) {
        object["model"] = d.model;
    }
    std::string headline;
    for (const std::string& sentence : d.headlines()) {
        headline += (headline.empty() ? "" : " ") + sentence;
    }
    object["headline"] = headline;
    if (const std::string about = d.about(); !about.empty()) {
        object["about"] = about;
    }
    object["notes"] = d.notes.all();
    if (!d.made.empty()) {
        object["provenance"] = json_of(d.made);
    }
    d.each<table>([&](const table& t) {
        if (t.csv_only) {
            return;
        }
        json rows = json::array();
        for (std::size_t r = 0; r < t.size(); ++r) {
            json row = json::object();
            for (const auto& [name, c] : t.row(r, d.model)) {
                row[name] = json_of(c);
            }
            rows.push_back(std::move(row));
        }
        object[t.name] = std::move(rows);
    });
    return text_of(object);
}

std::string first_csv_of(const document& d, bool head) {
    std::string csv;
    bool first = true;
    d.each<table>([&](const table& t) { csv = std::exchange(first, false) ? t.csv(d.model, head) : csv; });
    return csv;
}

} // namespace app
