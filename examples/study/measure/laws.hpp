#pragma once

#include "input/file.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace app {

/// A model on its way: what it has read, and how many of its neurons it needs.
struct law_row {
    std::string model;
    double tokens;           ///< of training
    double activation_ratio; ///< at CETT-PPL-1%; NaN: undefined
    double nll, cett;        ///< of the dense model; where CETT-PPL-1% lies. NaN: not said
    std::string why{};       ///< why the activation ratio is NaN, if it is
};

/// One form's parameters, as far as the points determine them.
struct fitted_law {
    std::string name, form; ///< "ReLU", "exp(-c D^alpha + b) + A0"
    std::vector<std::string> parameters;
    std::vector<double> values, errors; ///< an infinite error: the points do not tell
    double limit, limit_error, rms, r_squared;
    bool determines_limit, converged;
    /// "failed": it is no law of these points, whatever its numbers are; "undetermined": others would describe them as well.
    std::string verdict;
    bool failed() const { return verdict == "failed"; }
    std::size_t iterations;
    std::function<double(double billions)> curve;
};

/// Refuses fewer points than both laws can be fitted to.
void check_enough_for_laws(std::size_t points);
/// Both laws of "Sparsing Law", each fitted to the same points. Too few points, and one without a ratio, are errors that say so.
std::vector<fitted_law> fit_laws(const std::vector<law_row>& rows);

/// model,tokens,activation_ratio,nll,cett; the last two may be left out, empty or null. Wrong lines are errors with their number.
std::vector<law_row> read_law_rows(const source& from);

/// file <tab> step <tab> tokens, as train.py leaves it.
struct checkpoint_row {
    std::string file;
    double tokens;
};
std::vector<checkpoint_row> read_checkpoint_rows(const source& from);

} // namespace app
