#pragma once

#include <cstddef>
#include <cstdint>

namespace app {

/// How intervals are made: so many draws of the text's stories and the tasks' questions from a seed. 0 draws: none are.
struct confidence {
    std::size_t draws = 1000;
    std::uint64_t seed = 1;
    double level = 0.9;
};

} // namespace app
