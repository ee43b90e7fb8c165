#pragma once

#include "settings.hpp"

#include <ggml.h>

#include <optional>
#include <string>

namespace tamis_ggml {

/// Whether the model that is being loaded is the one that the plan names (any, for rules without a plan). ggml does not tell a
/// backend what is loaded, but the file is open while it is. Another model runs dense, with a sentence; the plan's own with
/// other layers than the plan's ends the program. Where the file can not be found, the plan is believed.
bool is_the_plans_model(const settings& s);

/// Whether that file has a tensor (yes, where the file can not be found), and of which type.
bool model_has(const std::string& tensor);
std::optional<ggml_type> type_in_model(const std::string& tensor);

} // namespace tamis_ggml
