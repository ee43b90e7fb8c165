#pragma once

#include "generate.hpp"

#include <Eigen/Core>
#include <tamis/element.hpp>

// The 16-bit types that tests know, beside float and double.

template <>
struct format_of<Eigen::half> {
    static constexpr ieee value{5, 10};
};
template <>
struct format_of<Eigen::bfloat16> {
    static constexpr ieee value{8, 7};
};

/// `, _Float16` behind the last type of a list where the compiler has it.
#if defined(TAMIS_HAS_FLOAT16)
#define AND_FLOAT16 , _Float16
template <>
struct format_of<_Float16> {
    static constexpr ieee value{5, 10};
};
#else
#define AND_FLOAT16
#endif
