# Targets that choose the instructions of whoever links them, beside tamis::tamis:
#
#     target_link_libraries(mine PRIVATE tamis::tamis tamis::native)
#
# tamis::native     what this machine has: the program runs here, and on machines like it
# tamis::x86_64_v3  AVX2, FMA, F16C: x86 machines from about 2013 on
# tamis::x86_64_v4  AVX-512 as well
#
# The kernels are as fast as the compiler's flags let them be, and the default, SSE2, is several times slower. All three ask
# for -O3, too, but in Debug and MinSizeRel (-O2 of older compilers leaves loops as they are). On a processor or compiler
# that a target is not meant for it adds nothing.
macro(tamis_add_simd_target name scope option)
    if(NOT TARGET tamis::${name})
        add_library(tamis::${name} INTERFACE IMPORTED ${scope})
        if(NOT "${option}" STREQUAL "")
            target_compile_options(tamis::${name} INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${option}>")
        endif()
        if(tamis_takes_gnu_flags)
            target_compile_options(tamis::${name} INTERFACE
                "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<OR:$<CONFIG:Debug>,$<CONFIG:MinSizeRel>>>>:-O3>")
        endif()
    endif()
endmacro()

macro(tamis_add_simd_targets scope)
    set(tamis_takes_gnu_flags FALSE)
    if(CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang|IntelLLVM)$"
            AND NOT CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
        set(tamis_takes_gnu_flags TRUE)
    endif()
    set(tamis_machine "${CMAKE_SYSTEM_PROCESSOR}")
    if(CMAKE_OSX_ARCHITECTURES) # one, or a list for which there is no common flag
        set(tamis_machine "${CMAKE_OSX_ARCHITECTURES}")
    endif()
    set(tamis_native "")
    set(tamis_v3 "")
    set(tamis_v4 "")
    if(tamis_machine MATCHES "^(x86_64|amd64|AMD64)$")
        if(tamis_takes_gnu_flags)
            set(tamis_native -march=native)
            set(tamis_v3 -march=x86-64-v3)
            set(tamis_v4 -march=x86-64-v4)
        else()
            set(tamis_v3 /arch:AVX2)
            set(tamis_v4 /arch:AVX512)
        endif()
    elseif(tamis_machine MATCHES "^(aarch64|arm64|ARM64)$" AND tamis_takes_gnu_flags)
        set(tamis_native -mcpu=native)
    endif()
    if(CMAKE_CROSSCOMPILING) # this machine is another
        set(tamis_native "")
    endif()
    tamis_add_simd_target(native "${scope}" "${tamis_native}")
    tamis_add_simd_target(x86_64_v3 "${scope}" "${tamis_v3}")
    tamis_add_simd_target(x86_64_v4 "${scope}" "${tamis_v4}")
    unset(tamis_takes_gnu_flags)
    unset(tamis_machine)
    unset(tamis_native)
    unset(tamis_v3)
    unset(tamis_v4)
endmacro()
