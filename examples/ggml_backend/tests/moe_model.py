"""moe_model.py OUT.gguf: a random SwiGLU model with four experts a layer, of which two serve a token; without a vocabulary."""
import sys

import gguf
import numpy as np

layers, width, neurons, experts, tokens = 2, 256, 512, 4, 256
rng = np.random.default_rng(3)
w = gguf.GGUFWriter(sys.argv[1], "llama")
w.add_name("experts")
w.add_context_length(2048)
w.add_embedding_length(width)
w.add_block_count(layers)
w.add_feed_forward_length(neurons)
w.add_head_count(4)
w.add_head_count_kv(4)
w.add_layer_norm_rms_eps(1e-5)
w.add_rope_dimension_count(64)
w.add_vocab_size(tokens)
w.add_expert_count(experts)
w.add_expert_used_count(2)
w.add_tokenizer_model("no_vocab")


def matrix(name, *shape):
    w.add_tensor(name, (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32))


def ones(name):
    w.add_tensor(name, np.ones(width, dtype=np.float32))


matrix("token_embd.weight", tokens, width)
for layer in range(layers):
    b = f"blk.{layer}."
    ones(b + "attn_norm.weight")
    for name in ("q", "k", "v", "output"):
        matrix(b + f"attn_{name}.weight", width, width)
    ones(b + "ffn_norm.weight")
    matrix(b + "ffn_gate_inp.weight", experts, width)
    matrix(b + "ffn_gate_exps.weight", experts, neurons, width)
    matrix(b + "ffn_up_exps.weight", experts, neurons, width)
    matrix(b + "ffn_down_exps.weight", experts, width, neurons)
ones("output_norm.weight")
matrix("output.weight", tokens, width)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
