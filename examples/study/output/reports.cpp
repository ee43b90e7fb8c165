#include "output/reports.hpp"

#include "error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

namespace app {
namespace {

using json = nlohmann::json;
namespace fs = std::filesystem;

kept_report::field field_of(const json& j) {
    return {j.is_string() ? *j.get_ptr<const std::string*>() : std::string{},
            j.is_number()    ? std::optional{j.get<double>()}
            : j.is_boolean() ? std::optional{j.get<bool>() ? 1.0 : 0.0}
                             : std::nullopt};
}

std::optional<kept_report> report_of(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const json all = json::parse(text, nullptr, false);
    if (!in || all.is_discarded()) {
        throw error(path.string(), ": no JSON; was its run stopped? Run its command again");
    }
    const auto text_at = [&](const char* name) {
        const auto found = all.find(name);
        return found != all.end() && found->is_string() ? *found->get_ptr<const std::string*>()
                                                        : std::string{};
    };
    if (!all.is_object() || text_at("model").empty()) {
        return std::nullopt;
    }
    kept_report r{path.parent_path(), text_at("title"), text_at("model"), {}, {}};
    for (const auto& [name, value] : all.items()) {
        if (!value.is_array()) {
            continue;
        }
        auto& rows = r.tables[name];
        for (const json& from : value) {
            rows.emplace_back();
            if (from.is_object()) {
                for (const auto& [column, cell] : from.items()) {
                    rows.back()[column] = field_of(cell);
                }
            }
        }
    }
    for (const auto& entry : fs::directory_iterator{r.folder}) {
        if (entry.path().extension() == ".svg") {
            r.pictures.push_back(entry.path().filename().string());
        }
    }
    std::sort(r.pictures.begin(), r.pictures.end());
    return r;
}

} // namespace

const std::vector<kept_report::row>& kept_report::table(const std::string& name) const {
    static const std::vector<row> none;
    const auto found = tables.find(name);
    return found == tables.end() ? none : found->second;
}

std::vector<kept_report> reports_in(const fs::path& folder) {
    std::error_code code;
    std::vector<fs::path> paths;
    for (auto at = fs::recursive_directory_iterator{folder, code};
         !code && at != fs::recursive_directory_iterator{}; at.increment(code)) {
        if (at.depth() >= 3) {
            at.disable_recursion_pending();
        }
        if (at->path().filename() == "report.json") {
            paths.push_back(at->path());
        }
    }
    if (code) {
        throw error(folder.string(), ": cannot be read: ", code.message());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<kept_report> reports;
    for (const auto& path : paths) {
        if (auto r = report_of(path)) {
            reports.push_back(std::move(*r));
        }
    }
    return reports;
}

} // namespace app
