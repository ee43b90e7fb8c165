"""Writes tamis.hpp, the library as one header, and tamis_eigen.hpp, what needs Eigen behind it (it includes the first).
python3 packaging/single_header/amalgamate.py OUTPUT_FOLDER

Comments and names stay as they are; `#line` is left out, so a debugger shows the one file. Headers of exec/ are apart."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2] / "include"
INCLUDE = re.compile(r"^\s*#\s*include\s*<(tamis/[^>]+[.]hpp)>.*$")


class Amalgam:
    def __init__(self):
        self.done = set()

    def text_of(self, header):
        """A header with what it includes in front; nothing where it was written before."""
        if header in self.done:
            return ""
        self.done.add(header)
        lines, depth = [f"// ---- {header}\n"], 0
        apart = header == "tamis/version.hpp" # its refusal of the single header
        for line in (ROOT / header).read_text().splitlines(keepends=True):
            directive = re.match(r"\s*#\s*(\w+)", line)
            depth += {"if": 1, "ifdef": 1, "ifndef": 1, "endif": -1}.get(directive.group(1), 0) if directive else 0
            include = INCLUDE.match(line)
            if apart and re.match(r"#(if|error|endif)", line) or re.match(r"\s*#\s*pragma\s+once", line):
                continue
            if not include or not (ROOT / include.group(1)).exists():
                lines.append(line)
            elif depth == 0:
                lines.append(self.text_of(include.group(1)))
            elif include.group(1) not in self.done:
                # Under a condition it would be missing where a later header includes it without one.
                raise SystemExit(f"{header}: {include.group(1)} is included under a condition alone")
        return "".join(lines)


def version():
    return ".".join(re.findall(r"#define TAMIS_VERSION_\w+ (\d+)", (ROOT / "tamis/version.hpp").read_text()))


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    licence = "".join(f"// {line}".rstrip() + "\n" for line in (ROOT.parent / "LICENSE").read_text().splitlines())
    head = (f"// tamis {version()}, {{what}}. Made by packaging/single_header/amalgamate.py; it needs xsimd{{more}}.\n//\n{licence}"
            "#pragma once\n\n")
    apart = ('#if defined(TAMIS_VERSION_MAJOR) && !defined(TAMIS_SINGLE_HEADER)\n'
             '#error "<tamis/...> was included before the single header: take one of the two in a unit"\n#endif\n'
             "#define TAMIS_SINGLE_HEADER 1\n\n")
    amalgam = Amalgam()
    core = amalgam.text_of("tamis/tamis.hpp")
    (folder / "tamis.hpp").write_text(head.format(what="the library as one header", more="") + apart + core)
    rest = "".join(amalgam.text_of(header)
                   for header in ("tamis/eigen.hpp", "tamis/study/study.hpp"))
    (folder / "tamis_eigen.hpp").write_text(
        head.format(what="what needs Eigen: vectors as values, the study", more=" and Eigen")
        + '#include "tamis.hpp"\n\n' + rest)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(pathlib.Path(sys.argv[1]))
