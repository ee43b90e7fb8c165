#include "sieve.hpp"

#include <tamis/mask/mask.hpp>

std::size_t words_for(std::size_t entries) { return tamis::mask_words(entries); }
