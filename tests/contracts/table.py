#!/usr/bin/env python3
"""Each row of docs/contracts.md names tests that there are: python3 tests/contracts/table.py [REPOSITORY]

A row's last cell lists files below tests/, each with the begin of a test case's name behind it or alone; `-` is for what is never
checked.
"""

import pathlib
import re
import sys


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    wrong = []
    rows = 0
    for number, text in enumerate((root / "docs/contracts.md").read_text().splitlines(), 1):
        if not text.startswith("| ") or text.startswith("| misuse "):
            continue
        rows += 1
        cells = [cell.strip() for cell in text.strip("|").split(" | ")]
        if len(cells) != 4:
            wrong.append(f"line {number}: {len(cells)} cells in place of 4")
            continue
        when, tests = cells[1], cells[3].strip(" |")
        if when == "never":
            if tests != "-":
                wrong.append(f"line {number}: what is never checked has no test")
            continue
        found = re.findall(r"`([^`]+)`(?:: (.*?))?(?=, `|$)", tests)
        if not found:
            wrong.append(f"line {number}: names no test")
        for file, case in found:
            path = root / "tests" / file
            if not path.is_file():
                wrong.append(f"line {number}: there is no tests/{file}")
            elif case and case not in path.read_text():
                wrong.append(f"line {number}: no test case of tests/{file} is called '{case}'")
    for sentence in wrong:
        print("docs/contracts.md:", sentence)
    print(f"{rows} rows, {len(wrong)} wrong")
    return 1 if wrong or rows < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
