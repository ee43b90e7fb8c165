# An overlay port that takes the checkout it lies in: vcpkg install tamis --overlay-ports=packaging/vcpkg
set(VCPKG_BUILD_TYPE release) # headers only

get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS
    FEATURES
        eigen TAMIS_INSTALL_EIGEN
)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        ${FEATURE_OPTIONS}
        -DTAMIS_BUILD_TESTS=OFF
        -DTAMIS_BUILD_BENCH=OFF
        -DTAMIS_BUILD_EXAMPLES=OFF
        -DTAMIS_INSTALL_LICENSE=OFF
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/tamis)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
