#include "unit.hpp"

unit seen_with_sse2() { return {tamis::register_bytes(), &tamis::register_bytes}; }
