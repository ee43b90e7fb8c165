#pragma once

#include "tamis.h"

#include <tamis/exec/callback.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

// What is passed to the C interface, checked as far as addresses and sizes tell, and what is wrong with it as a code and a text. Part of
// functions.cpp: each level has its own.

namespace tamis_c {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;

// Errors.

struct failure : std::exception {
    failure(tamis_result c, std::string t) : code{c}, text{std::move(t)} {}
    const char* what() const noexcept override { return text.c_str(); }
    tamis_result code;
    std::string text;
};
[[noreturn]] void wrong(const std::string& text) { throw failure{TAMIS_WRONG, "tamis: " + text}; }

/// What f throws as a code and a text.
template <class F>
tamis_result guarded(char* error, F&& f) noexcept {
    const auto say = [&](tamis_result code, const char* text) {
        if (error != nullptr) {
            std::snprintf(error, TAMIS_ERROR_BYTES, "%s", text);
        }
        return code;
    };
    try {
        f();
        return TAMIS_OK;
    } catch (const failure& e) {
        return say(e.code, e.what());
    } catch (const std::bad_alloc&) {
        return say(TAMIS_NO_MEMORY, "tamis: there is not enough memory");
    } catch (const std::logic_error& e) { // what tamis refuses; a length that no vector has
        return say(TAMIS_WRONG, e.what());
    } catch (const std::exception& e) {
        return say(TAMIS_INTERNAL, e.what());
    } catch (...) {
        return say(TAMIS_INTERNAL, "tamis: an unknown fault");
    }
}

// What is passed.

// Sizes: bytes stay below what an address space has, so that no sum or product of a few of them overflows.
constexpr std::size_t most_bytes = std::size_t{1} << 46, most_entries = std::size_t{1} << 24;

std::size_t times(std::size_t a, std::size_t b, const char* name) {
    if (b != 0 && a > most_bytes / b) {
        wrong(std::string{name} + ": sizes and strides of " + std::to_string(a) + " times " +
              std::to_string(b) + " are more than memory has");
    }
    return a * b;
}
/// Bytes from the first of rows x columns to the last.
std::size_t extent(std::size_t rows, std::size_t stride, std::size_t columns, std::size_t step,
                   std::size_t each, const char* name) {
    if (rows == 0 || columns == 0) {
        return 0;
    }
    return times(times(rows - 1, stride, name) + times(columns - 1, step, name) + 1, each, name);
}
void need_most(std::size_t value, std::size_t most, const char* name) {
    if (value > most) {
        wrong(std::string{name} + " is " + std::to_string(value) + ", and may be " + std::to_string(most) +
              " at most");
    }
}
/// Memory that is there as far as its address tells.
void need_memory(const void* p, std::size_t bytes, std::size_t alignment, const char* name) {
    const auto address = reinterpret_cast<std::uintptr_t>(p);
    if (p == nullptr && bytes != 0) {
        wrong(std::string{name} + " is a null pointer");
    }
    if (address % alignment != 0) {
        wrong(std::string{name} + " lies at an address that is no multiple of " + std::to_string(alignment));
    }
    if (bytes > most_bytes || address + bytes < address) {
        wrong(std::string{name} + " has " + std::to_string(bytes) + " bytes, which reach beyond all memory");
    }
}
template <class T>
T& need_place(T* p, const char* name) {
    need_memory(p, sizeof(T), alignof(T), name);
    return *p;
}
struct region {
    const void* first;
    std::size_t bytes;
    const char* name;
};
void need_apart(const region& a, const region& b) {
    const auto i = reinterpret_cast<std::uintptr_t>(a.first);
    const auto j = reinterpret_cast<std::uintptr_t>(b.first);
    if (a.bytes != 0 && b.bytes != 0 && i < j + b.bytes && j < i + a.bytes) {
        wrong(std::string{a.name} + " and " + b.name + " overlap: give each memory of its own");
    }
}
std::string_view need_text(const char* text, const char* name) {
    if (text == nullptr) {
        wrong(std::string{name} + " is a null pointer");
    }
    return text;
}
void need_enough(const char* name, std::size_t bytes, std::size_t needed) {
    if (bytes < needed) {
        throw failure{TAMIS_TOO_SMALL, std::string{"tamis: "} + name + " needs " + std::to_string(needed) +
                                           " bytes, got " + std::to_string(bytes) +
                                           "; ask the query beside the function"};
    }
}
std::span<std::byte> need_workspace(void* memory, std::size_t bytes, std::size_t needed) {
    need_enough("the workspace", bytes, needed);
    need_memory(memory, bytes, 1, "workspace");
    return {static_cast<std::byte*>(memory), bytes};
}
std::size_t bytes_of(tamis_type type) {
    switch (type) {
        case TAMIS_F32: return 4;
        case TAMIS_F64: return 8;
        case TAMIS_F16:
        case TAMIS_BF16: return 2;
        case TAMIS_INT8: return 1;
        default: wrong("there is no type " + std::to_string(type) + "; there are TAMIS_F32 to TAMIS_INT8");
    }
}
void need_layout(tamis_layout l) {
    if (l < TAMIS_NEURON_MAJOR || l > TAMIS_OUTPUT_MAJOR) {
        wrong("there is no layout " + std::to_string(l) +
              "; there are TAMIS_NEURON_MAJOR, TAMIS_INPUT_MAJOR and TAMIS_OUTPUT_MAJOR");
    }
}
void need_threads(const tamis_threads& t) {
    if (t.run != nullptr) {
        need_most(t.width, 4096, "threads.width");
    }
}
void need_size(std::size_t given, std::size_t right, const char* name) {
    if (given != right) {
        wrong(std::string{name} + ".size is " + std::to_string(given) + ", but this tamis has " +
              std::to_string(right) + ": set it to sizeof, and use the header of the library");
    }
}
void need_floats(const float* p, std::size_t n, const char* name) {
    if (p != nullptr) {
        need_memory(p, times(n, sizeof(float), name), alignof(float), name);
    }
}

std::span<const float> floats_of(const float* p, std::size_t n) {
    return p == nullptr ? std::span<const float>{} : std::span{p, n};
}
callback threads_of(const tamis_threads& t) { return {t.width, t.run, t.context}; }

} // namespace
} // namespace TAMIS_LEVEL
} // namespace tamis_c
