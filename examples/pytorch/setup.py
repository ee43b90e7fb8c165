"""Builds the operators with CMake into a wheel for any Python: `pip wheel .`; needs CMake, a C++20 compiler, xsimd and torch's headers."""

import os
import pathlib
import subprocess

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

HERE = pathlib.Path(__file__).resolve().parent


def torch_headers():
    """Of the torch that is here; or TAMIS_TORCH_INCLUDE, where pip builds in an environment without torch."""
    named = os.environ.get("TAMIS_TORCH_INCLUDE")
    if named is not None:
        return named
    try:
        import torch.utils.cpp_extension
    except ImportError:
        raise SystemExit("tamis: torch's headers are needed: pip wheel --no-build-isolation ., where torch (2.10 or later) is "
                         "installed, or TAMIS_TORCH_INCLUDE=...") from None
    return ";".join(path for path in torch.utils.cpp_extension.include_paths() if os.path.isdir(path))


class BuildWithOperators(build_py):
    def run(self):
        super().run()
        library = pathlib.Path(self.build_lib) / "tamis_torch" / "tamis_torch.so"
        if "TAMIS_TORCH_LIBRARY" in os.environ: # built before, for older systems than this one: packaging/binaries.sh
            self.copy_file(os.environ["TAMIS_TORCH_LIBRARY"], library)
            return
        build = HERE / "build" / "operators"
        subprocess.run(["cmake", "-S", HERE.parent.parent, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DTAMIS_PYTORCH=ON",
                        "-DTAMIS_BUILD_TESTS=OFF", "-DTAMIS_BUILD_BENCH=OFF", "-DTAMIS_BUILD_EXAMPLES=OFF",
                        "-DTAMIS_INSTALL_DEPENDENCIES=OFF", "-DTAMIS_GGML_BACKEND=OFF", f"-DTAMIS_TORCH_INCLUDE={torch_headers()}"], check=True)
        jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
        subprocess.run(["cmake", "--build", build, "--target", "tamis_torch", "-j", jobs], check=True)
        self.copy_file(build / "examples" / "pytorch" / "tamis_torch.so", library)


class AnyPython(bdist_wheel):
    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class WithOperators(Distribution):
    def has_ext_modules(self):
        return True


setup(cmdclass={"build_py": BuildWithOperators, "bdist_wheel": AnyPython}, distclass=WithOperators)
