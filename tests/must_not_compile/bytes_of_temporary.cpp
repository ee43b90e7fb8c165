// expect: these bytes go with a temporary
#include <tamis/tamis.hpp>

// Bytes that are gone at the end of the line.
void call() {
#if defined(TAMIS_FIXED)
    const tamis::aligned_memory memory{64};
    const auto bytes = memory.bytes();
    (void)bytes;
#else
    const auto bytes = tamis::aligned_memory{64}.bytes();
    (void)bytes;
#endif
}
