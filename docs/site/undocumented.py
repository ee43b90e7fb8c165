"""What is public and has no /// comment, from doxygen's warnings: undocumented.py [--most N]
Names of detail and of kernels and searches are not public. With --most N it fails above N: nothing new goes in without a comment."""
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# Members that a concept asks for are documented with the concept (the reference says so at the head of a folder's page).
CONCEPTS = {
    r"format/": "name storage row_bytes at pack load load_unit block scale unit factors unpack_factors whole_blocks real "
                "round largest least codes groups numbers has_offset reach d dmin q q[16] q[32] q[64] qs qh scales scales[12] scales[16] low[64] third[32] high[32]",
    r"rule/|any_selector|text_rule|ffn/cett_exact|study/(any_joint|joint|without)": "cut_of workspace_bytes select select_row selection_bytes",
    r"score/": "operator() lanes places",
    r"study/meter|study/predictor|study/joint_masker|study/masker|study/state": "operator() state merge begin problem predict several number fills width neurons prediction_bytes multiply_adds weight_bytes",
    r"study/calibrate": "add merge begin problem",
    r"study/laws/": "value gradient positive limit names parameters problem start at derivative",
    r"ffn/(activation|gating)": "operator() lanes of_up whole",
    r"exec": "run width",
    r"shard/communicator|mpi": "rank size sum largest send receive has_message",
    r"shard/sharded": "cut_of workspace_bytes",
    r"ffn/(observer|union_growth|repack)|study/rounded": "operator()",
    r"study/round": "name largest operator() state round",
}
# What stands in a class that is itself a part (policy_set, Eigen's minimiser, a broken line).
ONLY_INSIDE = re.compile(r"^(has|has_to_skip|selection_bytes|too_far|free_of|bound_of|values|operator|df|below|squares)\b")


def is_concept_member(file, name):
    short = name.split("(")[0].split("::")[-1].split()[-1] if "operator()" not in name else "operator()"
    return any(re.match(folder, file) and short in names.split() for folder, names in CONCEPTS.items())


with tempfile.TemporaryDirectory() as work:
    settings = (HERE / "Doxyfile").read_text() + f"INPUT = include/tamis\nOUTPUT_DIRECTORY = {work}\nWARN_LOGFILE = {work}/log\n"
    subprocess.run(["doxygen", "-"], input=settings, text=True, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    warnings = (pathlib.Path(work) / "log").read_text().splitlines()

found = collections.defaultdict(set)
for warning in warnings:
    match = re.match(r"(.*?):(\d+): warning: (?:Member|Compound) (.*?) (?:\(.*?\) of .*)?is not documented", warning)
    if match and not re.search(r"detail::|policy_set|law_part|any_(ffn|projection)< formats", warning): # parts of others
        file = match.group(1).split("include/tamis/")[-1]
        name = match.group(3)
        # What C++ itself says: moves, copies, destructors, deleted overloads (their comment stands behind them).
        lines = (ROOT / "include/tamis" / file).read_text().splitlines()
        line = lines[int(match.group(2)) - 1]
        # `int a, b; ///< both` and a comment above such a line speak of all of its names.
        if "///<" in line or lines[int(match.group(2)) - 2].lstrip().startswith("///"):
            continue
        if "= delete" in line or "= default" in line or "~" in line or "friend " in line:
            continue
        if is_concept_member(file, name):
            continue
        if file in ("ffn/policy.hpp", "study/laws/fit_law.hpp", "study/laws/width_depth.hpp") and ONLY_INSIDE.search(name):
            continue
        found[file].add((int(match.group(2)), name))
count = sum(len(names) for names in found.values())
if "--files" in sys.argv:
    for file, names in sorted(found.items(), key=lambda one: -len(one[1])):
        print(f"{len(names):4} {file}")
else:
    for file, names in sorted(found.items()):
        for line, name in sorted(names):
            print(f"include/tamis/{file}:{line}: {name}")
print(f"{count} public things without a comment")
if "--most" in sys.argv and count > int(sys.argv[sys.argv.index("--most") + 1]):
    raise SystemExit(1)
