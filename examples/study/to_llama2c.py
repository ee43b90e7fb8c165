"""Writes a Llama-like model as llama2.c's version 0, which tamis-study reads. From PyTorch (Hugging Face's names):

    model = transformers.AutoModelForCausalLM.from_pretrained(NAME).float().eval()
    c = model.config
    write_model("model.bin", model.state_dict(), c.num_attention_heads, c.num_key_value_heads, 1024)
    write_tokenizer("tok.bin", sentencepiece.SentencePieceProcessor("tokenizer.model"))

Needs numpy alone. RMS norms, rotary positions and a gated FFN without biases are what the format holds; --activation, --rope-base
and --norm-eps say the rest (config.hidden_act, rope_theta, rms_norm_eps).
"""
import struct

import numpy as np


def write_model(path, state, heads, kv_heads, context):
    get = lambda name: np.asarray(state[name], dtype="<f4")
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("model.layers."))
    each = lambda name: [get(f"model.layers.{l}.{name}.weight") for l in range(layers)]
    # Rotary pairs are neighbours here, halves of a head there.
    paired = lambda w, n: w.reshape(n, 2, -1, w.shape[1]).swapaxes(1, 2).reshape(w.shape)
    embedding, tied = get("model.embed_tokens.weight"), "lm_head.weight" not in state
    head = embedding if tied else get("lm_head.weight")
    tied = tied or np.array_equal(embedding, head)
    vocabulary, width = embedding.shape
    arrays = [embedding, *each("input_layernorm"), *(paired(w, heads) for w in each("self_attn.q_proj")),
              *(paired(w, kv_heads) for w in each("self_attn.k_proj")), *each("self_attn.v_proj"),
              *each("self_attn.o_proj"), *each("post_attention_layernorm"), *each("mlp.gate_proj"),
              *each("mlp.down_proj"), *each("mlp.up_proj"), get("model.norm.weight"),
              np.zeros(context * (width // heads), "<f4")] + ([] if tied else [head])
    neurons = each("mlp.gate_proj")[0].shape[0]
    with open(path, "wb") as file:
        file.write(struct.pack("<7i", width, neurons, layers, heads, kv_heads, vocabulary if tied else -vocabulary, context))
        for array in arrays:
            file.write(np.ascontiguousarray(array, dtype="<f4").tobytes())


def write_tokenizer(path, pieces):
    """`pieces`: a SentencePieceProcessor, or a list of (bytes, score): <unk>, <s>, </s>, the 256 bytes as <0x00> ..., then the rest."""
    if hasattr(pieces, "id_to_piece"):
        pieces = [({1: "\n<s>\n", 2: "\n</s>\n"}.get(i, pieces.id_to_piece(i).replace("\u2581", " ")).encode(),
                   pieces.get_score(i)) for i in range(pieces.get_piece_size())]
    with open(path, "wb") as file:
        file.write(struct.pack("<i", max(len(text) for text, _ in pieces)))
        for text, score in pieces:
            file.write(struct.pack("<fi", score, len(text)) + text)
