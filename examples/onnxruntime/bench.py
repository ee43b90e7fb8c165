#!/usr/bin/env python3
"""bench.py LIBRARY [--width 4096] [--neurons 14336] [--formats f32,4,4i,8i] [--tokens 1] [--threads 1,2] [--turns 9] [--prompts N]

Time of gated FFNs (SwiGLU) in ONNX Runtime: its own graph, and that of rewrite.py, dense and with half of the entries masked, in one
process and in turns; medians. f32: MatMul, masks at the input and the intermediate; 4, 8: MatMulNBits in blocks of 32, 4i and 8i with
accuracy_level 4 (products of bytes), masks at the gate. As many layers as have 700 MB of weights, which no cache holds.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "tests"))
import numpy as np # noqa: E402
import onnx # noqa: E402
import onnxruntime as ort # noqa: E402
from graphs import Builder, glu, silent_start # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("library")
parser.add_argument("--width", type=int, default=4096)
parser.add_argument("--neurons", type=int, default=14336)
parser.add_argument("--formats", default="f32,4,4i,8i")
parser.add_argument("--tokens", type=int, default=1)
parser.add_argument("--threads", default="1,2")
parser.add_argument("--turns", type=int, default=9)
parser.add_argument("--prompts", type=int, default=0, help="rewrite.py's: from so many tokens on the graph's own products")
parser.add_argument("--keep", help="a folder for the graphs; those that are there already are taken")
parser.add_argument("--only-make", action="store_true")
options = parser.parse_args()
folder = options.keep or tempfile.mkdtemp()


def graphs_of(form):
    """Paths of the graph as it is, dense and with masks."""
    paths = [os.path.join(folder, f"{form}_{options.width}_{options.neurons}_{part}.onnx") for part in ("own", "dense", "half")]
    if not os.path.exists(paths[0]):
        bits = 32 if form == "f32" else int(form[0])
        layers = -(-int(700e6 * 8 / bits) // (3 * options.width * options.neurons)) # more than caches hold
        b, x = Builder(), "x"
        for _ in range(layers):
            y, _ = glu(b, x, options.width, options.neurons) if bits == 32 else glu(
                b, x, options.width, options.neurons, kind="nbits", bits=bits, level=4 if form[-1] == "i" else 0, zeros="none", fast=True)
            x = b.op("Add", x, y)
        model = b.model(x, ["tokens", options.width], ["tokens", options.width])
        onnx.save(model, paths[0], save_as_external_data=True, location=os.path.basename(paths[0]) + ".data")
    rule = "top_k_fraction=0.5@" + ("input,intermediate" if form == "f32" else "gate")
    prompts = ["--prompts", str(options.prompts)] if options.prompts else []
    for path, more in ((paths[1], prompts), (paths[2], ["--rule", rule, *prompts])):
        if not os.path.exists(path):
            subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rewrite.py"), paths[0], path, *more],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return paths


made = {form: graphs_of(form) for form in options.formats.split(",")}
silent_start(ort)
if options.only_make:
    sys.exit()
with open("/proc/cpuinfo", encoding="utf-8") as file:
    print("processor:", next(line.split(":")[1].strip() for line in file if line.startswith("model name")),
          f"; ONNX Runtime {ort.__version__}; {options.width} x {options.neurons}, {options.tokens} token(s)")
print("| weights | threads | ONNX Runtime, ms | tamis dense | half masked | own / dense | own / half |\n|---|---|---|---|---|---|---|")
x = np.random.default_rng(1).standard_normal((options.tokens, options.width)).astype(np.float32)
for form, paths in made.items():
    for threads in map(int, options.threads.split(",")):
        sessions = []
        for path in paths:
            how = ort.SessionOptions()
            how.intra_op_num_threads, how.log_severity_level = threads, 4
            how.add_session_config_entry("session.intra_op.allow_spinning", "0") # three pools in one process
            how.register_custom_ops_library(os.path.abspath(options.library))
            sessions.append(ort.InferenceSession(path, how, providers=["CPUExecutionProvider"]))
        times = [[], [], []]
        for turn in range(options.turns + 1):
            for s, of in zip(sessions, times):
                begin = time.perf_counter()
                s.run(None, {"x": x})
                if turn:
                    of.append(time.perf_counter() - begin)
        own, dense, half = (1e3 * statistics.median(t) for t in times)
        print(f"| {form} | {threads} | {own:.1f} | {dense:.1f} | {half:.1f} | {own / dense:.2f} | {own / half:.2f} |", flush=True)
        del sessions
