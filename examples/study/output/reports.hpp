#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace app {

/// A report.json that a command left, as far as it is of use once more: tables of texts and numbers.
struct kept_report {
    struct field {
        std::string text;             ///< of a text
        std::optional<double> number; ///< of a number; null is neither
    };
    using row = std::map<std::string, field>;

    std::filesystem::path folder;
    std::string title, model;
    std::map<std::string, std::vector<row>> tables;
    std::vector<std::string> pictures; ///< the SVGs beside it

    const std::vector<row>& table(const std::string& name) const;
};

/// Every report about a model in a folder and the folders in it, by their paths. What is no report is passed over; a
/// report.json that is no JSON is an error.
std::vector<kept_report> reports_in(const std::filesystem::path& folder);

} // namespace app
