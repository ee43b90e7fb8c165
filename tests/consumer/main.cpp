// Compiled by every consumer: that it finds the headers, and those that they stand on. Quick: tests/headers compiles them.
#include <tamis/mask/mask.hpp>
#include <tamis/version.hpp>

#include <cstdio>

#if !__has_include(<xsimd/xsimd.hpp>) || !__has_include(<tamis/tamis.hpp>)
#error "what links tamis::tamis finds xsimd and all headers"
#endif
#if !__has_include(<Eigen/Core>)
#error "what links tamis::eigen finds Eigen"
#endif
#if defined(EXPECT_SIMD) && !defined(__AVX2__)
#error "tamis::x86_64_v3 asks for AVX2"
#endif
#if !defined(EXPECT_SIMD) && defined(__AVX2__) && !defined(FLAGS_HAVE_AVX2)
#error "tamis::tamis changes nothing in how its users are compiled"
#endif

int main() {
    std::printf("tamis %d.%d.%d, %zu words\n", TAMIS_VERSION_MAJOR, TAMIS_VERSION_MINOR, TAMIS_VERSION_PATCH,
                tamis::mask_words(65));
}
