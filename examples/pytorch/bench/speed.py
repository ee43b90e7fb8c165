"""bench/speed.py: one token through an FFN of 4096 x 14336 (Llama 3 8B's), in one process: torch's own module, eager and by torch.compile,
and tamis. Medians of turns in shuffled order, each with an x of its
own, after reading memory that fills the caches. TAMIS_MOST_LEVEL=x86_64_v3, and
ONEDNN_MAX_CPU_ISA=AVX2 with ATEN_CPU_CAPABILITY=avx2 for torch, give an AVX2 machine's figures on a newer one.

    python3 bench/speed.py [--dtype bfloat16|float32] [--threads 2] [--seconds 12] [--no-compile]
"""

import argparse
import random
import statistics
import time

import torch
import tamis_torch  # noqa: F401

ask = argparse.ArgumentParser()
ask.add_argument("--dtype", default="bfloat16")
ask.add_argument("--threads", type=int, default=torch.get_num_threads())
ask.add_argument("--seconds", type=float, default=12)
ask.add_argument("--width", type=int, default=4096)
ask.add_argument("--neurons", type=int, default=14336)
ask.add_argument("--no-compile", action="store_true")
args = ask.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)
dtype, h, d = getattr(torch, args.dtype), args.width, args.neurons


def matrix(rows, columns):
    return (torch.rand(rows, columns, dtype=dtype) - .5).mul_(4 / columns ** .5)


gate, up, down, x = matrix(d, h), matrix(d, h), matrix(h, d), torch.randn(1, h).to(dtype)
other = torch.zeros(160 << 20)


def eager(v):
    return torch.nn.functional.linear(torch.nn.functional.silu(torch.nn.functional.linear(v, gate)) * torch.nn.functional.linear(v, up), down)


laid_out = [w.t().contiguous().t() for w in (gate, up, down)]
op = torch.ops.tamis.glu_ffn
ways = {"torch, eager": eager}
if not args.no_compile:
    ways["torch.compile"] = torch.compile(eager, fullgraph=True)
ways |= {
    "tamis, dense": lambda v: op(v, gate, up, down),
    "tamis, dense, down transposed": lambda v: op(v, gate, up, laid_out[2]),
    "tamis, intermediate .5": lambda v: op(v, gate, up, laid_out[2], "top_k_fraction=0.5"),
    "tamis, gate .5": lambda v: op(v, gate, up, laid_out[2], "top_k_fraction=0.5@gate"),
    "tamis, all inputs .5": lambda v: op(v, *laid_out, "top_k_fraction=0.5@input,intermediate"),
    "tamis, all inputs .3": lambda v: op(v, *laid_out, "top_k_fraction=0.3@input,intermediate"),
}
taken = {name: [] for name in ways}
with torch.no_grad():
    want = eager(x).float()
    for name, way in ways.items():
        y = way(x).float()
        if "." not in name.removeprefix("torch."):
            assert float((y - want).norm() / want.norm()) < 2e-2, name
    end = time.perf_counter() + args.seconds
    while time.perf_counter() < end:
        for name, way in random.sample(list(ways.items()), len(ways)):
            x = torch.randn(1, h).to(dtype)
            other.sum()
            start = time.perf_counter()
            way(x)
            taken[name].append(time.perf_counter() - start)
best = min(statistics.median(taken[name]) for name in taken if name.startswith("torch"))
print(f"{h} x {d}, {args.dtype}, one token, {args.threads} threads; torch {torch.__version__}, tamis {torch.ops.tamis.level()}; "
      f"{len(taken['torch, eager'])} turns")
for name, times in taken.items():
    median = statistics.median(times)
    print(f"{name:32} {1e3 * median:7.2f} ms   {best / median:5.2f} x torch's best")
