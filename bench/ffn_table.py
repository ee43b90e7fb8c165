#!/usr/bin/env python3
"""The README's tables of the FFN, from what bench_ffn wrote; one file, or one of each machine or instruction set:

    python3 bench/ffn_table.py avx2.json avx512.json                       # the narrower instruction set comes first
    python3 bench/ffn_table.py --check README.md avx2.json avx512.json     # fails when a line of them is not in README.md

A row or counter that is not there becomes "-". What the counters are is told on top of bench/ffn.cpp. Both instruction sets of
one machine:

    for isa in x86-64-v3 native; do
        cmake -B build/$isa -D TAMIS_BUILD_BENCH=ON -D TAMIS_BUILD_TESTS=OFF -D TAMIS_BUILD_EXAMPLES=OFF -D CMAKE_CXX_FLAGS=-march=$isa
        cmake --build build/$isa --target bench_ffn
        build/$isa/bench/bench_ffn --benchmark_filter='^ffn/site' --benchmark_out=build/$isa.json
    done
"""
import argparse
import json
import pathlib
import re
import sys

formats = ("f32", "f16", "bf16", "int8_by_row", "q8_0", "q4_0", "q4_k")
times, percent, small = "{:.2f}", "{:.0%}", "{:.2%}"
out = []


class Run:
    def __init__(self, path):
        document = json.load(open(path))
        self.context = document["context"]
        self.rows = {}
        for run in document["benchmarks"]:
            if run.get("aggregate_name", "median") == "median":  # with repetitions their median comes last
                self.rows[re.sub("/iterations:.*|/manual_time", "", run.get("run_name", run["name"]))] = run

    def row(self, site, weights, density, h=4096, d=14336, threads=1, tokens=1):
        block = f"/tokens:{tokens}" if tokens > 1 else ""
        return self.rows.get(f"ffn/site:{site}/h:{h}/d:{d}/weights:{weights}/density:{density}/threads:{threads}{block}", {})

    def cell(self, text, counter, *of, **more):
        value = self.row(*of, **more).get(counter, 0)
        return text.format(value).replace("%", " %") if value else "-"  # vs_best_dense is 0 where no library takes the format

    def pair(self, text, counter, *of, **more):
        """One thread | two threads, in a cell."""
        both = [self.cell(text, counter, *of, threads=threads, **more) for threads in (1, 2)]
        return both[0] if both[1] == "-" else " / ".join(both)

    def break_even(self, weights, threads):
        """The largest density at which masks at all inputs take no longer than the own dense form, between measured ones."""
        before, over_before, found = 0, 0, None
        for density in ("0.10", "0.30", "0.50", "0.70", "0.90", "0.95", "1.00"):
            ratio = self.row("all_inputs", weights, density, threads=threads).get("vs_dense")
            if not ratio:
                continue
            now, over = float(density), 1 / ratio
            if over <= 1:
                found = now
            elif over_before <= 1:
                found = before + (now - before) * (1 - over_before) / (over - over_before)
            before, over_before = now, over
        return "-" if found is None else f"{found:.2f}"


def table(title, head, lines):
    lines = [line for line in lines if any(cell != "-" for cell in line[1:])]
    if lines:
        out.extend([title, "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"])
        out.extend(f"| {' | '.join(line)} |" for line in lines)
        out.append("")


