# Builds for 64-bit ARM on another Debian or Ubuntu machine and runs what was built under qemu:
#   cmake -S . -B build/neon --toolchain cmake/aarch64-linux-gnu.cmake
# Packages: g++-aarch64-linux-gnu, qemu-user, libgmp-dev:arm64 (for the tests). The header-only dependencies are those
# of the machine itself.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

# xsimd is headers alone, but its package puts its CMake file among the machine's libraries.
set(host_xsimd /usr/lib/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu/cmake/xsimd)
if(EXISTS ${host_xsimd} AND NOT xsimd_DIR)
    set(xsimd_DIR ${host_xsimd})
endif()
