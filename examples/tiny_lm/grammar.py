"""Short stories from a probabilistic grammar whose true probabilities are known.

Every random choice goes through Teller.pick (teller.py), which adds the choice's log-probability, and every
choice shows in the text, so a story has one derivation and story.logp is the exact log-probability of its
text (check.py verifies this). The last sentence of a story occurs nowhere else, so the end is known as well.

    grammar.py sample [count] [seed]     stories with their log-probability
    grammar.py entropy [count] [seed]    nats per story, words per story, distinct words
"""
import random
import sys

from teller import Teller, an, cap
from words import *


class Story(Teller):
    """Places, people and things are chosen on the way; what was chosen has to be remembered."""

    def person(self, *but):
        kind = self.word(KINDS, *[b["kinds"] for b in but])
        names = GIRLS if kind[0] in ("girl", "hen", "cow") else BOYS if kind[0] == "boy" else None
        girl = names is GIRLS if names else self.chance(0.5)
        name = self.word(GIRLS if girl else BOYS, *[b["name"] for b in but])
        return dict(kinds=kind, kind=kind[0], name=name, pro=SHE if girl else HE, temper=self.word(TEMPERS))

    def thing(self, *but):
        colour = self.word(COLOURS, *[b["colour"] for b in but])
        return dict(colour=colour, noun=self.word([o[0] for o in OBJECTS], *[b["noun"] for b in but]))

    def scene(self):
        """Bystanders: the sentence whose verb agrees with a subject some words back. The agreement task asks where
        a noun of the other number stands between them."""
        number, alive = self.pick([0, 1]), self.chance(0.65)
        nouns = self.word(KINDS) if alive else self.word(OBJECTS)
        noun = nouns[number]
        article = self.pick([["the", "a", "every"], ["the", "two", "some"]][number], [4, 1, 1])
        between = self.pick(["", "near", "far", "who" if alive else "of", "whom"], [1, 3, 2, 2, 2])
        subject = an(noun) if article == "a" else f"{article} {noun}"
        other = number
        if between in ("near", "far"):
            other = self.pick([0, 1])
            noun = self.word(self.pick([KINDS, SPOTS], [1, 2]))[other]
            subject += f" {self.pick(SIDES)} the {noun}"
            if between == "far":
                subject += " " + " the ".join(self.word(PLACES))
        elif between == "of":
            noun, other = self.word(KINDS), self.pick([0, 1])
            subject += f" of the {noun[other]}"
        elif between == "who":
            verb, noun, other = self.word(SEES), self.word(KINDS), self.pick([0, 1])
            subject += f" that {verb[number]} the {noun[other]}"
        elif between == "whom":
            other = self.pick([0, 1])
            subject += f" that the {self.word(KINDS)[other]} {self.word(SEES)[other]}"
        asked = other != number
        if not alive:
            self.say(f"{subject} {self.agree(('is', 'are'), number, asked)} {self.word(LOOKS)}.")
            return
        form = self.pick(["act", "habit", "mood", "not"], [4, 3 if nouns[0] in HABITS else 0, 2, 2])
        if form == "habit":
            (forms,), tail = verbs(HABITS[nouns[0]]), ""
        elif form == "act":
            forms, tail = self.word(ACTS), " " + self.word(MANNERS)
        elif form == "mood":
            forms, tail = ("is", "are"), " " + self.word(MOODS)
        else:
            forms, tail = ("does", "do"), " not " + self.word(ACTS)[1]
        self.say(f"{subject} {self.agree(forms, number, asked)}{tail}.")
        if self.chance(0.3):
            pronoun = ("it is", "they are")[number]
            self.say(f"{self.pick(['today', 'now'])} {pronoun} {self.word(MOODS, tail.strip())}.")

    def tell(self):
        hero = self.person()
        home = self.word(PLACES)
        n, h = hero["name"], hero["pro"]
        who = f"{an(hero['temper'] + ' ' + hero['kind'])} named {n}"
        at_home = " the ".join(home)
        self.say(self.pick([f"once there is {who}, who lives {at_home}.", f"{who} lives {at_home}.",
                            f"{at_home} lives {who}."], [2, 1, 1]))
        toy = self.thing()
        the_toy = f"{toy['colour']} {toy['noun']}"
        self.say(self.pick([f"{n} has {an(the_toy)}.", f"{cap(h[0])} loves {h[2]} {the_toy}.",
                            f"{n} always carries {an(the_toy)}."], [2, 1, 1]))
        sky = self.weather(hero) if self.chance(0.5) else None
        if self.chance(0.4):
            self.scene()
        friend, gift, place = self.meeting(hero, toy)
        if self.chance(0.4):
            self.need(self.pick([hero, friend]))
        self.scene()
        plot = self.pick([self.hide, self.lose, self.give, self.trade, self.mend, self.lend])
        plot(hero, friend, toy, gift)
        if sky and self.chance(0.5):
            signs = [w[1] for w in WEATHER.values()]
            sign = f"the {self.recall(WEATHER[sky][1], *self.others(signs, WEATHER[sky][1]))}"
            self.say(self.pick([f"{sign} is gone now.", f"{n} does not mind {sign}."]))
        self.ending(hero, friend, home, place)
        return self

    def weather(self, hero):
        sky = self.pick(list(WEATHER))
        effect = self.pick(WEATHER[sky][0])
        self.say(self.pick([f"it is {an(sky)} day, so {hero['name']} {effect}.",
                            f"{hero['name']} {effect} because it is {an(sky)} day."]))
        return sky

    def need(self, person):
        need = self.pick(list(NEEDS))
        self.say(f"{person['name']} is {need}, so {person['pro'][0]} {self.pick(NEEDS[need])}.")

    def meeting(self, hero, toy):
        friend, place = self.person(hero), self.word(PLACES)
        who = f"{an(friend['temper'] + ' ' + friend['kind'])} named {friend['name']}"
        where = " the ".join(place)
        self.say(self.pick([f"{where} {hero['name']} meets {who}.",
                            f"one day {hero['name']} meets {who} {where}.",
                            f"then {who} comes and finds {hero['name']} {where}."], [2, 2, 1]))
        gift = self.thing(toy)
        the_gift = f"{gift['colour']} {gift['noun']}"
        self.say(self.pick([f"{friend['name']} has {an(the_gift)}.",
                            f"the {friend['kind']} shows {hero['name']} {an(the_gift)}.",
                            f"{friend['pro'][0]} brings {an(the_gift)}."], [2, 1, 1]))
        return friend, gift, place

    def others(self, words, *used):
        """Two wrong answers of a task from outside the story, taken without a choice of the grammar."""
        rest = [w for w in words if w not in used]
        start = sum(map(len, self.sentences)) % (len(rest) - 1)
        return rest[start], rest[start + 1]

    def name(self, right, wrong):
        return self.recall(right["name"], wrong["name"],
                           *self.others(GIRLS if right["pro"] is SHE else BOYS, right["name"], wrong["name"]))

    def noun(self, right, wrong):
        return self.recall(right["noun"], wrong["noun"],
                           *self.others([o[0] for o in OBJECTS], right["noun"], wrong["noun"]))

    def coloured(self, right, wrong, known=True):
        """known: which of both things it is follows from what was said (else only the noun follows)."""
        if len(self.sentences) % 2 or not known:
            return f"{right['colour']} {self.noun(right, wrong)}"
        colours = self.others(COLOURS, right["colour"], wrong["colour"])
        return f"{self.recall(right['colour'], wrong['colour'], *colours)} {right['noun']}"

    def spot(self, *but):
        return self.pick(SIDES), self.word([s[0] for s in SPOTS], *but)

    def found(self, side, spot, wrong=None):
        others = self.others([s[0] for s in SPOTS], spot, wrong)
        return f"{side} the {self.recall(spot, *([wrong] if wrong else []), *others)}"

    def hide(self, a, b, toy, gift):
        side, spot = self.spot()
        self.say(f"{a['name']} hides the {self.coloured(toy, gift)} {side} the {spot}.")
        if self.chance(0.4):
            self.scene()
        side2, spot2 = self.spot(spot)
        self.say(f"first {self.name(b, a)} looks {side2} the {spot2}, "
                 f"but the {self.noun(toy, gift)} is not there.")
        self.say(f"then {b['pro'][0]} looks {self.found(side, spot, spot2)} and finds it.")

    def lose(self, a, b, toy, gift):
        self.say(f"but {a['name']} loses the {self.coloured(toy, gift)}, and {a['pro'][0]} is "
                 f"{self.pick(['sad', 'upset', 'worried'])}.")
        side, spot = self.spot()
        self.say(f"{self.name(b, a)} helps {a['pro'][1]}, "
                 f"and they find the {self.noun(toy, gift)} {side} the {spot}.")
        if self.chance(0.4):
            self.scene()
        self.say(f'"who puts {an(toy["noun"])} {self.found(side, spot)}?" '
                 f"{self.pick(['asks', 'says'])} {self.pick([a, b])['name']}.")

    def give(self, a, b, toy, gift):
        self.say(f"{a['name']} gives {b['name']} the {self.coloured(toy, gift)} because {b['pro'][0]} is "
                 f"{self.pick(['kind', 'sad', 'a good friend', 'alone'])}.")
        if self.chance(0.4):
            self.scene()
        self.say(f"now the {toy['colour']} {toy['noun']} belongs to {self.name(b, a)}.")
        self.say(self.pick([f"{self.name(b, a)} keeps it beside the {self.coloured(gift, toy)}.",
                            f'"thank you for the {self.noun(toy, gift)}," says {self.name(b, a)}.']))

    def trade(self, a, b, toy, gift):
        self.say(self.pick(["they decide to trade.", f"{b['name']} wants to trade, and {a['name']} agrees."]))
        if self.chance(0.5):
            self.scene()
        first = self.pick([0, 1])
        (x, y), (mine, other) = ((a, b), (gift, toy)) if first == 0 else ((b, a), (toy, gift))
        self.say(f"now {x['name']} has the {self.coloured(mine, other)}, and {self.name(y, x)} has the "
                 f"{self.coloured(other, mine)}.")

    def mend(self, a, b, toy, gift):
        x, y, mine, other = self.pick([(a, b, toy, gift), (b, a, gift, toy)])
        who = self.word(KINDS, a["kinds"], b["kinds"])[0]
        self.say(f"a {self.pick(['big', 'careless', 'wild'])} {who} breaks the "
                 f"{self.coloured(mine, other, False)}.")
        self.say(f"{self.name(x, y)} {self.pick(['cries', 'is angry', 'starts to weep'])}, "
                 f"so {y['name']} mends it.")
        if self.chance(0.4):
            self.scene()
        self.say(f"the {who} that breaks the {self.noun(mine, other)} is sorry.")

    def lend(self, a, b, toy, gift):
        x, y, mine, other = self.pick([(a, b, toy, gift), (b, a, gift, toy)])
        self.say(f'"may I have the {self.coloured(mine, other, False)}?" asks {self.name(y, x)}.')
        if self.chance(0.6):
            self.say(f'"yes," says {self.name(x, y)}, and {y["name"]} '
                     f"{self.pick(['plays', 'runs', 'dances'])} with the {mine['noun']}.")
            if self.chance(0.5):
                self.scene()
            self.say(f"at last {self.name(y, x)} gives back the {self.coloured(mine, other)}.")
        else:
            self.say(f'"no," says {self.name(x, y)}, and {y["name"]} '
                     f"{self.pick(['walks', 'turns', 'goes'])} away.")
            if self.chance(0.5):
                self.scene()
            self.say(f"later {self.name(x, y)} is sorry and lends {y['pro'][1]} the "
                     f"{self.coloured(mine, other)}.")

    def ending(self, a, b, home, place):
        wrong = [place[1]] if place != home else []
        wrong += self.others([p[1] for p in PLACES], home[1], place[1])
        back = f"the {self.recall(home[1], *wrong)}"
        form = self.pick(["evening", "both", "night"])
        if form == "evening":
            self.say(f"in the evening {self.name(a, b)} {self.pick(['goes', 'walks', 'runs'])} home "
                     f"to {back}.")
        elif form == "both":
            self.say(f"in the evening {a['name']} and {self.name(b, a)} go to {back} and "
                     f"{self.pick(['eat', 'sing', 'play', 'rest'])} together.")
        else:
            self.say(f"at night {back} is quiet, and {self.name(a, b)} sleeps "
                     f"{self.pick(['well', 'soon', 'deeply'])}.")
        self.say(self.pick([f"good night, {self.name(a, b)}!", "and that is the end.", "the end.",
                            f"{a['name']} and {self.name(b, a)} are friends for ever."]))


def story(rng):
    """One story from a random.Random (only its random() is used)."""
    def draw(weights):
        x = rng.random() * sum(weights)
        for i, w in enumerate(weights):
            x -= w
            if x < 0:
                return i
        return max(i for i, w in enumerate(weights) if w)
    return Story(draw).tell()


def stories(count, seed):
    rng = random.Random(seed)
    return [story(rng) for _ in range(count)]


if __name__ == "__main__":
    what, count, seed = (sys.argv[1:] + ["sample", "5", "1"][len(sys.argv) - 1:])[:3]
    made = stories(int(count), int(seed))
    if what == "sample":
        for s in made:
            print(f"{s.text}\n  [{s.logp:.2f} nats, {len(s.text.split())} words]\n")
    elif what == "entropy":
        words = [len(s.text.split()) for s in made]
        distinct = {w.strip('.,?!"') for s in made for w in s.text.split()}
        print(f"{-sum(s.logp for s in made) / len(made):.3f} nats per story, "
              f"{sum(words) / len(made):.1f} words ({min(words)}-{max(words)}), "
              f"{len(distinct)} distinct words")
