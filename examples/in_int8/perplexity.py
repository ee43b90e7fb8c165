"""What in_int8 costs in perplexity, a format at a time, beside ggml's own arithmetic: a model in llama2.c's v0 format, its FFN's
weights rounded to a format, and what they are multiplied by to blocks of 32 bytes: with a float for a scale, as in_int8 has them, or as
ggml has them (binary16; and where weights have a minimum, the sum of a block in binary16, too). Products of bytes are exact in both, so
nothing else is rounded (but for sums, by 2^-24). W_down's rows are outputs here, as a checkpoint or transposed_exactly has them. Needs numpy.
    python3 perplexity.py DECODE_FORMATS MODEL.bin TOKENIZER.bin TEXT [STORIES]
DECODE_FORMATS is the program of tests/references, TEXT has stories between <|endoftext|>, of which the first STORIES (60) are taken.
Prints a table. The column of floats is what tamis-study measures."""
import pathlib
import struct
import subprocess
import sys

import numpy as np

FORMATS = ["f32", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "mxfp4"]
BLOCK = 32


def to_bf16(values):
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)


class tokenizer:
    def __init__(self, path, count):
        raw = pathlib.Path(path).read_bytes()
        at, self.place, self.pieces, self.scores = 4, {}, [], []
        for token in range(count):
            score, length = struct.unpack_from("<fi", raw, at)
            piece = raw[at + 8:at + 8 + length]
            at += 8 + length
            self.scores.append(score)
            self.pieces.append(piece)
            self.place.setdefault(piece, token)

    def encode(self, text):
        tokens = [1, self.place[b" "]]
        for character in text:
            piece = character.encode()
            tokens += [self.place[piece]] if piece in self.place else [byte + 3 for byte in piece]
        while True:  # the pair of the best score becomes one token
            best = None
            for i in range(1, len(tokens) - 1):
                both = self.place.get(self.pieces[tokens[i]] + self.pieces[tokens[i + 1]])
                if both is not None and (best is None or self.scores[both] > best[0]):
                    best = self.scores[both], i, both
            if best is None:
                return tokens
            tokens[best[1]:best[1] + 2] = [best[2]]


