#!/usr/bin/env python3
"""Counts the instructions of kernels and searches (sections.cpp, for AVX2) and compares them with counts.txt:

    python3 tests/instructions/instructions.py             # fails when one has grown by more than 3 %
    python3 tests/instructions/instructions.py --update    # writes counts.txt: after a change that means it

Times on shared machines are noisy; these counts, valgrind's, are the same at every run. They depend on compiler and xsimd, so
counts.txt names both, and with others nothing is compared. Exit code 77: skipped, with the reason.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
table = here / "counts.txt"
flags = ["-std=c++20", "-O3", "-march=x86-64-v3", "-DTAMIS_NO_ISA_NOTE"]
tolerance = 0.03

options = argparse.ArgumentParser()
options.add_argument("--compiler", default="g++")
options.add_argument("--update", action="store_true")
options = options.parse_args()


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def macro(name, include):
    """What a macro of an xsimd header is."""
    text = subprocess.run(
        [options.compiler, "-std=c++20", "-E", "-dM", "-x", "c++", "-"],
        input=f"#include <{include}>\n", check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    return re.search(rf"#define {name} (\S+)", text).group(1)


def toolchain():
    version = output_of(options.compiler, "--version").splitlines()[0]
    kind = "clang" if "clang" in version else "g++"
    major = output_of(options.compiler, "-dumpversion").strip().split(".")[0]
    xsimd = ".".join(macro(f"XSIMD_VERSION_{part}", "xsimd/config/xsimd_config.hpp") for part in ("MAJOR", "MINOR"))
    return f"{kind} {major}, xsimd {xsimd}"


for needed in ("valgrind", "callgrind_annotate"):
    if shutil.which(needed) is None:
        skip(f"{needed} is not installed (Debian's package valgrind has it)")
if "avx2" not in pathlib.Path("/proc/cpuinfo").read_text().split():
    skip("this processor has no AVX2")
now_with = toolchain()
old_with, old = None, {}
if table.exists():
    for line in table.read_text().splitlines():
        if line.startswith("# with "):
            old_with = line.removeprefix("# with ")
        elif line and not line.startswith("#"):
            name, count = line.split()
            old[name] = int(count)
if old_with != now_with and not options.update:
    skip(f"counts.txt is of {old_with}, this is {now_with} (--update writes another)")

with tempfile.TemporaryDirectory() as folder:
    program, counted = f"{folder}/sections", f"{folder}/callgrind.out"
    subprocess.run([options.compiler, *flags, f"-I{here.parent.parent / 'include'}", here / "sections.cpp", "-o", program], check=True)
    subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={counted}", program], check=True, stdout=subprocess.DEVNULL)
    text = output_of("callgrind_annotate", "--inclusive=yes", "--threshold=100", counted)
new = {}
for count, name in re.findall(r"^\s*([\d,]+).*?tamis_section_(\w+)", text, re.M):
    new[name] = max(new.get(name, 0), int(count.replace(",", "")))
if not new:
    sys.exit("callgrind_annotate names no section")

grown, fewer = [], []
print(f"{'section':<24}{'before':>10}{'now':>10}{'ratio':>8}")
for name in sorted(old.keys() | new.keys()):
    before, now = old.get(name), new.get(name)
    ratio = now / before if before and now else None
    note = ""
    if ratio is None:
        note = "new" if now else "gone"
    elif ratio > 1 + tolerance:
        note = "MORE"
    elif ratio < 1 - tolerance:
        note = "fewer"
    if note in ("MORE", "gone", "new"):
        grown.append(name)
    if note == "fewer":
        fewer.append(name)
    print(f"{name:<24}{before or '-':>10}{now or '-':>10}{f'{ratio:.3f}' if ratio else '-':>8}  {note}".rstrip())

if options.update:
    head = "# Instructions of each section of sections.cpp, by callgrind; written by instructions.py --update\n"
    table.write_text(head + f"# with {now_with}\n" + "".join(f"{name} {new[name]}\n" for name in sorted(new)))
    print(f"written: {table}")
elif grown:
    sys.exit(f"more than {tolerance:.0%} apart: {', '.join(grown)}. If that is meant: python3 tests/instructions/instructions.py --update")
elif fewer:
    print("Fewer than counts.txt says: --update keeps them so")
