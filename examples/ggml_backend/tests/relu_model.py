"""Writes a GGUF whose feed-forward layers are ReLU^2 and whose masks are like a real ReLU model's: random weights, W_up with a
common direction that leaves a given share of the neurons above zero.
    relu_model.py OUT.gguf [--layers 4] [--width 2048] [--neurons 8192] [--active 0.08] [--type f16|f32|q8_0] [--seed 1]
It has no vocabulary to speak of (256 tokens without text): for benchmarks and logits."""
import argparse

import gguf
import numpy as np

p = argparse.ArgumentParser()
p.add_argument("out")
p.add_argument("--layers", type=int, default=4)
p.add_argument("--width", type=int, default=2048)
p.add_argument("--neurons", type=int, default=8192)
p.add_argument("--active", type=float, default=0.08)
p.add_argument("--type", default="f16", choices=("f32", "f16", "q8_0"))
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()
rng = np.random.default_rng(a.seed)
heads, tokens = max(1, a.width // 64), 256
kind = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}[a.type]
w = gguf.GGUFWriter(a.out, "arcee")
w.add_name("relu2")
w.add_context_length(2048)
w.add_embedding_length(a.width)
w.add_block_count(a.layers)
w.add_feed_forward_length(a.neurons)
w.add_head_count(heads)
w.add_head_count_kv(heads)
w.add_layer_norm_rms_eps(1e-5)
w.add_rope_dimension_count(64)
w.add_vocab_size(tokens)
w.add_tokenizer_model("no_vocab")


def matrix(name, rows, columns, scale=1.0, along=0.0):
    m = rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(scale / np.sqrt(columns)) + np.float32(along)
    w.add_tensor(name, gguf.quants.quantize(m, kind), raw_dtype=kind)


def ones(name):
    w.add_tensor(name, np.ones(a.width, dtype=np.float32))


# x after its norm has the mean 1/sqrt(2) in every entry and as much of noise, so W_up x is normal around `shift`.
lo, hi = -5.0, 5.0
for _ in range(60):  # the shift below which a standard normal has the share `active`
    mid = (lo + hi) / 2
    share = 0.5 * (1 + np.vectorize(__import__("math").erf)(mid / np.sqrt(2)))
    lo, hi = (mid, hi) if share < a.active else (lo, mid)
embeddings = rng.standard_normal((tokens, a.width), dtype=np.float32) + 1
w.add_tensor("token_embd.weight", embeddings)
for layer in range(a.layers):
    b = f"blk.{layer}."
    ones(b + "attn_norm.weight")
    for name in ("q", "k", "v", "output"):
        matrix(b + f"attn_{name}.weight", a.width, a.width, 0.05)
    ones(b + "ffn_norm.weight")
    matrix(b + "ffn_up.weight", a.neurons, a.width, 1.0, lo * np.sqrt(2) / a.width)
    matrix(b + "ffn_down.weight", a.width, a.neurons, 0.5)
ones("output_norm.weight")
matrix("output.weight", tokens, a.width)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
