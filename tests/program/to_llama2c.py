"""A model that tamis-study reads, taken apart into PyTorch's names and written again: the same bytes. Ends with 77 without numpy."""
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(77)

sys.path.insert(0, sys.argv[1])
import to_llama2c

dim, hidden, layers, heads, kv, vocabulary, context = header = np.fromfile(sys.argv[2], "<i4", 7).tolist()
tied, vocabulary, width_kv = vocabulary > 0, abs(vocabulary), dim // heads * kv
rest, at, state = np.fromfile(sys.argv[2], "<f4", offset=28), 0, {}


def take(*shape):
    global at
    at += int(np.prod(shape))
    return rest[at - int(np.prod(shape)):at].reshape(shape)


def halves(w, n):  # as PyTorch has them
    return w.reshape(n, -1, 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def each(name, change, *shape):
    for l in range(layers):
        state[f"model.layers.{l}.{name}.weight"] = change(take(*shape))


same = lambda w: w
state["model.embed_tokens.weight"] = take(vocabulary, dim)
each("input_layernorm", same, dim)
each("self_attn.q_proj", lambda w: halves(w, heads), dim, dim)
each("self_attn.k_proj", lambda w: halves(w, kv), width_kv, dim)
each("self_attn.v_proj", same, width_kv, dim)
each("self_attn.o_proj", same, dim, dim)
each("post_attention_layernorm", same, dim)
each("mlp.gate_proj", same, hidden, dim)
each("mlp.down_proj", same, dim, hidden)
each("mlp.up_proj", same, hidden, dim)
state["model.norm.weight"] = take(dim)
positions = take(context * (dim // heads))
positions[:] = 0  # not read
if not tied:
    state["lm_head.weight"] = take(vocabulary, dim)
assert at == rest.size
to_llama2c.write_model("again.bin", state, heads, kv, context)
assert np.fromfile("again.bin", "<i4", 7).tolist() == header
assert np.array_equal(np.fromfile("again.bin", "<f4", offset=28), rest)

tokens, at, pieces = open(sys.argv[3], "rb").read(), 4, []
while at < len(tokens):
    score, size = np.frombuffer(tokens, "<f4", 1, at)[0], int(np.frombuffer(tokens, "<i4", 1, at + 4)[0])
    pieces.append((tokens[at + 8:at + 8 + size], score))
    at += 8 + size
to_llama2c.write_tokenizer("again.tok", pieces)
assert open("again.tok", "rb").read()[4:] == tokens[4:]
