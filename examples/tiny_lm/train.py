"""Trains one model on the grammar's stories and writes it in llama2.c's format.

A row of a batch is one story: BOS, the story, and BOS again as the end to predict. Batches hold stories of
similar length, so that little is padded. Same seed, same stories, same order: the twins differ in the
activation only.
"""
import argparse
import math
import os
import random
import sys
import time

import blas  # before torch
import torch
import torch.nn.functional as F

import grammar
import tokenizer as bpe
from model import ACTIVATIONS, Llama

TRAINING_SEED, IGNORED = 1, -100


def batches(tokenizer, count, size):
    """`count` batches, made as they are needed; every story is seen once."""
    rng, order = random.Random(TRAINING_SEED), random.Random(TRAINING_SEED + 1)
    pool = []
    for _ in range(count):
        if not pool:
            rows = [tokenizer.encode_words(grammar.story(rng).text) for _ in range(32 * size)]
            rows.sort(key=len)
            pool = [rows[i:i + size] for i in range(0, len(rows), size)]
            order.shuffle(pool)
        rows = pool.pop()
        n = max(map(len, rows))
        tokens = torch.full((size, n + 1), IGNORED)
        for row, ids in zip(tokens, rows):
            row[:len(ids) + 1] = torch.tensor(ids + [bpe.BOS])
        yield tokens[:, :-1].clamp(min=0), tokens[:, 1:]


def rate(step, args):
    """Warm-up, then a cosine down to a twentieth."""
    if step < args.warmup:
        return args.rate * (step + 1) / args.warmup
    done = (step - args.warmup) / max(1, args.steps - args.warmup)
    return args.rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--activation", default="silu", choices=ACTIVATIONS)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=8, help="stories per step")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--shape", default="96,288,4,4,4", help="dim,hidden,layers,heads,kv_heads")
    parser.add_argument("--seq-len", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1, help="of the initial weights")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--checkpoints", type=int, default=0,
                        help="keep this many on the way as OUT.<step>, the last at 1/sqrt(2) of the steps, each at "
                             "1/sqrt(2) of the next; and OUT.checkpoints.tsv, which says how many tokens each has seen")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    torch.set_flush_denormal(True)

    tokenizer = bpe.Tokenizer.load(args.tokenizer)
    model = Llama(*map(int, args.shape.split(",")), len(tokenizer.tokens), args.seq_len, args.activation)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    gains = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": gains, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.98))
    keep = {round(args.steps * 0.5 ** (i / 2)) for i in range(1, args.checkpoints + 1)}
    kept = []
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {args.steps} steps", flush=True)
    start, seen, mean = time.time(), 0, None
    for step, (inputs, targets) in enumerate(batches(tokenizer, args.steps, args.batch)):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, args)
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen += (targets != IGNORED).sum().item()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1} of {args.steps}  loss {mean:.4f}  {seen} tokens  "
                  f"{time.time() - start:.0f} s", flush=True)
        if step + 1 in keep:
            model.save(f"{args.out}.{step + 1}")
            kept.append(f"{os.path.basename(args.out)}.{step + 1}\t{step + 1}\t{seen}")
    kept.append(f"{os.path.basename(args.out)}\t{args.steps}\t{seen}")
    if args.checkpoints:
        with open(args.out + ".checkpoints.tsv", "w") as table:
            print("file\tstep\ttokens", *kept, sep="\n", file=table)
    part = args.out + ".part"
    model.save(part)
    os.replace(part, args.out)


if __name__ == "__main__":
    sys.exit(main())
