"""docs/blocks.md's table: blocks_table.py build/bench/blocks.json. Own dense time over the time with masks, and in the last two
columns time over that of streaming what is read, dense and at density .5; with --benchmark_repetitions the medians."""
import json
import re
import sys

rows = {}
for run in json.load(open(sys.argv[1]))["benchmarks"]:
    found = re.search(r"weights:(\w+)/tokens:(\d+)/density:([\d.]+)", run["name"])
    if found and "vs_dense" in run and run.get("aggregate_name", "median") == "median": # which comes behind the runs
        rows.setdefault((found[1], int(found[2])), {})[found[3]] = run
densities = sorted({density for of in rows.values() for density in of})
print("| weights | tokens | " + " | ".join(d.lstrip("0") for d in densities) + " | dense: over its bytes | .5: over the union's |")
print("|---|---|" + "---|" * (len(densities) + 2))
for (weights, tokens), of in rows.items():
    cells = [f"{of[d]['vs_dense']:.2f}" if d in of else "-" for d in densities]
    half = of.get("0.5", {})
    cells += [f"{half[key]:.2f}" if key in half else "-" for key in ("dense_over", "over_union")]
    print(f"| `{weights}` | {tokens} | " + " | ".join(cells) + " |")
