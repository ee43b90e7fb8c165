"""A stand-in recipe for xsimd or Eigen where Conan has no remote: it wraps the system's headers.
conan create packaging/conan/system --name xsimd --version 8.1.0 -nr   (or --name eigen)"""
import os

from conan import ConanFile
from conan.tools.files import copy


class System(ConanFile):
    package_type = "header-library"
    no_copy_source = True

    def package(self):
        folder = {"xsimd": "/usr/include", "eigen": "/usr/include/eigen3"}[self.name]
        for part in {"xsimd": ["xsimd"], "eigen": ["Eigen", "unsupported"]}[self.name]:
            copy(self, os.path.join(part, "*"), folder, os.path.join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        name = {"xsimd": "xsimd", "eigen": "Eigen3"}[self.name]
        self.cpp_info.set_property("cmake_file_name", name)
        self.cpp_info.set_property("cmake_target_name", {"xsimd": "xsimd", "eigen": "Eigen3::Eigen"}[self.name])
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
