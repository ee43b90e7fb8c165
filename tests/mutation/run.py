#!/usr/bin/env python3
"""Puts bugs back into the headers, one at a time, and asks whether the tests named for the header notice:

    python3 tests/mutation/run.py [--only WORD] [--every N] [--list] [--minutes M] [--log FILE [--again survived]]

Bugs are those of bugs.txt, written by hand, and those that a few operators make of the headers in `subjects` (comparisons, signs,
constants, connectives, early ends), `per_header` of each, chosen by a fixed seed. A bug that does not compile is none; one that a
static_assert of a test refuses is killed. A test that fails, crashes or takes a minute of processor time has killed it. What survives is compiled
once more with the address and undefined behaviour sanitizers, as CI does with every test. Objects that no bug changes are
compiled once, in build/mutation. Survivors that were looked at and change nothing that can be seen are in equivalent.txt, each
with why. --log keeps verdicts, and a bug that has one there is not tried again (--again WORD: but those whose verdict begins so).
"""

import argparse
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import time

root = pathlib.Path(__file__).resolve().parents[2]
work = root / os.environ.get("WORK", "build/mutation") # one for each that runs at a time
cxx = os.environ.get("CXX", "g++")
flags = ["-std=c++20", "-O0", "-w", "-march=native", "-D_GLIBCXX_ASSERTIONS"]
paths = ["-I" + str(root / "include"), "-I" + str(root / "tests"), "-isystem", os.environ.get("EIGEN", "/usr/include/eigen3")]
sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
per_header = 8

