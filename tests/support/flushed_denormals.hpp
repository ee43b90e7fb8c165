#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/// While it lives the processor takes denormal operands as zero and flushes denormal results, as a program
/// linked with -ffast-math does from its first instruction on. Elsewhere than on x86 it does nothing.
class flushed_denormals {
#if defined(__SSE2__)
  public:
    flushed_denormals() : before_{_mm_getcsr()} { _mm_setcsr(before_ | 0x8040u); }
    ~flushed_denormals() { _mm_setcsr(before_); }
    flushed_denormals(const flushed_denormals&) = delete;
    flushed_denormals& operator=(const flushed_denormals&) = delete;

  private:
    unsigned before_;
#else
  public:
    flushed_denormals() {}
#endif
};

/// The opposite: denormals count, even in a program that was linked with -ffast-math.
class honoured_denormals {
#if defined(__SSE2__)
  public:
    honoured_denormals() : before_{_mm_getcsr()} { _mm_setcsr(before_ & ~0x8040u); }
    ~honoured_denormals() { _mm_setcsr(before_); }
    honoured_denormals(const honoured_denormals&) = delete;
    honoured_denormals& operator=(const honoured_denormals&) = delete;

  private:
    unsigned before_;
#else
  public:
    honoured_denormals() {}
#endif
};
