// expect: Values are a contiguous range of numbers
#include <tamis/rule/top_k.hpp>

#include <cstdint>
#include <vector>

#if defined(TAMIS_FIXED)
using number = std::int8_t;
#else
using number = std::uint8_t; // quantised with a zero point: zero is not 0, so say what it means
#endif

tamis::mask f(const std::vector<number>& v) { return tamis::top_k{1}(v); }
