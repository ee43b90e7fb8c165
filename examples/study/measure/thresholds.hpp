#pragma once

#include "measure/cett.hpp"

#include <filesystem>
#include <string>

namespace app {

// Calibrations as files: docs/calibration.md has the format.

std::string text_of(const study::calibration& c);
/// Refuses a file that is no calibration, or one for another number of layers (or channels), and says why.
study::calibration read_calibration(const std::string& path, std::size_t layers);
study::calibration read_calibration(const std::string& path, const subject& s);

/// A calibration of this subject, without its rules.
study::calibration new_calibration(const subject& s, const char* kind, double target);

/// What a calibration masks, as a row. The norms are borrowed.
condition calibrated_condition(const study::calibration& c, const std::vector<std::vector<float>>& norms);

} // namespace app
