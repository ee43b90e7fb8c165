set(VCPKG_BUILD_TYPE release) # headers only

# packaging/release.py fills in the address and the hash of a release's archive.
vcpkg_download_distfile(ARCHIVE
    URLS "https://tamis.example/releases/${VERSION}/tamis-${VERSION}.tar.gz"
    FILENAME "tamis-${VERSION}.tar.gz"
    SHA512 0
)
vcpkg_extract_source_archive(SOURCE_PATH ARCHIVE "${ARCHIVE}")

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
