"""Measures a checkpoint: negative log-likelihood per token, top-1, and the accuracy of the tasks.

The text is split at <|endoftext|>, each story is stripped, encoded with BOS and a leading space, cut at the
model's context; every next-token prediction counts. A task's answer is the choice whose tokens after the
context have the highest sum of log-probabilities.
"""
import argparse
import math
import os

import blas  # before torch
import torch

from model import ACTIVATIONS, Llama
from tokenizer import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))


def measure_text(model, tokenizer, text, on_gate=None):
    nll, hits, count = 0.0, 0, 0
    for story in text.split("<|endoftext|>"):
        if not story.strip():
            continue
        ids = torch.tensor(tokenizer.encode(story.strip())[:model.shape[6]])
        logits = model(ids[None, :-1], on_gate)[0]
        logp = torch.log_softmax(logits, -1)
        nll -= logp.gather(1, ids[1:, None]).double().sum().item()
        hits += (logits.argmax(-1) == ids[1:]).sum().item()
        count += len(ids) - 1
    return nll / count, hits / count, count


def answer(model, tokenizer, context, choices):
    start, scores = len(tokenizer.encode(context)), []
    for choice in choices:
        ids = torch.tensor(tokenizer.encode(context + choice))
        logp = torch.log_softmax(model(ids[None, :-1])[0, start - 1:], -1)
        scores.append(logp.gather(1, ids[start:, None]).sum().item())
    return scores.index(max(scores))


def measure_tasks(model, tokenizer, path):
    """{task: (accuracy, questions, the right answers that were missed)}"""
    asked, missed = {}, {}
    with open(path) as f:
        for line in f:
            if not line.startswith("#"):
                task, context, index, *choices = line.rstrip("\n").split("\t")
                asked[task] = asked.get(task, 0) + 1
                if answer(model, tokenizer, context, choices) != int(index):
                    missed.setdefault(task, []).append(choices[int(index)].strip())
    return {task: (1 - len(missed.get(task, [])) / n, n, missed.get(task, [])) for task, n in asked.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", default=f"{HERE}/models/swiglu.bin")
    parser.add_argument("--tokenizer", default=f"{HERE}/models/tokenizer.bin")
    parser.add_argument("--text", default=f"{HERE}/models/text.txt")
    parser.add_argument("--tasks", help="tasks.tsv; none when left out")
    parser.add_argument("--activation", default="silu", choices=ACTIVATIONS)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, tokenizer = Llama.load(args.checkpoint, args.activation), Tokenizer.load(args.tokenizer)
    zeros, seen = [0] * model.shape[2], [0] * model.shape[2]

    def on_gate(layer, gate):
        zeros[layer] += (gate == 0).sum().item()
        seen[layer] += gate.numel()

    with torch.no_grad(), open(args.text) as f:
        nll, top1, count = measure_text(model, tokenizer, f.read(), on_gate)
        print(f"{count} predictions, nll {nll:.5f} nats, ppl {math.exp(nll):.4f}, top-1 {top1:.5f}")
        print("zeros of the gate per layer:", *(f"{z / n:.3f}" for z, n in zip(zeros, seen)))
        tasks = measure_tasks(model, tokenizer, args.tasks) if args.tasks else {}
        for task, (accuracy, n, missed) in tasks.items():
            print(f"{task}: {accuracy:.4f} of {n}; missed:", *sorted(missed))