class model:
    def __init__(self, path):
        raw = pathlib.Path(path).read_bytes()
        header = [abs(int(v)) for v in np.frombuffer(raw[:28], np.int32)]
        self.dim, self.hidden, self.layers, self.heads, self.kv_heads, self.vocabulary, self.length = header
        rest, at = np.frombuffer(raw[28:], np.float32), 0
        kv = self.dim * self.kv_heads // self.heads

        def take(*shape):
            nonlocal at
            at += int(np.prod(shape))
            return rest[at - int(np.prod(shape)):at].reshape(shape)

        n, d, h = self.layers, self.dim, self.hidden
        self.embedding = take(self.vocabulary, d)
        self.norm_attention, self.q, self.k, self.v, self.o = take(n, d), take(n, d, d), take(n, kv, d), take(n, kv, d), take(n, d, d)
        self.norm_ffn, self.gate, self.down, self.up, self.norm = take(n, d), take(n, h, d), take(n, d, h), take(n, h, d), take(d)
        size = d // self.heads
        self.classifier = self.embedding
        if np.frombuffer(raw[:28], np.int32)[5] < 0:  # one of its own, behind two tables
            at += 2 * self.length * (size // 2)
            self.classifier = take(self.vocabulary, d)
        angles = np.arange(self.length)[:, None] / 10000.0 ** (np.arange(0, size, 2) / size)
        self.turn = np.exp(1j * angles)

    def nll(self, tokens, ffn):
        """The sum of -ln p of all tokens but the first."""
        count, size = len(tokens), self.dim // self.heads

        def normed(x, gain):
            return x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-5) * gain

        def turned(x):
            pairs = x.reshape(count, -1, size // 2, 2)
            result = (pairs[..., 0] + 1j * pairs[..., 1]) * self.turn[:count, None]
            return np.stack([result.real, result.imag], -1).reshape(count, -1, size)

        x = self.embedding[tokens].astype(np.float64)
        later = np.triu(np.full((count, count), -np.inf), 1)
        for layer in range(self.layers):
            of = normed(x, self.norm_attention[layer])
            q, k = turned(of @ self.q[layer].T), turned(of @ self.k[layer].T)
            v = (of @ self.v[layer].T).reshape(count, -1, size)
            k, v = (np.repeat(part, self.heads // self.kv_heads, 1) for part in (k, v))
            scores = np.einsum("ihs,jhs->hij", q, k) / np.sqrt(size) + later
            scores = np.exp(scores - scores.max(2, keepdims=True))
            scores /= scores.sum(2, keepdims=True)
            x = x + np.einsum("hij,jhs->ihs", scores, v).reshape(count, -1) @ self.o[layer].T
            x = x + ffn(layer, normed(x, self.norm_ffn[layer]))
        logits = normed(x, self.norm) @ self.classifier.T
        logits -= logits.max(1, keepdims=True)
        chosen = logits[np.arange(count - 1), tokens[1:]]
        return float((np.log(np.exp(logits[:-1]).sum(1)) - chosen).sum())


class weights_in:
    """A matrix in a format: the numbers that it holds, and the minimum of each block."""

    def __init__(self, decode, name, matrix):
        self.minimum, self.columns = None, matrix.shape[1]
        padded = np.ascontiguousarray(np.pad(matrix, ((0, 0), (0, -matrix.shape[1] % BLOCK))))
        if name == "bf16":
            padded = to_bf16(padded)
        elif name != "f32":
            packed = subprocess.run([decode, "pack", name], input=padded.tobytes(), capture_output=True, check=True).stdout
            read = subprocess.run([decode, "read", name], input=packed, capture_output=True, check=True).stdout
            padded = np.frombuffer(read, np.float32).reshape(padded.shape)
            if name in ("q4_1", "q5_1"):  # scale and minimum, in binary16, begin a block
                blocks = np.frombuffer(packed, np.uint8).reshape(padded.shape[0], padded.shape[1] // BLOCK, -1)
                self.minimum = np.ascontiguousarray(blocks[:, :, 2:4]).view(np.float16)[:, :, 0].astype(np.float64)
        padded = padded.copy()
        padded[:, self.columns:] = 0
        self.values = padded.astype(np.float64)

    def times(self, x, how):
        x = np.pad(x, ((0, 0), (0, self.values.shape[1] - self.columns))).astype(np.float32)
        if how == "floats":
            return x @ self.values.T
        if how == "bf16":
            return to_bf16(x).astype(np.float64) @ self.values.T
        blocks = x.reshape(len(x), -1, BLOCK)
        largest = np.abs(blocks).max(2, keepdims=True)
        codes = np.rint(blocks * np.divide(np.float32(127), largest, where=largest > 0, out=np.zeros_like(largest)))
        scale = largest / np.float32(127)
        used = scale if how == "int8" else scale.astype(np.float16).astype(np.float32)
        result = (used.astype(np.float64) * codes).reshape(len(x), -1) @ self.values.T
        if how == "ggml" and self.minimum is not None:
            sums = codes.sum(2, keepdims=True)
            of_minimum = (scale * sums).astype(np.float16).astype(np.float64) - used.astype(np.float64) * sums
            result += of_minimum[:, :, 0] @ self.minimum.T
        return result


def main(decode, path, vocabulary, text, count="60"):
    net = model(path)
    words = tokenizer(vocabulary, net.vocabulary)
    stories = [s.strip() for s in pathlib.Path(text).read_text().split("<|endoftext|>") if s.strip()][:int(count)]
    stories = [words.encode(story)[:net.length] for story in stories]

    def perplexity(name, how):
        matrices = [[weights_in(decode, name, of[layer]) for of in (net.gate, net.up, net.down)] for layer in range(net.layers)]

        def ffn(layer, x):
            gate, up, down = matrices[layer]
            g = gate.times(x, how)
            return down.times(g / (1 + np.exp(-g)) * up.times(x, how), how)

        return np.exp(sum(net.nll(story, ffn) for story in stories) / sum(len(story) - 1 for story in stories))

    print("| weights | floats | rounded, as tamis | change | rounded, as ggml | change |\n|---|---|---|---|---|---|")
    for name in FORMATS:
        floats = perplexity(name, "floats")
        ours = perplexity(name, "bf16" if name == "bf16" else "int8")
        theirs = ours if name == "bf16" else perplexity(name, "ggml")  # it has the same bf16
        cells = [f"{p:.4f} | {p / floats - 1:+.2%}" for p in (ours, theirs)]
        print(f"| `{name}` | {floats:.4f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
