#!/usr/bin/env python3
"""Counts the instructions of kernels and searches (sections.cpp, for AVX2) and compares them with counts.txt:

    python3 tests/instructions/instructions.py             # fails when one has grown by more than 3 %
    python3 tests/instructions/instructions.py --update    # writes counts.txt: after a change that means it
    python3 tests/instructions/instructions.py --neon      # the same for 64-bit ARM, emulated: counts_neon.txt

Times on shared machines are noisy; these counts, valgrind's or qemu's, are the same at every run. They depend on compiler and
xsimd, so the tables name both, and with others nothing is compared. Exit code 77: skipped, with the reason.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
tolerance = 0.03

options = argparse.ArgumentParser()
options.add_argument("--compiler")
options.add_argument("--neon", action="store_true")
options.add_argument("--update", action="store_true")
options = options.parse_args()
options.compiler = options.compiler or ("aarch64-linux-gnu-g++" if options.neon else "g++")
table = here / ("counts_neon.txt" if options.neon else "counts.txt")
flags = ["-std=c++20", "-O3", *(["-static"] if options.neon else ["-march=x86-64-v3", "-DTAMIS_NO_ISA_NOTE"])]
needed = {options.compiler: "g++-aarch64-linux-gnu", "qemu-aarch64": "qemu-user"} if options.neon else {
    "valgrind": "valgrind", "callgrind_annotate": "valgrind"}


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


def counted_by_valgrind(program, folder):
    """Instructions of each section with what it calls."""
    file = f"{folder}/callgrind.out"
    subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={file}", program], check=True, stdout=subprocess.DEVNULL)
    counts = {}
    for count, name in re.findall(r"^\s*([\d,]+).*?tamis_section_(\w+)", output_of("callgrind_annotate", "--inclusive=yes", "--threshold=100", file), re.M):
        counts[name] = max(counts.get(name, 0), int(count.replace(",", "")))
    return counts


def counted_by_qemu(program, folder):
    """The same: qemu tells of each piece of code what is in it, once, and then whenever it is run. Sections are called one after
    the other by main, so what is run between the beginnings of two is the first one's (main's own call among it)."""
    log = f"{folder}/qemu.log"
    subprocess.run(["qemu-aarch64", "-d", "in_asm,exec,nochain", "-D", log, program], check=True, stdout=subprocess.DEVNULL)
    length, counts, reading, section = {}, {}, None, None
    with open(log, errors="replace") as lines:
        for line in lines:
            if line.startswith("0x"):
                address = int(line[:line.index(":")], 16)
                if reading is None:
                    reading = address
                    length[reading] = 0
                length[reading] += 1
            elif line.startswith("IN:"):
                reading = None
            elif line.startswith("Trace"):
                place, _, function = line.partition("]")
                address = int(place.split("/")[1], 16)
                function = function.strip()
                if function.startswith("tamis_section_"):
                    section = function.removeprefix("tamis_section_")
                elif function == "main":
                    section = None
                if section:
                    counts[section] = counts.get(section, 0) + length[address]
    return counts


for program, package in needed.items():
    if shutil.which(program) is None:
        skip(f"{program} is not installed (Debian's package {package} has it)")
if not options.neon and "avx2" not in pathlib.Path("/proc/cpuinfo").read_text().split():
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
    skip(f"{table.name} is of {old_with}, this is {now_with} (--update writes another)")

with tempfile.TemporaryDirectory() as folder:
    program = f"{folder}/sections"
    subprocess.run([options.compiler, *flags, f"-I{here.parent.parent / 'include'}", here / "sections.cpp", "-o", program], check=True)
    new = (counted_by_qemu if options.neon else counted_by_valgrind)(program, folder)
if not new:
    sys.exit("no section was counted")

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
    how = "for NEON, by qemu; written by instructions.py --neon --update" if options.neon else "by callgrind; written by instructions.py --update"
    head = f"# Instructions of each section of sections.cpp, {how}\n"
    table.write_text(head + f"# with {now_with}\n" + "".join(f"{name} {new[name]}\n" for name in sorted(new)))
    print(f"written: {table}")
elif grown:
    sys.exit(f"more than {tolerance:.0%} apart: {', '.join(grown)}. If that is meant: python3 tests/instructions/instructions.py{' --neon' if options.neon else ''} --update")
elif fewer:
    print(f"Fewer than {table.name} says: --update keeps them so")
