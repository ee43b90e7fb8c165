"""Makes what belongs to the models: tokenizer.bin, text.txt and tasks.tsv, all from the grammar.

    data.py tokenizer|text|tasks FILE    makes one of them
    data.py entropy TOKENIZER            the grammar's entropy per token: text.txt's stories, many others
"""
import sys

import grammar
import tokenizer as bpe
from train import TRAINING_SEED

TEXT_SEED, TASK_SEED = 1001, 1002  # never the training seed: held-out stories
VOCABULARY, STORIES, QUESTIONS, DISTANCE = 768, 180, 200, 12


def text():
    return "".join(f"{s.text}\n<|endoftext|>\n" for s in grammar.stories(STORIES, TEXT_SEED))


def entropy(tokenizer):
    """Tokens as evaluate.py counts them: all but BOS."""
    for name, count, seed in (("text.txt", STORIES, TEXT_SEED), ("many", 20000, TASK_SEED + 1)):
        made = grammar.stories(count, seed)
        tokens = sum(len(tokenizer.encode_words(s.text)) - 1 for s in made)
        nats = -sum(s.logp for s in made)
        print(f"{name}: {len(made)} stories, {tokens} tokens, {nats / len(made):.2f} nats per story, "
              f"{nats / tokens:.5f} nats per token")


def far(task, context, choices):
    """Recall counts only when the right word was last said some words ago."""
    return task == "agreement" or choices[0].strip() not in context.replace(".", "").split()[-DISTANCE:]


def singular(choice):
    return choice.split()[0].rstrip(".").endswith("s")


def tasks():
    """One question a story at most; the place of the right answer goes round, so do singular and plural."""
    lines = ["# task\tcontext\tindex of the right answer, from 0\tchoice\tchoice ..."]
    rng = grammar.random.Random(TASK_SEED)
    for task in ("recall", "agreement"):
        made, sizes = 0, {2: 0, 3: 0, 4: 0}  # questions by their number of choices
        while made < QUESTIONS:
            probes = [p for p in grammar.story(rng).probes if p[0] == task and far(*p)]
            if task == "agreement":
                probes = [p for p in probes if singular(p[2][0]) == (made % 2 == 0)]
            if not probes:
                continue
            _, context, (right, *wrong) = probes[int(rng.random() * len(probes))]
            place = sizes[len(wrong) + 1] // (2 if task == "agreement" else 1) % (len(wrong) + 1)
            sizes[len(wrong) + 1] += 1
            made += 1
            lines.append("\t".join([task, context, str(place), *wrong[:place], right, *wrong[place:]]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    what, path = sys.argv[1:]
    if what == "tokenizer":
        bpe.train([s.text for s in grammar.stories(5000, TRAINING_SEED)], VOCABULARY).save(path)
    elif what == "entropy":
        entropy(bpe.Tokenizer.load(path))
    else:
        with open(path, "w") as f:
            f.write({"text": text, "tasks": tasks}[what]())
