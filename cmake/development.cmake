# tamis_dev: what tests, benchmarks and examples link. Users get `tamis`, with no flags of ours.
add_library(tamis_dev INTERFACE)
target_link_libraries(tamis_dev INTERFACE tamis)
target_compile_options(tamis_dev INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
target_compile_definitions(tamis_dev INTERFACE TAMIS_NO_ISA_NOTE) # those who build for less mean it
if(TAMIS_WERROR)
    target_compile_options(tamis_dev INTERFACE -Werror)
endif()
if(TAMIS_NATIVE)
    target_compile_options(tamis_dev INTERFACE -march=native)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # g++ 12 warns falsely from its own AVX-512 headers, hundreds of lines. Builds for less keep the warnings.
    include(CheckCXXSourceCompiles)
    if(TAMIS_NATIVE)
        set(CMAKE_REQUIRED_FLAGS -march=native)
    endif()
    check_cxx_source_compiles("#ifndef __AVX512F__\n#error\n#endif\nint main() {}" TAMIS_BUILDS_FOR_AVX512)
    unset(CMAKE_REQUIRED_FLAGS)
    if(TAMIS_BUILDS_FOR_AVX512)
        target_compile_options(tamis_dev INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized -Wno-array-bounds)
    endif()
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU") # collects garbage for a tenth of the time else
    target_compile_options(tamis_dev INTERFACE --param=ggc-min-heapsize=1000000)
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release)
endif()

# The public headers, relative to include/.
file(GLOB_RECURSE TAMIS_HEADERS CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/include"
    "${PROJECT_SOURCE_DIR}/include/tamis/*.hpp")

# `cmake --build DIR --target format` rewrites the C++ sources in the project's style.
find_program(TAMIS_CLANG_FORMAT NAMES clang-format-16 clang-format-17 clang-format-18 clang-format-19 clang-format)
mark_as_advanced(TAMIS_CLANG_FORMAT)
if(TAMIS_CLANG_FORMAT AND PROJECT_IS_TOP_LEVEL)
    add_custom_target(format
        COMMAND find include tests bench examples -name "*.[ch]pp" -exec "${TAMIS_CLANG_FORMAT}" -i {} +
        WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
        VERBATIM)
endif()
