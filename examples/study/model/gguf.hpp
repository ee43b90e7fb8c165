#pragma once

#include "model/engine.hpp"
#include "remarks.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace app {

/// Whether this program was built with llama.cpp's library.
bool reads_gguf();

/// A model that llama.cpp loads, on the CPU, its weights as they are in the file (not repacked). Windows and stories have at
/// most `context` tokens. Refuses, with a sentence: a file that llama.cpp refuses, a model without gated FFNs, one whose nodes are
/// not those of docs/study.md, layers of different widths. `repack`: the weights that run are rearranged for this CPU (several times as
/// fast where it has AMX, and rounded otherwise), beside those of the file.
std::shared_ptr<const engine> load_gguf(const std::string& path, std::size_t context, remarks& notes,
                                        bool repack = false);

} // namespace app
