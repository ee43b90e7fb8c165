#pragma once

#include <tamis/detail/config.hpp>

TAMIS_BEGIN

/// The bytes of a vector register as this translation unit sees them. Not inlined, so that the linker sees one
/// body per name: with one name for both units it would keep only one of the two bodies.
[[gnu::noinline]] inline int register_bytes() {
#if defined(__AVX2__)
    return 32;
#else
    return 16;
#endif
}

TAMIS_END

/// What a unit saw.
struct unit {
    int register_bytes;
    int (*function)();
};

unit seen_with_sse2();
unit seen_with_avx2();
