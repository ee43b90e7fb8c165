import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Tamis(ConanFile):
    name = "tamis"
    license = "MIT"
    author = "The tamis authors"
    homepage = "https://tamis.example"
    url = homepage
    description = "Activation sparsity for the feed-forward layers of language models"
    topics = ("header-only", "sparsity", "llm", "inference", "simd")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    # What needs Eigen: tamis/eigen.hpp, the study, and tamis::eigen.
    options = {"with_eigen": [True, False]}
    default_options = {"with_eigen": False}
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "LICENSE"
    no_copy_source = True
    test_package_folder = "packaging/conan/test_package"

    def set_version(self):
        # The version is written in one place, the header.
        text = load(self, os.path.join(self.recipe_folder, "include", "tamis", "version.hpp"))
        self.version = ".".join(re.findall(r"#define TAMIS_VERSION_\w+ (\d+)", text))

    def layout(self):
        # In the checkout all of it is below build/, and an editable package has its config where a consumer looks.
        cmake_layout(self, build_folder="build/conan")
        self.cpp.source.includedirs = ["include"]
        self.cpp.build.builddirs = ["package"]
        self.cpp.package.builddirs = [os.path.join("share", "cmake", "tamis")]

    def requirements(self):
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)
        if self.options.with_eigen:
            self.requires("eigen/[>=3.4 <6]", transitive_headers=True)

    def package_id(self):
        # Headers are one package for all settings; what the option leaves out is another package.
        self.info.settings.clear()
        self.info.requires.clear()

    def validate(self):
        if not self.settings.get_safe("compiler.cppstd"):
            raise ConanInvalidConfiguration(
                "tamis is C++20 and the profile names no standard: -s compiler.cppstd=20, or in the profile compiler.cppstd=20")
        check_min_cppstd(self, 20)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.user_presets_path = False
        for part in ("TESTS", "BENCH", "EXAMPLES"):
            toolchain.cache_variables[f"TAMIS_BUILD_{part}"] = False
        toolchain.cache_variables["TAMIS_INSTALL_EIGEN"] = bool(self.options.with_eigen)
        toolchain.cache_variables["TAMIS_INSTALL_LICENSE"] = False  # package() puts it where Conan looks
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # The project's own config is the package: users get the same targets from Conan as from `cmake --install`.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.set_property("pkg_config_name", "tamis")
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
