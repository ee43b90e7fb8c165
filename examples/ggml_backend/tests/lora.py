"""lora.py MODEL.gguf OUT.gguf: a random adapter of rank 4 on ffn_up and ffn_down of every layer of one of relu_model.py's models."""
import sys

import gguf
import numpy as np

rng = np.random.default_rng(2)
model = gguf.GGUFReader(sys.argv[1])
w = gguf.GGUFWriter(sys.argv[2], "arcee")
w.add_type("adapter")
w.add_string("adapter.type", "lora")
w.add_float32("adapter.lora.alpha", 4.0)
for t in model.tensors:
    if "ffn_down" in t.name or "ffn_up" in t.name:
        inputs, outputs = (int(n) for n in t.shape[:2])
        w.add_tensor(t.name + ".lora_a", (rng.standard_normal((4, inputs)) / np.sqrt(inputs)).astype(np.float32))
        w.add_tensor(t.name + ".lora_b", (rng.standard_normal((outputs, 4)) * 0.2).astype(np.float32))
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
