#pragma once

#include "input/file.hpp"
#include "settings.hpp"

#include <vector>

namespace app {

/// A model inside the executable: it is measured when no --checkpoint is given.
struct embedded_model {
    const char* label;
    activation sigma;
    source checkpoint;
};

/// The twins of examples/tiny_lm; none if their files were not there when this was built.
std::vector<embedded_model> embedded_models();
/// What goes with them.
source embedded_tokenizer();
source embedded_text();
source embedded_tasks();
/// Activation ratios along their training, as `tamis-study laws` measures them.
source embedded_laws();

} // namespace app
