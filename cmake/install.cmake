# The package: headers, a config under share/cmake/tamis and files for pkg-config, that work wherever the prefix is moved.
include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_DATADIR}/cmake/tamis")
configure_package_config_file(cmake/tamis-config.cmake.in "${PROJECT_BINARY_DIR}/package/tamis-config.cmake"
    INSTALL_DESTINATION "${config_dir}"
    NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break the interface. ARCH_INDEPENDENT: there is nothing but headers.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/tamis-config-version.cmake"
    COMPATIBILITY SameMinorVersion
    ARCH_INDEPENDENT)

# The Eigen half is what includes Eigen: apart, for a package that has no Eigen to stand on.
set(eigen_half)
if(NOT TAMIS_INSTALL_EIGEN)
    set(eigen_half REGEX "/tamis/(eigen[.]hpp|study(/|$))" EXCLUDE)
endif()
install(DIRECTORY include/tamis DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp" ${eigen_half})
install(TARGETS tamis EXPORT tamis-targets)
install(EXPORT tamis-targets NAMESPACE tamis:: DESTINATION "${config_dir}")
install(FILES
    "${PROJECT_BINARY_DIR}/package/tamis-config.cmake"
    "${PROJECT_BINARY_DIR}/package/tamis-config-version.cmake"
    cmake/tamis_find.cmake
    cmake/tamis_instruction_sets.cmake
    cmake/tamis_levels.hpp.in
    cmake/tamis_simd.cmake
    DESTINATION "${config_dir}")
option(TAMIS_INSTALL_LICENSE "Install the licence under share/licenses (a packager that has a place of its own says no)" ON)
if(TAMIS_INSTALL_LICENSE)
    install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/tamis")
endif()

# pkg-config's files say where the headers are from where they lie themselves, unless the headers' place is absolute.
set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pkgconfig_prefix "${CMAKE_INSTALL_PREFIX}")
    set(pkgconfig_include "${CMAKE_INSTALL_INCLUDEDIR}")
elseif(IS_ABSOLUTE "${CMAKE_INSTALL_DATADIR}")
    set(pkgconfig_prefix "${CMAKE_INSTALL_PREFIX}")
    set(pkgconfig_include "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
else()
    file(RELATIVE_PATH up "/p/${pkgconfig_dir}" /p) # ../.. ; a prefix of one part, as RELATIVE_PATH wants full paths
    string(REGEX REPLACE "/$" "" up "${up}")
    set(pkgconfig_prefix "\${pcfiledir}/${up}")
    set(pkgconfig_include "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/tamis.pc.in "${PROJECT_BINARY_DIR}/package/tamis.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/package/tamis.pc" DESTINATION "${pkgconfig_dir}")
if(TAMIS_INSTALL_EIGEN)
    configure_file(cmake/tamis-eigen.pc.in "${PROJECT_BINARY_DIR}/package/tamis-eigen.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/package/tamis-eigen.pc" DESTINATION "${pkgconfig_dir}")
endif()

# The build folder serves find_package as well (-D tamis_DIR=BUILD/package): an editable package of Conan is one.
if(PROJECT_IS_TOP_LEVEL)
    export(EXPORT tamis-targets NAMESPACE tamis:: FILE "${PROJECT_BINARY_DIR}/package/tamis-targets.cmake")
    foreach(file tamis_find.cmake tamis_simd.cmake tamis_instruction_sets.cmake tamis_levels.hpp.in)
        configure_file(cmake/${file} "${PROJECT_BINARY_DIR}/package/${file}" COPYONLY)
    endforeach()
endif()
