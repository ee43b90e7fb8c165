"""A byte-pair tokenizer in llama2.c's format, with llama2.c's way of encoding.

File: int32 longest token, then for each token float32 score, int32 length, bytes. Ids: 0 <unk>, 1 BOS, 2 EOS,
3 + b for byte b, then merges (best first) and single characters.
"""
import re
import struct
from collections import Counter

SPECIAL = ["<unk>", "\n<s>\n", "\n</s>\n"]
BOS = 1
WORD = re.compile(r" ?[A-Za-z]+|.", re.DOTALL)  # merges stay inside a word and the space before it


class Tokenizer:
    def __init__(self, tokens, scores):
        self.tokens, self.scores = tokens, scores
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.cache = {}

    @staticmethod
    def load(path):
        with open(path, "rb") as f:
            data = f.read()
        tokens, scores, at = [], [], 4
        while at < len(data):
            score, length = struct.unpack_from("<fi", data, at)
            tokens.append(data[at + 8:at + 8 + length].decode("utf-8"))
            scores.append(score)
            at += 8 + length
        return Tokenizer(tokens, scores)

    def save(self, path):
        raw = [t.encode("utf-8") for t in self.tokens]
        with open(path, "wb") as f:
            f.write(struct.pack("<i", max(map(len, raw))))
            for token, score in zip(raw, self.scores):
                f.write(struct.pack("<fi", score, len(token)) + token)

    def merged(self, text):
        """Characters (bytes where one is unknown), then the best-scored merge as long as there is one."""
        ids = []
        for c in text:
            ids += [self.ids[c]] if c in self.ids else [3 + b for b in c.encode("utf-8")]
        tokens, none = self.tokens, float("-inf")

        def score(i):
            return self.scores[self.ids[t]] if (t := tokens[ids[i]] + tokens[ids[i + 1]]) in self.ids else none

        pairs = [score(i) for i in range(len(ids) - 1)]
        while pairs and (best := max(pairs)) > none:
            i = pairs.index(best)
            ids[i:i + 2] = [self.ids[tokens[ids[i]] + tokens[ids[i + 1]]]]
            del pairs[i]
            for j in (i - 1, i):
                if 0 <= j < len(pairs):
                    pairs[j] = score(j)
        return ids

    def encode(self, text):
        """llama2.c's encode: BOS, a space in front, merges over the whole text."""
        return [BOS] + self.merged(" " + text if text else "")

    def encode_words(self, text):
        """The same for a tokenizer made by `train`, whose merges never cross words; fast through a cache."""
        ids = [BOS]
        for word in WORD.findall(" " + text):
            if word not in self.cache:
                self.cache[word] = self.merged(word)
            ids += self.cache[word]
        return ids


def train(texts, size):
    """Byte-pair merges over word counts until there are `size` tokens."""
    counts = Counter(w for t in texts for w in WORD.findall(" " + t))
    characters = sorted({c for w in counts for c in w})
    first = SPECIAL + [f"<0x{b:02X}>" for b in range(256)]
    pieces = {w: list(w) for w in counts}
    merges = []
    while len(first) + len(merges) + len(characters) < size:
        pairs = Counter()
        for word, parts in pieces.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += counts[word]
        if not pairs:
            break
        left, right = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(left + right)
        for word, parts in pieces.items():
            i = 0
            while i + 1 < len(parts):
                if parts[i] + parts[i + 1] == merges[-1]:
                    parts[i:i + 2] = [merges[-1]]
                i += 1
    assert len(set(merges)) == len(merges)
    last = merges + characters
    return Tokenizer(first + last, [0.0] * len(first) + [-float(i) for i in range(len(last))])
