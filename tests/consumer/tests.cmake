# Registers the consumer tests with ctest: a user's project for each way to get tamis.
foreach(way package subdirectory fetch source_then_package package_then_source other_version library_of_package
        library_of_source)
    add_test(NAME consumer.${way}
        COMMAND "${CMAKE_COMMAND}"
            "-DWAY=${way}"
            "-DSIMD=$<AND:$<STREQUAL:${way},package>,$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>>"
            "-DTAMIS_SOURCE=${PROJECT_SOURCE_DIR}"
            "-DTAMIS_BINARY=${PROJECT_BINARY_DIR}"
            "-DWORK=${CMAKE_CURRENT_BINARY_DIR}/consumer/${way}"
            "-DGENERATOR=${CMAKE_GENERATOR}"
            "-DCOMPILER=${CMAKE_CXX_COMPILER}"
            "-DFLAGS=${CMAKE_CXX_FLAGS}"
            -P "${CMAKE_CURRENT_LIST_DIR}/run.cmake")
    set_tests_properties(consumer.${way} PROPERTIES LABELS consumer TIMEOUT 600)
    if(way MATCHES "package" AND NOT TAMIS_INSTALL)
        set_tests_properties(consumer.${way} PROPERTIES DISABLED TRUE)
    endif()
endforeach()

# The version's one place is the header, but packages want it written in their files as well.
find_package(Python3 3.6 QUIET COMPONENTS Interpreter)
if(Python3_Interpreter_FOUND)
    add_test(NAME consumer.version COMMAND "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/packaging/release.py" check)
    set_tests_properties(consumer.version PROPERTIES LABELS consumer)
endif()