# header: the tests that have to notice, and objects that they are linked with
subjects = {
    "search/top_p_cut.hpp": ["search/plain_twins.cpp", "search/top_p_cut.cpp"],
    "search/top_k_cut.hpp": ["search/plain_twins.cpp", "search/top_k_cut.cpp"],
    "search/exact_sum.hpp": ["search/exact_sum.cpp"],
    "search/tail_search.hpp": ["search/plain_twins.cpp"],
    "search/plain_cuts.hpp": ["rule/top_p.cpp", "rule/top_k.cpp", "rule/tail_budget.cpp", "search/plain_twins.cpp"],
    "detail/soft_double.hpp": ["search/soft_product.cpp"],
    "detail/uint128.hpp": ["search/two_words.cpp", "search/soft_product.cpp"],
    "cut.hpp": ["cut.cpp"],
    "mask/mask.hpp": ["mask/mask.cpp", "contracts/hardened.cpp"],
    "mask/apply.hpp": ["mask/apply.cpp"],
    "mask/set_operations.hpp": ["mask/set_operations.cpp"],
    "select_block.hpp": ["select_block.cpp"],
    "rule/combine.hpp": ["rule/combine.cpp"],
    "rule/guarded.hpp": ["rule/guarded.cpp"],
    "rule/given.hpp": ["rule/given.cpp"],
    "rule/channel_thresholds.hpp": ["rule/channel_thresholds.cpp"],
    "rule/grouped.hpp": ["rule/grouped.cpp"],
    "score/power.hpp": ["score/power.cpp", "score/lanes.cpp"],
    "score/weighted.hpp": ["score/weighted.cpp", "score/lanes.cpp"],
    "detail/memory.hpp": ["ffn/checks.cpp"],
    "workspace.hpp": ["workspace.cpp", "contracts/hardened.cpp"],
    "whole_number.hpp": ["whole_number.cpp"],
    "format/quantise.hpp": ["format/q8_0.cpp", "format/q4_0.cpp", "format/quantise.cpp"],
    "format/f16.hpp": ["format/f16_round.cpp", "format/f16_read.cpp", "format/load.cpp", "format/pack_bits.cpp", "format/scales.cpp"],
    "format/bf16.hpp": ["format/bf16_round.cpp", "format/bf16_read.cpp", "format/load.cpp"],
    "study/exact_total.hpp": ["study/exact_total.cpp"],
    "study/meter/stability.hpp": ["study/meter/stability.cpp", "study/meter/damaged_words.cpp"],
    "study/meter/frequency.hpp": ["study/meter/frequency.cpp", "study/meter/damaged_words.cpp"],
    "study/meter/sparsity.hpp": ["study/meter/sparsity.cpp", "study/meter/damaged_words.cpp"],
    "study/critical.hpp": ["study/critical.cpp"],
    "study/calibrate/bisect.hpp": ["study/calibrate/bisect.cpp"],
    "study/calibrate/greedy_budgets.hpp": ["study/calibrate/greedy_budgets.cpp"],
    "exec/team.hpp": ["exec/team.cpp"],
}
operators = [
    (r">=", ">"), (r"<=", "<"), (r"(?<=[\w)\]] )<(?= [\w(])", "<="), (r"(?<=[\w)\]] )>(?= [\w(])", ">="), (r"==", "!="),
    (r"!=", "=="), (r"&&", "||"), (r"\|\|", "&&"), (r"(?<=[\w)\]] )\+(?= [\w(])", "-"), (r"(?<=[\w)\]] )-(?= [\w(])", "+"),
    (r"\+=", "-="), (r"(?<![\w.])0(?![\w.])", "1"), (r"(?<![\w.])1(?![\w.])", "2"), (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"), (r"<<(?=[ \w(])", ">>"), (r"(?<=[\w)\]] )&(?= [\w(~])", "|"), (r"\(std::min\)", "(std::max)"),
    (r"\(std::max\)", "(std::min)"), (r"\* ", "+ "),
]
linked = {"ffn": ["ffn/support_reference.cpp", "ffn/support_check.cpp"], "study": ["ffn/support_reference.cpp"]}


def code_lines(text):
    """(number, line) of what is code: no comments, preprocessor, sentences, declarations of templates."""
    for number, line in enumerate(text.splitlines()):
        stripped = line.strip()
        if not stripped or stripped.startswith(("//", "#", "template", "requires", "static_assert", "using", "class", "struct")):
            continue
        if '"' in line or "operator" in line or "std::enable" in line:
            continue
        yield number, line


def made(header):
    text = (root / "include/tamis" / header).read_text()
    lines = text.splitlines()
    found = []
    for number, line in code_lines(text):
        code = line.split("//")[0]
        for pattern, new in operators:
            for match in re.finditer(pattern, code):
                changed = code[: match.start()] + new + code[match.end():]
                found.append((number, line.strip(), changed.strip(), "\n".join(lines[:number] + [changed] + lines[number + 1:]) + "\n"))
    random.Random(header).shuffle(found)
    for number, old, new, mutated in found[:per_header]:
        yield f"{header}:{number + 1}: {old}  ->  {new}", header, mutated, subjects[header]


def written():
    """bugs.txt: blocks of `header | tests | what`, then the old line and the new one."""
    path = pathlib.Path(__file__).with_name("bugs.txt")
    blocks = [b.splitlines() for b in path.read_text().split("\n\n") if b.strip() and not b.startswith("#")]
    for head, old, new in blocks:
        header, tests, what = [part.strip() for part in head.split(" | ")]
        text = (root / "include/tamis" / header).read_text()
        if text.count(old.strip()) < 1:
            sys.exit(f"bugs.txt: {header} has no '{old.strip()}'")
        yield f"{header}: {what}", header, text.replace(old.strip(), new.strip(), 1), tests.split()


def compiled(source, overlay, name, more):
    """The object, or what the compiler says. Without an overlay: compiled once."""
    target = work / (name + ("_sanitized" if more else "") + ".o")
    if overlay is None and target.exists():
        return target, ""
    before = [] if overlay is None else ["-I" + str(overlay)]
    own = ["-DTAMIS_HARDENED"] if source.startswith("contracts/") else []
    done = subprocess.run([cxx, *flags, *more, *own, *before, *paths, "-c", str(root / "tests" / source), "-o", str(target)],
                          capture_output=True, text=True, check=False)
    return (target, "") if done.returncode == 0 else (None, done.stderr)


def a_minute():
    """Of the processor's time: the machine may have other work."""
    resource.setrlimit(resource.RLIMIT_CPU, (60, 61))


def tried(test, overlay, more):
    """'' when the test passes with the overlay's header."""
    mutant, said = compiled(test, overlay, "mutant" if overlay else "sound_" + test.replace("/", "_"), more)
    if mutant is None:
        by_test = "static assertion failed" in said or "non-constant condition for static assertion" in said
        return f"killed by {test} (static_assert)" if by_test else "does not compile"
    objects = [mutant]
    for support in ["main.cpp", *linked.get(test.split("/")[0], [])]:
        objects.append(compiled(support, None, support.replace("/", "_"), more)[0])
    program = work / "mutant"
    linking = subprocess.run([cxx, *more, *map(str, objects), "-lgmpxx", "-lgmp", "-lpthread", "-o", str(program)],
                             capture_output=True, text=True, check=False)
    if linking.returncode != 0:
        return "does not link: " + linking.stderr[-300:]
    with_what = " under sanitizers" if more else ""
    try:
        done = subprocess.run([str(program)], capture_output=True, timeout=900, check=False, preexec_fn=a_minute)
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return f"killed by {test}{with_what} (time)"
        return f"killed by {test}{with_what}" if done.returncode != 0 else ""
    except subprocess.TimeoutExpired:
        return f"killed by {test}{with_what} (no end)"


sound = set()


def verdict(header, mutated, tests):
    for test in tests: # one that fails anyway kills nothing
        if test not in sound and (found := tried(test, None, [])):
            sys.exit(f"{test} does not pass without a bug: {found}")
        sound.add(test)
    overlay = work / "overlay"
    path = overlay / "tamis" / header
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(mutated)
    try:
        for more in [], sanitizers:
            for test in tests:
                if found := tried(test, overlay, more):
                    return found
        return "SURVIVED"
    finally:
        path.unlink()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default="", help="bugs whose name has this word")
    options.add_argument("--every", type=int, default=1, help="each Nth alone")
    options.add_argument("--minutes", type=float, default=1e9, help="stop behind so many")
    options.add_argument("--list", action="store_true", help="names alone")
    options.add_argument("--log", type=pathlib.Path, help="verdicts so far; new ones are added")
    options.add_argument("--again", default="nothing", help="verdicts that begin so do not count")
    o = options.parse_args()
    bugs = [b for b in [*written(), *(m for h in subjects for m in made(h))] if o.only in b[0]][:: o.every]
    if o.list:
        print("\n".join(b[0] for b in bugs), f"\n{len(bugs)} bugs")
        return 0
    work.mkdir(parents=True, exist_ok=True)
    equivalent = pathlib.Path(__file__).with_name("equivalent.txt").read_text().splitlines()
    before = {}
    if o.log and o.log.exists():
        for line in o.log.read_text().splitlines():
            found, _, name = line.partition(": ")
            if name and not found.lower().startswith(o.again.lower()):
                before[re.sub(r":\d+:", ":", name, count=1)] = found
    count = {"killed": 0, "SURVIVED": 0, "equivalent": 0, "does": 0}
    begin = time.time()
    left = 0
    for name, header, mutated, tests in bugs:
        known = re.sub(r":\d+:", ":", name, count=1)
        found = before.get(known)
        if found is None:
            if time.time() - begin > 60 * o.minutes:
                left += 1
                continue
            found = verdict(header, mutated, tests)
            if o.log:
                with o.log.open("a") as log:
                    log.write(f"{found}: {name}\n")
        if found == "SURVIVED" and known in equivalent:
            found = "equivalent"
        count[found.split()[0]] += 1
        print(f"{found}: {name}", flush=True)
    bad = count["killed"] + count["SURVIVED"]
    print(f"{bad} bugs, {count['killed']} killed ({100 * count['killed'] / max(1, bad):.1f} %), {count['SURVIVED']} survived; "
          f"{count['equivalent']} change nothing, {count['does']} do not compile; {left} not tried, {len(bugs)} in all")
    return 0 if count["killed"] >= 0.95 * bad and left == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
