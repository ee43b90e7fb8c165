"""swiglu_model.py KIND OUT.gguf [LAYERS WIDTH NEURONS TYPE]: a small random SwiGLU model without a vocabulary. KIND: gated (as it is), experts (four a layer, of which two serve a
token), fused (gate and up in one tensor, as Phi-3 has them), normed (a norm and a scale between the gated product and W_down, as
BitNet has them). TYPE: f32, f16 or q8_0, of all matrices but the embedding."""
import sys

import gguf
import numpy as np

kind, out = sys.argv[1:3]
layers, width, neurons = (int(a) for a in sys.argv[3:6] or (2, 256, 512))
of_matrices = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}[
    sys.argv[6] if len(sys.argv) > 6 else "f32"
]
experts, tokens = 4, 256
rng = np.random.default_rng(3)
w = gguf.GGUFWriter(out, {"gated": "llama", "experts": "llama", "fused": "phi3", "normed": "bitnet"}[kind])
w.add_name(kind)
w.add_context_length(2048)
w.add_embedding_length(width)
w.add_block_count(layers)
w.add_feed_forward_length(neurons)
w.add_head_count(width // 64)
w.add_head_count_kv(width // 64)
w.add_layer_norm_rms_eps(1e-5)
w.add_rope_dimension_count(64)
w.add_vocab_size(tokens)
w.add_tokenizer_model("no_vocab")
if kind == "experts":
    w.add_expert_count(experts)
    w.add_expert_used_count(2)
if kind == "fused":
    w.add_rope_scaling_orig_ctx_len(2048)


def matrix(name, *shape):
    m = rng.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(shape[-1]))
    kind_of = gguf.GGMLQuantizationType.F32 if name == "token_embd.weight" else of_matrices
    w.add_tensor(name, gguf.quants.quantize(m, kind_of), raw_dtype=kind_of)


def ones(name, size=width):
    w.add_tensor(name, np.ones(size, dtype=np.float32))


matrix("token_embd.weight", tokens, width)
for layer in range(layers):
    b = f"blk.{layer}."
    ones(b + "attn_norm.weight")
    if kind == "fused":
        matrix(b + "attn_qkv.weight", 3 * width, width)
        matrix(b + "attn_output.weight", width, width)
    else:
        for name in ("q", "k", "v", "output"):
            matrix(b + f"attn_{name}.weight", width, width)
    ones(b + "ffn_norm.weight")
    if kind == "experts":
        matrix(b + "ffn_gate_inp.weight", experts, width)
        matrix(b + "ffn_gate_exps.weight", experts, neurons, width)
        matrix(b + "ffn_up_exps.weight", experts, neurons, width)
        matrix(b + "ffn_down_exps.weight", experts, width, neurons)
        continue
    if kind == "normed":
        ones(b + "attn_sub_norm.weight")
        ones(b + "ffn_sub_norm.weight", neurons)
        w.add_tensor(b + "ffn_down.scale", np.full(1, 0.5, dtype=np.float32))
    if kind in ("gated", "normed"):
        matrix(b + "ffn_gate.weight", neurons, width)
    matrix(b + "ffn_up.weight", (2 if kind == "fused" else 1) * neurons, width)
    matrix(b + "ffn_down.weight", width, neurons)
ones("output_norm.weight")
if kind != "normed":  # whose output is its embedding
    matrix("output.weight", tokens, width)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
