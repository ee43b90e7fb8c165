"""What packing W_down costs in perplexity: rounds the FFN of a model in llama2.c's v0 format to each checkpoint format, transposes W_down
into each other one, and lets tamis-study measure the dense model. Needs numpy.
    python3 perplexity.py DECODE_FORMATS TAMIS_STUDY MODEL.bin TOKENIZER.bin TEXT [STORIES]
DECODE_FORMATS is the program of tests/references, STORIES what tamis-study's --stories takes (default :60). Prints a table."""
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

CHECKPOINTS = ["f32", "q8_0", "q5_0", "q4_1", "q4_0", "mxfp4"]
DOWN = [None, "q4_0", "q4_1", "q5_1", "q8_0", "bf16", "f16"]


def main(decode, study, model, tokenizer, text, stories=":60"):
    raw = pathlib.Path(model).read_bytes()
    dim, hidden, layers, heads, kv_heads, vocab, _ = (abs(int(v)) for v in np.frombuffer(raw[:28], np.int32))
    weights = np.frombuffer(raw[28:], np.float32)
    size = layers * dim * hidden
    before = vocab * dim + layers * (2 * dim + 2 * dim * dim + 2 * dim * (dim * kv_heads // heads))

    def through(name, matrix):
        if name == "f32":
            return matrix
        if name == "f16":
            return matrix.astype(np.float16).astype(np.float32)
        if name == "bf16":
            bits = np.ascontiguousarray(matrix).view(np.uint32).astype(np.uint64)
            return (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)
        rows, columns = matrix.shape
        padded = np.ascontiguousarray(np.pad(matrix, ((0, 0), (0, -columns % 32))))
        for what in ("pack", "read"):
            padded = np.frombuffer(subprocess.run([decode, what, name], input=padded.tobytes(), capture_output=True, check=True).stdout,
                                   np.uint8 if what == "pack" else np.float32)
        return padded.reshape(rows, -1)[:, :columns]

    def perplexity(checkpoint, down):
        changed = weights.copy()
        for k, shape in enumerate([(hidden, dim), (dim, hidden), (hidden, dim)]):  # gate, down, up
            for layer in range(layers):
                first = before + k * size + layer * dim * hidden
                matrix = through(checkpoint, changed[first:first + dim * hidden].reshape(shape))
                if k == 1 and down:
                    matrix = through(down, np.ascontiguousarray(matrix.T)).T
                changed[first:first + dim * hidden] = matrix.reshape(-1)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.bin"
            path.write_bytes(raw[:28] + changed.tobytes())
            out = subprocess.run([study, "sweep", "--checkpoint", path, "--tokenizer", tokenizer, "--text", text, "--stories", stories,
                                  "--sites", "intermediate", "--values", "1", "--no-tasks"], capture_output=True, check=True).stdout.decode()
        return float(re.search(r"^dense\s+\S+\s+\S+\s+\S+\s+(\S+)", out, re.M).group(1))

    print("| checkpoint | as it lies | " + " | ".join(d for d in DOWN if d) + " |")
    print("|---" * (len(DOWN) + 1) + "|")
    for checkpoint in CHECKPOINTS:
        print(f"| `{checkpoint}` | " + " | ".join(f"{perplexity(checkpoint, down):.3f}" for down in DOWN) + " |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
