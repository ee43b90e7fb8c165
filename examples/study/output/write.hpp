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

/// Everything that a document leaves in a folder: report.md and report.json, a CSV a table (and LaTeX, of those that people
/// read), the pictures as SVG and PDF, provenance.json. A picture that could not be drawn (no gnuplot, or it failed) leaves its
/// script alone.
written write_document(const std::filesystem::path& folder, const document& d);

/// A document's tables as one JSON object.
std::string json_of(const document& d);
/// The main table, which is the first. Of several models' tables one alone has the head.
std::string first_csv_of(const document& d, bool head = true);

} // namespace app
