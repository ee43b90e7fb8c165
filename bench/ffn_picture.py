#!/usr/bin/env python3
"""The README's picture of an FFN's time over density, from what `cmake --workflow --preset bench` wrote (needs gnuplot):

    python3 bench/ffn_picture.py build/bench/ffn.json ffn.svg

Masks at all inputs, 4096 x 14336, one thread. Time is over that of the own dense form, PowerInfer's over that of its own.
"""
import json
import re
import subprocess
import sys

before, after = "ffn/site:all_inputs/h:4096/d:14336/weights:{}/density:", "/threads:1"
# Curves differ in dash, point and brightness, so that the picture reads in grey too.
formats = {
    "f32": "lc rgb '#000000' dt 1 pt 5 ps 0.6",
    "f16": "lc rgb '#b03a2e' dt 2 pt 6 ps 1.0",
    "bf16": "lc rgb '#2471a3' dt 4 pt 8 ps 1.1",
    "int8_by_row": "lc rgb '#d9823b' dt 5 pt 12 ps 1.2",
    "q8_0": "lc rgb '#7d3c98' dt (12,3) pt 2 ps 0.9",
    "q4_0": "lc rgb '#3a9a73' dt (2,3) pt 7 ps 0.6",
}
# PowerInfer's operators on a CPU: density from, to, time from, to. At density .5 speed is told: 0.6 to 0.9 of dense in F16,
# 0.44 to 0.64 in Q4_0. These two overlap, so they are drawn a little aside. Marks are the middles of the ranges.
peers = {
    "PowerInfer F16": ("lc rgb '#444444' pt 4 ps 1.4", [(0.493, 0.493, 1 / 0.9, 1 / 0.6), (0.3, 0.3, 1, 1)]),
    "PowerInfer Q4_0": ("lc rgb '#888888' pt 15 ps 1.2", [(0.507, 0.507, 1 / 0.64, 1 / 0.44), (0.15, 0.2, 1, 1)]),
}

rows = {}
for run in json.load(open(sys.argv[1]))["benchmarks"]:
    if run.get("aggregate_name", "median") == "median":  # with repetitions their median comes last
        rows[re.sub("/iterations:.*|/manual_time", "", run.get("run_name", run["name"]))] = run

data, plots, insets = [], [], []
for weights, style in formats.items():
    start = before.format(weights)
    points = []
    for name, run in rows.items():
        density = name.removeprefix(start).removesuffix(after)
        if start + density + after == name and "vs_dense" in run and density[0].isdigit():  # top_p_0.9 is not a density
            points.append((float(density), 1 / run["vs_dense"], 1 / run["reached"]))
    if points:
        data += [f"${weights} << E"] + [f"{x} {y:.4f} {over:.4f}" for x, y, over in sorted(points)] + ["E"]
        plots.append(f"${weights} with linespoints {style} lw 1.6 title '{weights}'")
        insets.append(f"${weights} using 1:3 with linespoints {style} lw 1.6")
if not plots:
    sys.exit(f"{sys.argv[1]}: no rows like {before.format('f32')}0.50{after}")
plots.append("x with lines ls 1 title 'ideal: time = density'")
plots.append("1 with lines ls 2 title 'break-even with dense'")
insets.append("1 with lines ls 1")
for i, (peer, (style, ranges)) in enumerate(peers.items()):
    data += [f"$peer{i} << E"] + [f"{(a + b) / 2} {(c + d) / 2} {a} {b} {c} {d}" for a, b, c, d in ranges] + ["E"]
    plots.append(f"$peer{i} with xyerrorbars {style} lw 2 title '{peer}'")

between = ", \\\n     "
script = """set terminal svg size 900,640 background rgb 'white' font 'sans-serif,14' noenhanced
set samples 2
set style line 1 lc rgb '#000000' lw 1.2 dt 3
set style line 2 lc rgb '#000000' lw 1.6 dt (16,6)
set grid lc rgb '#dddddd' lw 1
set xrange [0:1]
set multiplot
set margins screen 0.085, screen 0.975, screen 0.285, screen 0.885
set title "Time of an FFN with masks at all inputs over that of its own dense form\\n4096 x 14336, one token, one thread"
set xlabel 'density (share of the inputs kept)'
set ylabel 'time / own dense time (ratio)'
set yrange [0:2.4]
set xtics 0.1 nomirror
set ytics 0.2 nomirror
set key at screen 0.53, screen 0.01 bottom center vertical maxrows 4 Left reverse samplen 4 width 1 spacing 1.25
"""
script += "\n".join(data) + "\nplot " + between.join(plots)
script += """
set margins screen 0.64, screen 0.957, screen 0.635, screen 0.835
set object 1 rectangle from screen 0.565, screen 0.58 to screen 0.968, screen 0.876 behind \\
    fc rgb 'white' fs border lc rgb '#bbbbbb'
set title 'the same curves over their ideal' offset 0,-0.7 font ',12'
unset xlabel
set ylabel 'time / ideal time' offset 1 font ',12'
set tics font ',12'
set yrange [*<0.8:1.2<*]
set xtics 0.2
set ytics 0.1
unset key
"""
script += "plot " + between.join(insets) + "\nunset multiplot\n"
svg = subprocess.run(["gnuplot"], input=script, stdout=subprocess.PIPE, text=True, check=True).stdout
open(sys.argv[2], "w").write(svg)
