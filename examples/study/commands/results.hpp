#pragma once

#include "input/inputs.hpp"
#include "measure/measure.hpp"
#include "options.hpp"
#include "output/document.hpp"
#include "output/progress.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace app {

/// Standard output; says when it cannot be written.
void print(const std::string& text);

/// A document of no model: printed, and written into a folder unless that is empty.
void show_document(const common_options& o, const std::filesystem::path& folder, document found);

/// What every command does around its own work, for each model: checks the folder before hours of measuring, prints the
/// document as text, JSON or the CSV of its first table, and writes it; then calls `finished`.
void for_each_subject(const common_options& o, inputs& models,
                      const std::function<document(std::size_t subject, progress& shown)>& study_of,
                      const std::function<void(std::size_t subject)>& finished = {});
/// The folder of one model's results; empty without --out.
std::filesystem::path folder_of(const common_options& o, const subject& s);

/// "5 layers, width 64, 172 neurons (silu), ...": the model in a paragraph.
std::string describe(const subject& s);
/// "stories.txt, 75 stories, 12034 predictions": what figures are about, for titles.
std::string measured_on(const subject& s);
/// What to say of a dense model that predicts worse than chance.
remarks notes_on(const subject& s, const measurement& dense);

} // namespace app
