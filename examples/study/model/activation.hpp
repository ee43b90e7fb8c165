#pragma once

namespace app {

/// sigma of the model's FFNs, which its file does not say.
enum class activation { silu, gelu, relu, gelu_tanh };

} // namespace app
