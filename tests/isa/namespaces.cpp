#include "unit.hpp"

#include <doctest/doctest.h>

TEST_CASE("units for different instruction sets never share the body of an inline function") {
    CHECK(seen_with_sse2().register_bytes == 16);
    CHECK(seen_with_avx2().register_bytes == 32);
    const bool two_bodies = seen_with_sse2().function != seen_with_avx2().function;
    CHECK(two_bodies);
}
