#pragma once

#if defined(TAMIS_SINGLE_HEADER)
#error "tamis.hpp, the single header, was included before <tamis/...>: take one of the two in a unit"
#endif

/// The one place of the version: CMakeLists.txt reads these three lines.
#define TAMIS_VERSION_MAJOR 0
#define TAMIS_VERSION_MINOR 2
#define TAMIS_VERSION_PATCH 0

#define TAMIS_DETAIL_DIGITS_(x) #x
#define TAMIS_DETAIL_DIGITS(x) TAMIS_DETAIL_DIGITS_(x)
/// As "0.2.0".
#define TAMIS_VERSION                        \
    TAMIS_DETAIL_DIGITS(TAMIS_VERSION_MAJOR) \
    "." TAMIS_DETAIL_DIGITS(TAMIS_VERSION_MINOR) "." TAMIS_DETAIL_DIGITS(TAMIS_VERSION_PATCH)
