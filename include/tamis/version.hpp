#pragma once

/// The one place of the version: CMakeLists.txt reads these three lines.
#define TAMIS_VERSION_MAJOR 0
#define TAMIS_VERSION_MINOR 1
#define TAMIS_VERSION_PATCH 0
