#pragma once

#include "formats.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>

struct arguments {
    std::size_t hidden = 2048, neurons = 8192, threads = 1, tokens = 1, memory = 512;
    double seconds = 4;
    bool huge_pages = true;
    const format_entry* format = nullptr;
};

inline constexpr const char* help =
    "does_it_pay [HIDDEN NEURONS] [--format F] [--threads N] [--tokens N] [--seconds S] [--memory MIB] [--pages P]\n"
    "\n"
    "Times a gated FFN of HIDDEN x NEURONS (2048 8192) here: its dense form, and masks at all inputs (x, and the\n"
    "intermediate) of several densities, with the break-even and the rate at which this machine reads memory.\n"
    "\n"
    "  --format F     of all three matrices: f32 f16 bf16 int8_by_row q8_0 q4_0 q4_1 q5_0 q4_k q6_k mxfp4 (q8_0)\n"
    "  --threads N    1 to as many as there are (1)\n"
    "  --tokens N     1 to 16 in a call, each with masks of its own (1)\n"
    "  --seconds S    to measure for, at least three turns (4)\n"
    "  --memory MIB   of weights that are taken in turn, as the layers of a model are: more than twice what the\n"
    "                 caches hold, or two FFNs (512)\n"
    "  --pages P      that memory consists of: huge, which are asked for as tamis does for what it packs, or\n"
    "                 small, as those of a mapped file (huge)\n"
    "\n"
    "Compile it as your program is compiled: for your processor (-O3 -march=native), or as you ship it.\n";

/// Throws std::invalid_argument with what is wrong and what would be right.
inline arguments parse(int argc, const char* const* argv) {
    const auto refuse = [](const std::string& text) -> void { throw std::invalid_argument(text); };
    const auto number = [&](const char* what, const char* text, double least, double most) {
        char* end = nullptr;
        const double value = std::strtod(text, &end);
        if (end == text || *end != '\0' || !(value >= least && value <= most)) {
            char message[200];
            std::snprintf(message, sizeof message, "%s is '%.40s'; it has to be a number from %.0f to %.0f",
                          what, text, least, most);
            refuse(message);
        }
        return value;
    };
    const auto whole = [&](const char* what, const char* text, std::size_t most) {
        const double value = number(what, text, 1, static_cast<double>(most));
        const auto n = static_cast<std::size_t>(value);
        if (static_cast<double>(n) != value) {
            refuse(std::string{what} + " is '" + text + "'; it has to be a whole number");
        }
        return n;
    };
    arguments a;
    std::string_view format = "q8_0";
    std::size_t positional = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name{argv[i]};
        if (name.substr(0, 2) != "--") {
            if (positional == 2) {
                refuse("two numbers are expected, HIDDEN and NEURONS, and '" + std::string{name} +
                       "' is a third");
            }
            (positional++ == 0 ? a.hidden : a.neurons) =
                whole(positional == 0 ? "HIDDEN" : "NEURONS", argv[i], 1u << 20);
            continue;
        }
        bool known = false;
        for (const char* const option :
             {"--format", "--threads", "--tokens", "--seconds", "--memory", "--pages"}) {
            known = known || name == option;
        }
        if (!known) {
            refuse("there is no option '" + std::string{name} + "': see --help");
        }
        if (i + 1 == argc) {
            refuse(std::string{name} + " needs a value: see --help");
        }
        const char* const value = argv[++i];
        if (name == "--format") {
            format = value;
        } else if (name == "--threads") {
            const std::size_t most = std::thread::hardware_concurrency();
            a.threads = whole("--threads", value, most == 0 ? 1024 : most);
        } else if (name == "--tokens") {
            a.tokens = whole("--tokens", value, 16);
        } else if (name == "--seconds") {
            a.seconds = number("--seconds", value, 0, 3600);
        } else if (name == "--pages") {
            a.huge_pages = std::string_view{value} == "huge";
            if (!a.huge_pages && std::string_view{value} != "small") {
                refuse("--pages is '" + std::string{value} + "'; it has to be huge or small");
            }
        } else {
            a.memory = whole("--memory", value, 1u << 20);
        }
    }
    if (positional == 1) {
        refuse("two numbers are expected, HIDDEN and NEURONS, and NEURONS is missing");
    }
    for (const format_entry& f : formats_here()) {
        if (f.name == format) {
            a.format = &f;
        }
    }
    if (a.format == nullptr) {
        refuse(no_such_format(format));
    }
    for (const auto& [what, n] : {std::pair{"HIDDEN", a.hidden}, std::pair{"NEURONS", a.neurons}}) {
        if (a.format->whole_blocks && n % 256 != 0) {
            const std::size_t below = n / 256 * 256;
            refuse(std::string{what} + " is " + std::to_string(n) + ", but " + std::string{format} +
                   " has blocks of 256: " + (below == 0 ? "" : std::to_string(below) + " or ") +
                   std::to_string(below + 256) + " would do, or another format");
        }
    }
    return a;
}
