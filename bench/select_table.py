#!/usr/bin/env python3
"""The README's table of masks, from what `cmake --workflow --preset bench` wrote:

    python3 bench/select_table.py build/bench/select.json
"""
import json
import sys

rows = {}
for run in json.load(open(sys.argv[1]))["benchmarks"]:
    _, rule, n, dist, kind = run["name"].split("/")[:5]
    rows[rule, int(n[2:]), dist[5:], kind[5:]] = run

names = {
    "top_p": "`top_p{0.9}`",
    "top_k": "`top_k::fraction(0.5)`",
    "top_p_power_2": "`top_p_power(0.9, 2)`",
    "top_p_weighted": "`scored{weighted{norms}, top_p{0.9}}`",
    "top_p_guarded": "`guarded{64, top_p{0.9}}`, an outlier",
    "max_p": "`max_p{0.05}`",
    "threshold": "`threshold{0.5}`",
    "cett": "`cett(norms, 0.5)`",
}
print("| rule | values | n = 4096 | of the FFN | vs sort | vs nth_element | n = 14336 | of the FFN | vs sort | vs nth_element |")
print("|---|---|---|---|---|---|---|---|---|---|")
for rule, kind in [("top_p", "f32"), ("top_p", "f16"), ("top_p", "bf16"), ("top_p", "int8"), ("top_p", "f64")] + [
    (rule, "f32") for rule in list(names)[1:]
]:
    cells = [names[rule], kind]
    for n in (4096, 14336):
        run = rows[rule, n, "massive" if rule == "top_p_guarded" else "llm", kind]
        share = f"{100 * run['ffn_share']:.3f} %" if "ffn_share" in run else "-"
        cells += [f"{run['real_time']:.2g} us", share]
        cells += [f"{run[key]:.0f} x" if key in run else "-" for key in ("vs_sort", "vs_nth_element")]
    print("| " + " | ".join(cells) + " |")
