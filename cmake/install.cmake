# The package: headers, and a config under share/cmake/tamis that works wherever the prefix is moved.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(config_dir "${CMAKE_INSTALL_DATADIR}/cmake/tamis")
configure_package_config_file(cmake/tamis-config.cmake.in "${PROJECT_BINARY_DIR}/package/tamis-config.cmake"
    INSTALL_DESTINATION "${config_dir}"
    NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break the interface. ARCH_INDEPENDENT: there is nothing but headers.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/tamis-config-version.cmake"
    COMPATIBILITY SameMinorVersion
    ARCH_INDEPENDENT)

install(DIRECTORY include/tamis DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(TARGETS tamis EXPORT tamis-targets)
install(EXPORT tamis-targets NAMESPACE tamis:: DESTINATION "${config_dir}")
install(FILES
    "${PROJECT_BINARY_DIR}/package/tamis-config.cmake"
    "${PROJECT_BINARY_DIR}/package/tamis-config-version.cmake"
    cmake/tamis_find.cmake
    cmake/tamis_instruction_sets.cmake
    cmake/tamis_simd.cmake
    DESTINATION "${config_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/tamis")
