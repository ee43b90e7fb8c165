# Fails if a header other than tamis/detail/simd.hpp includes xsimd.
file(GLOB_RECURSE headers RELATIVE "${INCLUDE_DIR}" "${INCLUDE_DIR}/*.hpp")
foreach(header IN LISTS headers)
    file(STRINGS "${INCLUDE_DIR}/${header}" lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]xsimd/")
    if(lines AND NOT header STREQUAL "tamis/detail/simd.hpp")
        message(SEND_ERROR "${header} includes xsimd; only tamis/detail/simd.hpp may: ${lines}")
    endif()
endforeach()
