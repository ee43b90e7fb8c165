#pragma once

#include "output/document.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace app {

/// What write_document left.
struct written {
    std::vector<std::string> files;
    bool all_drawn = true;
};

/// Everything that a document leaves in a folder: a CSV a table, the pictures, report.json and report.md. A picture that
/// could not be drawn (no gnuplot, or it failed) leaves its script alone.
written write_document(const std::filesystem::path& folder, const document& d);

/// A document's tables as one JSON object.
std::string json_of(const document& d);
/// The main table, which is the first.
std::string first_csv_of(const document& d);

} // namespace app
