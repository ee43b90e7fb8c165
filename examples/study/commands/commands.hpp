#pragma once

#include "options.hpp"

#include <memory>
#include <vector>

namespace app {

// One function a command, each in the source file of its name.

std::unique_ptr<command> make_sweep();
std::unique_ptr<command> make_critical();
std::unique_ptr<command> make_calibrate();
std::unique_ptr<command> make_cett_ppl();
std::unique_ptr<command> make_compare();
std::unique_ptr<command> make_precision();
std::unique_ptr<command> make_plan();
std::unique_ptr<command> make_laws();
std::unique_ptr<command> make_neurons();
std::unique_ptr<command> make_summary();

/// In the order in which --help lists them; the first is what happens without a command.
inline std::vector<std::unique_ptr<command>> all_commands() {
    std::vector<std::unique_ptr<command>> all;
    all.push_back(make_sweep());
    all.push_back(make_critical());
    all.push_back(make_calibrate());
    all.push_back(make_cett_ppl());
    all.push_back(make_compare());
    all.push_back(make_precision());
    all.push_back(make_plan());
    all.push_back(make_laws());
    all.push_back(make_neurons());
    all.push_back(make_summary());
    return all;
}

} // namespace app
