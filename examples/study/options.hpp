#pragma once

#include "settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace study {

struct options {
    std::optional<std::string> checkpoint, tokenizer, text, tasks, stories, out;
    std::optional<activation> sigma;
    std::vector<site_choice> sites;
    std::optional<std::size_t> questions; ///< of each task
    rule_choice rule = rule_choice::top_p;
    std::vector<rule_value> values;
    std::size_t threads = 1;
    bool plain_progress = false;
};

/// The command line, checked. Nothing comes back when it only asked for help (which is then printed).
std::optional<options> parse_options(int argc, char** argv);

} // namespace study
