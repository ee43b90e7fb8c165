# Kernels for every x86-64 machine in one library or program, chosen when it runs:
#
#     find_package(tamis REQUIRED)                    # has this function, as have add_subdirectory and FetchContent
#     tamis_compile_for_levels(mine kernels.cpp)      # once for each level; other sources of `mine` once, as always
#
# The sources are compiled as those of `mine`: with its folders, definitions, options and libraries, those it is given later, too.
# Each of them is compiled with TAMIS_LEVEL defined as x86_64_v2, x86_64_v3 (AVX2) or x86_64_v4 (AVX-512). What they
# define has to differ by it, best by a namespace; tamis's own names do by themselves. `mine` gets the header tamis_levels.hpp:
#
#     namespace engine::TAMIS_LEVEL { extern const kernels all{...}; }     // in kernels.cpp
#     namespace engine { TAMIS_CHOOSE_LEVEL(kernels, all) }                // in another source: best_level().object->...
#
# What the levels share in spite of that (the standard library's templates) is the oldest one's: the linker keeps the body that it
# meets first, and objects come in the order of their levels. So sources are compiled with -O1 at least, whatever the build is.
# -D TAMIS_LEVELS=x86_64_v3 builds that one alone (or a list of them), in less time; native: this machine's. x86_64_v4_vnni, which is
# built where it is asked for alone, has AVX-512's products of bytes, too (Intel since Ice Lake, AMD since Zen 4): for in_int8.
# On other processors there is one level, `native`, with the flags of the build.
set_property(GLOBAL PROPERTY tamis_levels_header "${CMAKE_CURRENT_LIST_DIR}/tamis_levels.hpp.in")
function(tamis_compile_for_levels target)
    set(machine "${CMAKE_SYSTEM_PROCESSOR}")
    if(CMAKE_OSX_ARCHITECTURES)
        set(machine "${CMAKE_OSX_ARCHITECTURES}")
    endif()
    set(levels native)
    if(machine MATCHES "^(x86_64|amd64|AMD64)$" AND CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang|IntelLLVM)$")
        set(levels x86_64_v2 x86_64_v3 x86_64_v4)
        if(TAMIS_LEVELS)
            set(levels ${TAMIS_LEVELS})
        endif()
    endif()
    set(list "")
    set(runs_native "true")
    set(features_x86_64_v2 sse4.2 ssse3 popcnt)
    set(features_x86_64_v3 avx2 fma bmi bmi2)
    set(features_x86_64_v4 avx512f avx512bw avx512cd avx512dq avx512vl)
    set(features_x86_64_v4_vnni ${features_x86_64_v4} avx512vnni)
    set(objects)
    foreach(level IN LISTS levels)
        add_library(${target}_${level} OBJECT ${ARGN})
        set_target_properties(${target}_${level} PROPERTIES POSITION_INDEPENDENT_CODE ON
            CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
        # Read when the build is generated, whatever is said of the target until then.
        target_link_libraries(${target}_${level} PRIVATE $<TARGET_PROPERTY:${target},LINK_LIBRARIES>)
        target_include_directories(${target}_${level} PRIVATE $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
        target_compile_definitions(${target}_${level} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>
            TAMIS_LEVEL=${level} TAMIS_NO_ISA_NOTE)
        target_compile_options(${target}_${level} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_OPTIONS> -O3)
        if(level STREQUAL "native" AND TAMIS_LEVELS)
            target_compile_options(${target}_${level} PRIVATE -march=native)
        elseif(NOT level STREQUAL "native")
            string(REPLACE "_" "-" flag "${level}")
            string(REPLACE "x86-64" "-march=x86-64" flag "${flag}")
            string(REPLACE "-vnni" ";-mavx512vnni" flag "${flag}")
            target_compile_options(${target}_${level} PRIVATE ${flag}) # behind those of the build: the last one counts
            list(TRANSFORM features_${level} REPLACE "(.+)" "__builtin_cpu_supports(\"\\1\")")
            list(JOIN features_${level} " && " runs_${level})
        endif()
        list(APPEND objects $<TARGET_OBJECTS:${target}_${level}>)
        string(APPEND list " \\\n    X(${level}, (${runs_${level}}) __VA_OPT__(, ) __VA_ARGS__)")
    endforeach()
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}_levels")
    get_property(header GLOBAL PROPERTY tamis_levels_header)
    configure_file("${header}" "${folder}/tamis_levels.hpp" @ONLY)
    target_include_directories(${target} PRIVATE "${folder}")
    target_sources(${target} PRIVATE ${objects})
endfunction()
