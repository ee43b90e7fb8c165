#pragma once

#include <cstddef>

std::size_t words_for(std::size_t entries);
