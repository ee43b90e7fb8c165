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

# The version's one place is the header, but vcpkg wants it written in its file as well.
file(READ "${PROJECT_SOURCE_DIR}/packaging/vcpkg/tamis/vcpkg.json" port)
string(JSON port_version GET "${port}" version)
if(NOT port_version VERSION_EQUAL PROJECT_VERSION)
    message(SEND_ERROR "packaging/vcpkg/tamis/vcpkg.json says ${port_version}; the version is ${PROJECT_VERSION}")
endif()
