"""Is the probability of a story exact? Follows some stories and lists, with every word list cut to two words,
all that can be said next at each point: no text may have two derivations or begin another, and the
probabilities sum to 1.

    check.py [stories]
"""
import math
import random
import sys

import words
from grammar import Story


class Said(Exception):
    pass


class Replay(Story):
    """Follows a list of draws, then takes first options, extending it; stops after `limit` sentences."""

    def __init__(self, path, limit):
        super().__init__(self.follow)
        self.path, self.weights, self.limit = list(path), [], limit

    def word(self, words, *but):
        return self.pick([w for w in words if w not in but][:2])

    def follow(self, weights):
        if len(self.weights) == len(self.path):
            self.path.append(next(i for i, w in enumerate(weights) if w))
        self.weights.append(weights)
        return self.path[len(self.weights) - 1]

    def say(self, sentence):
        super().say(sentence)
        if len(self.sentences) == self.limit:
            raise Said


def advance(path, weights, fixed):
    """The next list of draws in order, or None; the first `fixed` stay."""
    path = list(path)
    while len(path) > fixed:
        later = [i for i in range(path[-1] + 1, len(weights[len(path) - 1])) if weights[len(path) - 1][i]]
        if later:
            return path[:-1] + later[:1]
        path.pop()
    return None


def next_sentences(prefix, limit):
    """{sentence: draws} of all derivations after a prefix; {} at the end of the story."""
    path, found, total = prefix, {}, 0.0
    while path is not None:
        teller = Replay(path, limit)
        try:
            teller.tell()
            assert not found and len(teller.path) == len(prefix)
            return {}
        except Said:
            sentence = teller.sentences[-1]
        assert sentence not in found, f"two derivations: {sentence}"
        found[sentence] = teller.path
        total += math.prod(w[i] / sum(w) for w, i in list(zip(teller.weights, teller.path))[len(prefix):])
        path = advance(teller.path, teller.weights, len(prefix))
    assert abs(total - 1) < 1e-9, total
    texts = sorted(found)
    assert not any(b.startswith(a) for a, b in zip(texts, texts[1:])), "a sentence begins another"
    return found


def main(stories):
    for name, group in vars(words).items():
        if name.isupper() and isinstance(group, list):
            assert len(set(group)) == len(group), name
    rng, derivations = random.Random(1), 0
    for _ in range(stories):
        prefix, limit = [], 1
        while found := next_sentences(prefix, limit):
            derivations += len(found)
            prefix = found[sorted(found)[int(rng.random() * len(found))]]
            limit += 1
    print(f"{stories} stories, {derivations} derivations of their sentences, all distinct")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
