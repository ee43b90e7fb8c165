#include "output/write.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>
#include <string>
#include <system_error>

namespace app {
namespace {

using json = nlohmann::ordered_json;

/// A cell for programs. JSON has no infinity and no NaN: null stands for them, and the row's field "reason" says why.
json json_of(const cell& c) {
    if (!c.number) {
        return c.data;
    }
    json value = json::parse(c.data, nullptr, false);
    return value.is_discarded() ? json(nullptr) : value;
}

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

/// Writes FOLDER/NAME.gp and, of what gnuplot makes of it, FOLDER/NAME.svg. False: there is no gnuplot, or it failed.
bool draw(const std::filesystem::path& folder, const picture& p) {
    write_file(folder / (p.name + ".gp"), "# gnuplot " + p.name + ".gp >" + p.name + ".svg\n" + p.script);
    const auto quoted = [](const std::string& text) {
        std::string result = "'";
        for (const char c : text) {
            result += c == '\'' ? "'\\''" : std::string(1, c);
        }
        return result + "'";
    };
    const std::string svg =
        output_of("gnuplot " + quoted((folder / (p.name + ".gp")).string()) + " 2>/dev/null");
    const bool drawn = svg.find("</svg>") != std::string::npos; // the end of it
    if (drawn) {
        write_file(folder / (p.name + ".svg"), svg);
    } else {
        std::error_code ignored;
        std::filesystem::remove(folder / (p.name + ".svg"), ignored); // an older run's
    }
    return drawn;
}

} // namespace

written write_document(const std::filesystem::path& folder, const document& d) {
    written result;
    const auto put = [&](const std::string& name, const std::string& content) {
        write_file(folder / name, content);
        result.files.push_back(name);
    };
    d.each<table>([&](const table& t) { put(t.name + ".csv", t.csv()); });
    std::map<std::string, bool> drawn;
    d.each<picture>([&](const picture& p) {
        drawn[p.name] = draw(folder, p);
        result.files.push_back(p.name + (drawn[p.name] ? ".svg" : ".gp"));
        result.all_drawn = result.all_drawn && drawn[p.name];
    });
    put("report.json", json_of(d) + "\n");
    put("report.md", d.markdown([&](const picture& p) { return drawn[p.name]; }));
    return result;
}

std::string json_of(const document& d) {
    json object{{"title", d.title()}};
    if (!d.model.empty()) {
        object["model"] = d.model;
    }
    if (const std::string about = d.about(); !about.empty()) {
        object["about"] = about;
    }
    object["notes"] = d.notes.all();
    d.each<table>([&](const table& t) {
        if (t.csv_only) {
            return;
        }
        json rows = json::array();
        t.each_field([&] { rows.push_back(json::object()); },
                     [&](const std::string& name, const cell& c) { rows.back()[name] = json_of(c); });
        object[t.name] = rows;
    });
    return object.dump(1, ' ', false, json::error_handler_t::replace);
}

std::string first_csv_of(const document& d) {
    std::string csv;
    d.each<table>([&](const table& t) { csv = csv.empty() ? t.csv() : csv; });
    return csv;
}

} // namespace app
