#!/usr/bin/env python3
"""The README's tables of the FFN, from what `cmake --workflow --preset bench` wrote:

    python3 bench/ffn_table.py build/bench/ffn.json

A row or counter that is not there becomes "-". What the counters are is told on top of bench/ffn.cpp.
"""
import json
import re
import sys

rows = {}
for run in json.load(open(sys.argv[1]))["benchmarks"]:
    if run.get("aggregate_name", "median") == "median":  # with repetitions their median comes last
        rows[re.sub("/iterations:.*|/manual_time", "", run.get("run_name", run["name"]))] = run


def cell(text, counter, site, weights, density, h=4096, d=14336, threads=1, tokens=1):
    block = f"/tokens:{tokens}" if tokens > 1 else ""
    name = f"ffn/site:{site}/h:{h}/d:{d}/weights:{weights}/density:{density}/threads:{threads}{block}"
    value = rows.get(name, {}).get(counter, 0)
    return text.format(value).replace("%", " %") if value else "-"  # vs_best_dense is 0 where no library takes the format


def table(title, head, lines):
    print(f"{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for line in lines:
        print(f"| {' | '.join(line)} |")
    print()


times, percent, small = "{:.2f} x", "{:.0%}", "{:.2%}"

columns = [
    ("dense: of memory's rate", percent, "stream_fraction", "dense", "1.00"),
    ("dense: vs library", times, "vs_best_dense", "dense", "1.00"),
    ("density .5", times, "vs_dense", "all_inputs", "0.50"),
    ("density .3", times, "vs_dense", "all_inputs", "0.30"),
]
table(
    "4096 x 14336, one token. Dense: share of the memory's rate; time of the quickest dense library over time. "
    "Masks at all inputs: own dense time over time.",
    ["weights"] + [f"{what}, {threads}" for threads in ("1 thread", "2 threads") for what, *_ in columns],
    [
        [weights]
        + [
            cell(text, counter, site, weights, density, threads=threads)
            for threads in (1, 2)
            for _, text, counter, site, density in columns
        ]
        for weights in ("f32", "f16", "bf16", "int8_by_row", "q8_0", "q4_0")
    ],
)
table(
    "Sites alone at density .5, 4096 x 14336, one thread. Ideal: bytes of the dense FFN over bytes read.",
    ["site"] + [f"{weights}: {what}" for weights in ("bf16", "q8_0") for what in ("vs dense", "ideal", "reached")],
    [
        [site]
        + [
            cell(text, counter, site, weights, "0.50")
            for weights in ("bf16", "q8_0")
            for text, counter in ((times, "vs_dense"), (times, "ideal"), (percent, "reached"))
        ]
        for site in ("input", "gate", "up", "intermediate", "all_inputs")
    ],
)
table(
    "Shapes, one thread: masks at all inputs, at density .5 against the own dense form, and the share of the time that "
    "making masks takes under `top_p{0.9}`.",
    ["hidden x neurons"] + [f"{weights}: {what}" for weights in ("bf16", "q4_0") for what in ("vs dense", "masks")],
    [
        [f"{h} x {d}"]
        + [
            cell(text, counter, "all_inputs", weights, density, h, d)
            for weights in ("bf16", "q4_0")
            for text, counter, density in ((times, "vs_dense", "0.50"), (small, "mask_share", "top_p_0.9"))
        ]
        for h, d in ((896, 4864), (2048, 8192), (4096, 14336))
    ],
)
ours = [name for name in rows if name.startswith("ffn/site:all_inputs/h:4096/") and "/threads:1/tokens:" in name]
blocks = sorted({int(name.split("/tokens:")[1]) for name in ours}) or [2, 4, 8, 16]
table(
    "Blocks of tokens, each with masks of its own at density .5, 4096 x 14336, one thread: time over that of streaming the "
    "bytes that any of them reads.",
    ["weights"] + [f"{tokens} tokens" for tokens in blocks],
    [
        [weights] + [cell(times, "over_union", "all_inputs", weights, "0.50", tokens=tokens) for tokens in blocks]
        for weights in ("f32", "bf16", "q8_0", "q4_0")
    ],
)
