#pragma once

#include <tamis/ffn/observer.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/workspace.hpp>

#include <cstdint>
#include <span>

// What a unit offers to units that are compiled for other instruction sets, in types that all of them share.

#define TAMIS_TEST_JOIN_(a, b) a##b
#define TAMIS_TEST_JOIN(a, b) TAMIS_TEST_JOIN_(a, b)
#define TAMIS_TEST_MASKS(name) TAMIS_TEST_JOIN(masks_, name)
#define TAMIS_TEST_FFN(name) TAMIS_TEST_JOIN(ffn_, name)

/// A hash over masks by many rules, what is made of them, and the count of a mask made elsewhere.
#define TAMIS_TEST_DECLARE_MASKS(name) std::uint64_t TAMIS_TEST_MASKS(name)(const tamis::mask& elsewhere)

/// A small FFN with masks: returns the last one, adds what was read.
#define TAMIS_TEST_DECLARE_FFN(name)                                                                   \
    tamis::mask TAMIS_TEST_FFN(name)(std::span<const float> x, std::span<float> y, tamis::workspace w, \
                                     tamis::traffic & read)
