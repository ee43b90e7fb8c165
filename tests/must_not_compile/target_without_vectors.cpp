// expect: tamis: the target has no vectors of floats and doubles

// Not by flags, which every compiler and processor has its own of.
#ifndef TAMIS_FIXED
#undef __SSE2__
#undef __ARM_NEON
#undef __ARM_FEATURE_SVE
#define XSIMD_NO_SUPPORTED_ARCHITECTURE
#endif
#include <tamis/tamis.hpp>
