#pragma once

#include <tamis/ffn/observer.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/workspace.hpp>

#include <span>

// What a unit compiled for one instruction set offers to units compiled for others: types that all of them share.

#define TAMIS_TEST_JOIN_(a, b) a##b
#define TAMIS_TEST_JOIN(a, b) TAMIS_TEST_JOIN_(a, b)

#define TAMIS_TEST_UNIT(name)                                                                         \
    /* A hash over masks by every rule, their lists of indices and blocks: the same in every unit. */ \
    std::uint64_t TAMIS_TEST_JOIN(masks_, name)();                                                    \
    /* A small FFN with masks; adds what it read. */                                                  \
    tamis::mask TAMIS_TEST_JOIN(ffn_, name)(std::span<const float> x, std::span<float> y,             \
                                            tamis::workspace w, tamis::traffic & read)