def tables_of(run):
    c = run.context
    rate = [r["stream_gb_per_s"] for n, r in run.rows.items() if "/site:dense/h:4096/" in n and n.endswith("/threads:1")]
    reads = f", which read {sorted(rate)[len(rate) // 2]:.1f} GB/s each" if rate else ""
    out.extend(
        [
            f"**{c.get('built_for', '?')}**: {c.get('num_cpus', '?')} cores of {c.get('processor', '?')}{reads}; "
            f"{c.get('compiler', '?')} -O3; ggml {c.get('ggml', 'not compared').split(':')[0]}",
            "",
        ]
    )
    table(
        "4096 x 14336, one token, one thread / two threads. Time of ggml's dense FFN in the same format, its quickest way, over ours; "
        "rounded: ours by `in_int8`, or `in_bf16` for bf16:",
        ["weights", "dense", "all inputs .5", ".3", ".1", "gate .5", "gate .1", "rounded: dense", "all inputs .5", "gate .5"],
        [
            [f"`{w}`", run.pair(times, "vs_ggml", "dense", w, "1.00")]
            + [run.pair(times, "vs_ggml", "all_inputs", w, density) for density in ("0.50", "0.30", "0.10")]
            + [run.pair(times, "vs_ggml", "gate", w, density) for density in ("0.50", "0.10")]
            + [
                run.pair(times, "rounded_vs_ggml", site, w, density)
                for site, density in (("dense", "1.00"), ("all_inputs", "0.50"), ("gate", "0.50"))
            ]
            for w in formats
        ],
    )
    table(
        "The same against our own dense form, and the density at which masks break even; dense: share of the rate of a plain sum "
        "of the memory, and time of the quickest of Eigen, OpenBLAS and oneDNN over ours:",
        ["weights", "dense: memory", "vs library", "break-even", "density .95", ".9", ".5", ".3", ".1"],
        [
            [
                f"`{w}`",
                run.pair(percent, "stream_fraction", "dense", w, "1.00"),
                run.pair(times, "vs_best_dense", "dense", w, "1.00"),
                " / ".join(run.break_even(w, threads) for threads in (1, 2)).removesuffix(" / -"),
            ]
            + [run.pair(times, "vs_dense", "all_inputs", w, density) for density in ("0.95", "0.90", "0.50", "0.30", "0.10")]
            for w in formats
        ],
    )
    table(
        "Blocks of tokens with masks of their own at density .5, one thread / two: time over that of streaming what any of them "
        "reads; dense time over it; ggml's dense time over it, and over our dense one:",
        ["weights"] + [f"{t} tokens: {what}" for t in (4, 16) for what in ("over union", "vs dense", "vs ggml", "dense vs ggml")],
        [
            [f"`{w}`"]
            + [
                run.pair(times, counter, site, w, density, tokens=tokens)
                for tokens in (4, 16)
                for counter, site, density in (
                    ("over_union", "all_inputs", "0.50"),
                    ("vs_dense", "all_inputs", "0.50"),
                    ("vs_ggml", "all_inputs", "0.50"),
                    ("vs_ggml", "dense", "1.00"),
                )
            ]
            for w in formats
        ],
    )
    table(
        "The same by `in_int8`, or `in_bf16`: ggml's dense time over ours, dense and with masks of density .5, and the time of ours in "
        "floats over it with masks:",
        ["weights"] + [f"{t} tokens: {what}" for t in (4, 16) for what in ("dense vs ggml", ".5 vs ggml", ".5 vs floats")],
        [
            [f"`{w}`"]
            + [
                run.pair(times, counter, site, w, density, tokens=tokens)
                for tokens in (4, 16)
                for counter, site, density in (
                    ("rounded_vs_ggml", "dense", "1.00"),
                    ("rounded_vs_ggml", "all_inputs", "0.50"),
                    ("rounded", "all_inputs", "0.50"),
                )
            ]
            for w in formats
        ],
    )
    table(
        "Few active neurons: own dense time over time, ggml's over it. Gemma 3n's shape, 5 % behind the gate; the shape of Sparsing "
        "Law's 2.4B model, 6.5 % behind ReLU, and the same known before (a predictor's masks):",
        ["weights"] + [f"{what}: vs {other}" for what in ("2048 x 8192 gate .05", "2560 x 6912 gate .065", "known .065") for other in ("dense", "ggml")],
        [
            [f"`{w}`"]
            + [
                run.pair(times, counter, site, w, density, h=h, d=d)
                for site, density, h, d in (("gate", "0.050", 2048, 8192), ("gate", "0.065", 2560, 6912), ("neurons", "0.065", 2560, 6912))
                for counter in ("vs_dense", "vs_ggml")
            ]
            for w in formats
        ],
    )
    table(
        "Small FFNs, one thread / two: dense, and density .5 at all inputs, against ggml; the share that `top_p{0.9}` takes:",
        ["hidden x neurons"] + [f"`{w}`: {what}" for w in ("bf16", "q8_0", "q4_0") for what in ("dense", ".5", "masks")],
        [
            [f"{h} x {d}"]
            + [
                run.pair(text, counter, site, w, density, h=h, d=d)
                for w in ("bf16", "q8_0", "q4_0")
                for text, counter, site, density in (
                    (times, "vs_ggml", "dense", "1.00"),
                    (times, "vs_ggml", "all_inputs", "0.50"),
                    (small, "mask_share", "all_inputs", "top_p_0.9"),
                )
            ]
            for h, d in ((576, 1536), (640, 2048), (896, 4864), (2048, 768))
        ],
    )


options = argparse.ArgumentParser()
options.add_argument("--check", metavar="README.md")
options.add_argument("files", nargs="+")
options = options.parse_args()

order = ["SSE2", "SSE4.2", "AVX2", "AVX-512"]
runs = [Run(path) for path in options.files]
runs.sort(key=lambda run: order.index(run.context.get("built_for", "AVX-512")) if run.context.get("built_for") in order else -1)
for run in runs:
    tables_of(run)

if options.check:
    there = set(pathlib.Path(options.check).read_text().splitlines())
    missing = [line for line in out if line.startswith("| ") and line not in there]
    for line in missing:
        print(f"not in {options.check}: {line}")
    sys.exit(1 if missing else 0)
print("\n".join(out))
