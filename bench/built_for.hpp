#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <string>

#ifdef __linux__
#include <unistd.h>
#endif

// What a figure depends on, into the context of the benchmark's file: processor, instruction set, compiler.

/// The processor's own name, as far as it is known.
inline std::string processor() {
    std::ifstream info{"/proc/cpuinfo"};
    for (std::string line; std::getline(info, line);) {
        const std::size_t colon = line.find(": ");
        if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "unknown";
}

inline void tell_what_it_was_built_for() {
    benchmark::AddCustomContext("processor", processor());
#if defined(__AVX512BW__)
    benchmark::AddCustomContext("built_for", "AVX-512");
#elif defined(__AVX2__)
    benchmark::AddCustomContext("built_for", "AVX2");
#elif defined(__SSE4_2__)
    benchmark::AddCustomContext("built_for", "SSE4.2");
#elif defined(__SSE2__)
    benchmark::AddCustomContext("built_for", "SSE2");
#else
    benchmark::AddCustomContext("built_for", "the compiler's default");
#endif
#if defined(__clang__)
    benchmark::AddCustomContext("compiler", "clang " __clang_version__);
#elif defined(__GNUC__)
    benchmark::AddCustomContext("compiler", "g++ " __VERSION__);
#endif
}

/// Libraries choose their kernels by the processor, from variables that they read when they are loaded: a program that was
/// built for AVX2 starts anew with those that say the same to them, whatever else the processor has. OpenBLAS' threads go to
/// sleep at once, since they are not those that come next. What the environment says already stays.
inline void settle_peers([[maybe_unused]] char** argv) {
#ifdef __linux__
    if (std::getenv("TAMIS_BENCH_SETTLED") != nullptr) {
        return;
    }
    setenv("TAMIS_BENCH_SETTLED", "1", 1);
    setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);
#if defined(__AVX2__) && !defined(__AVX512F__)
    setenv("OPENBLAS_CORETYPE", "Haswell", 0);
    setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 0);
#endif
    execv("/proc/self/exe", argv);
#endif
}
