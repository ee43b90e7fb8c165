import os

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import cmake_layout
from conan.tools.files import copy, get, save

required_conan_version = ">=2.1"


class TamisConan(ConanFile):
    name = "tamis"
    description = "Activation sparsity for the feed-forward layers of language models"
    license = "MIT"
    url = "https://github.com/conan-io/conan-center-index"
    homepage = "https://tamis.example"
    topics = ("header-only", "sparsity", "llm", "inference", "simd")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_eigen": [True, False]}
    default_options = {"with_eigen": False}
    no_copy_source = True

    def layout(self):
        cmake_layout(self, src_folder="src")

    def requirements(self):
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)
        if self.options.with_eigen:
            self.requires("eigen/[>=3.4 <6]", transitive_headers=True)

    def package_id(self):
        # The headers that need Eigen are there or not.
        self.info.settings.clear()
        self.info.requires.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def source(self):
        get(self, **self.conan_data["sources"][self.version], strip_root=True)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        include = os.path.join(self.package_folder, "include")
        eigen_half = () if self.options.with_eigen else ("tamis/eigen.hpp", "tamis/study/*")
        copy(self, "tamis/*.hpp", os.path.join(self.source_folder, "include"), include, excludes=eigen_half)
        # The targets that choose instructions: tamis::native, tamis::x86_64_v3, tamis::x86_64_v4.
        modules = os.path.join(self.package_folder, "lib", "cmake", "tamis")
        copy(self, "tamis_simd.cmake", os.path.join(self.source_folder, "cmake"), modules)
        save(self, os.path.join(modules, "conan-tamis-simd.cmake"),
             'include("${CMAKE_CURRENT_LIST_DIR}/tamis_simd.cmake")\ntamis_add_simd_targets("")\n')

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "tamis")
        self.cpp_info.set_property("cmake_target_name", "tamis::all")
        self.cpp_info.set_property("cmake_build_modules", [os.path.join("lib", "cmake", "tamis", "conan-tamis-simd.cmake")])
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "tamis::tamis")
        core.set_property("pkg_config_name", "tamis")
        core.requires = ["xsimd::xsimd"]
        core.bindirs = core.libdirs = []
        if self.options.with_eigen:
            eigen = self.cpp_info.components["eigen"]
            eigen.set_property("cmake_target_name", "tamis::eigen")
            eigen.set_property("pkg_config_name", "tamis-eigen")
            eigen.requires = ["core", "eigen::eigen"]
            eigen.bindirs = eigen.libdirs = []
