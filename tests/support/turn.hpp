#pragma once

#include <cstdint>
#include <cstdlib>

/// Whether the next of many cases is tried. All are; with TAMIS_TEST_ONE_OF=n in the environment one of n, scattered and always
/// the same: for builds that repeat with other flags what one has tried whole.
inline bool takes_turn() {
    static const std::uint64_t one_of = [] {
        const char* const said = std::getenv("TAMIS_TEST_ONE_OF");
        const unsigned long n = said == nullptr ? 1 : std::strtoul(said, nullptr, 10);
        return n > 1 ? n : 1;
    }();
    static std::uint64_t turn = 0;
    return (++turn * 0x9e3779b97f4a7c15u >> 32) % one_of == 0;
}
