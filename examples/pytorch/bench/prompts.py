"""bench/prompts.py: many tokens through a LlamaMLP of 4096 x 14336 of transformers, in one process: as it is, and after
tamis_torch.sparsify, which masks torch's own products there. Medians of turns in shuffled order.

    python3 bench/prompts.py [--tokens 128] [--dtype bfloat16|float32] [--threads 2] [--seconds 12]
"""

import argparse
import copy
import random
import statistics
import time

import torch
import tamis_torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaMLP

ask = argparse.ArgumentParser()
ask.add_argument("--tokens", type=int, default=128)
ask.add_argument("--dtype", default="bfloat16")
ask.add_argument("--threads", type=int, default=torch.get_num_threads())
ask.add_argument("--seconds", type=float, default=12)
ask.add_argument("--width", type=int, default=4096)
ask.add_argument("--neurons", type=int, default=14336)
args = ask.parse_args()
torch.set_num_threads(args.threads)
dtype = getattr(torch, args.dtype)
torch.set_default_dtype(dtype)
own = torch.nn.ModuleList([LlamaMLP(LlamaConfig(hidden_size=args.width, intermediate_size=args.neurons))])
ways = {"torch": own[0]}
for rule in ("top_p=0.9@intermediate", "top_p=0.9@gate", "top_k_fraction=0.5@input,intermediate"):
    sparse = copy.deepcopy(own)
    tamis_torch.sparsify(sparse, rule, say=lambda text: None)
    ways[rule] = sparse[0]
taken = {name: [] for name in ways}
with torch.no_grad():
    for way in ways.values():
        way(torch.randn(args.tokens, args.width))
    end = time.perf_counter() + args.seconds
    while time.perf_counter() < end:
        for name, way in random.sample(list(ways.items()), len(ways)):
            x = torch.randn(1, args.tokens, args.width)
            start = time.perf_counter()
            way(x)
            taken[name].append(time.perf_counter() - start)
median = {name: 1e3 * statistics.median(times) for name, times in taken.items()}
print(f"{args.width} x {args.neurons}, {args.dtype}, {args.tokens} tokens, {args.threads} threads; torch {torch.__version__}; "
      f"{len(taken['torch'])} turns")
for name, ms in median.items():
    print(f"{name:40} {ms:8.1f} ms   torch's / this: {median['torch'] / ms:.2f}")
