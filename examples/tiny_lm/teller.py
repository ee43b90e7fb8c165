"""The choices and the text of a story: every random choice adds its log-probability."""
import math


def an(phrase):
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def cap(phrase):
    i = 1 if phrase[:1] == '"' else 0
    return phrase[:i] + phrase[i:i + 1].upper() + phrase[i + 1:]


class Teller:
    """Makes one story. `draw(weights)` returns an index; text, logp and probes are the result."""

    def __init__(self, draw):
        self.draw, self.sentences, self.logp, self.probes = draw, [], 0.0, []

    # choices
    def pick(self, options, weights=None):
        weights = weights or [1.0] * len(options)
        i = self.draw(weights)
        self.logp += math.log(weights[i] / sum(weights))
        return options[i]

    def word(self, words, *but):
        """Words are Zipf-like: early ones of a list are frequent."""
        words = [w for w in words if w not in but]
        return self.pick(words, [1.0 / (i + 4) for i in range(len(words))])

    def chance(self, p):
        return self.pick([True, False], [p, 1 - p])

    # text
    def say(self, sentence):
        """`{task|right|wrong|wrong}` marks a place that a task can ask for; the story gets the right one. An
        agreement's choices run to the end of the sentence, so that none is the beginning of another."""
        while "{" in sentence:
            start, rest = sentence.split("{", 1)
            inside, rest = rest.split("}", 1)
            task, *choices = inside.split("|")
            tail = rest.split(".")[0] + "." if task == "agreement" else ""
            context = " ".join(self.sentences + [cap(start).replace("~", " ")]).rstrip(" ")
            self.probes.append((task, context, [(" " + c + tail).replace("~", " ") for c in choices]))
            sentence = start + choices[0] + rest
        self.sentences.append(cap(sentence.replace("~", " ")))

    def recall(self, right, *wrong):
        return "{recall|" + "|".join((right,) + wrong) + "}"

    def agree(self, forms, number, marked):
        return "{agreement|" + forms[number] + "|" + forms[1 - number] + "}" if marked else forms[number]

    @property
    def text(self):
        return " ".join(self.sentences)
