import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain
from conan.tools.files import copy, load


class Tamis(ConanFile):
    name = "tamis"
    license = "MIT"
    description = "Activation sparsity for the feed-forward layers of language models"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "LICENSE"
    no_copy_source = True
    test_package_folder = "packaging/conan_test_package"

    def set_version(self):
        # The version is written in one place, the header.
        text = load(self, os.path.join(self.recipe_folder, "include", "tamis", "version.hpp"))
        self.version = ".".join(re.findall(r"#define TAMIS_VERSION_\w+ (\d+)", text))

    def requirements(self):
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        if self.settings.get_safe("compiler.cppstd"):
            check_min_cppstd(self, 20)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "BENCH", "EXAMPLES"):
            toolchain.cache_variables[f"TAMIS_BUILD_{part}"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # The project's own config is the package: users get the same targets from Conan as from `cmake --install`.
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs.append(os.path.join("share", "cmake", "tamis"))
