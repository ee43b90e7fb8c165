"""The words of the stories; early ones of a list are the frequent ones."""


def pairs(text):
    """'fox/foxes cat' -> [('fox', 'foxes'), ('cat', 'cats')]: singular and plural."""
    return [tuple(w.split("/")) if "/" in w else (w, w + "s") for w in text.split()]


def verbs(text):
    """'sing fly/flies' -> [('sings', 'sing'), ('flies', 'fly')]: for a singular and a plural subject."""
    return [(w.split("/")[1], w.split("/")[0]) if "/" in w else (w + "s", w) for w in text.split()]


GIRLS = "Lily Mia Anna Sara Emma Rose Nina Ella Lucy Molly Zoe Ruby".split()
BOYS = "Tom Ben Max Sam Leo Jack Finn Oscar Hugo Paul Otto Felix".split()
SHE, HE = ("she", "her", "her"), ("he", "him", "his")
KINDS = pairs("cat dog girl boy rabbit fox/foxes bear duck bird mouse/mice frog goat horse cow hen owl "
              "wolf/wolves farmer baker child/children")
HABITS = {"cat": "purr", "dog": "bark", "rabbit": "hop", "bear": "growl", "duck": "quack", "bird": "chirp",
          "frog": "croak", "mouse": "squeak", "horse": "gallop", "owl": "hoot", "wolf": "howl",
          "hen": "cluck", "farmer": "plough", "baker": "bake"}
TEMPERS = "little kind brave clever funny shy old young quiet proud gentle lazy".split()
OBJECTS = pairs("ball kite hat book box/boxes drum boat bell cup rope lamp scarf/scarves key ring basket "
                "blanket map shell stone feather flute coat brush/brushes wheel")
COLOURS = "red blue green yellow white black brown pink orange purple golden silver".split()
PLACES = [tuple(p.split()) for p in
          "in park,in forest,by river,on hill,in garden,on farm,at market,at school,on beach,in village,by lake,"
          "in castle,on bridge,in field,in barn,at mill,on island,in valley".split(",")]
SPOTS = pairs("table tree bush/bushes chair bed rock wall fence door cart bench/benches log")
SIDES = "under behind near beside".split()
ACTS = verbs("run sing play sleep dance jump wait laugh walk smile swim rest work climb dig hide shout "
             "listen")
SEES = verbs("see know follow watch/watches love hear")
# ~ is a space
MANNERS = "slowly happily loudly quickly again together quietly here every~day all~night".split()
LOOKS = "old new small big clean dirty pretty heavy wet dry warm cold".split()
MOODS = "happy tired sleepy busy calm noisy careful hungry".split()
WEATHER = {  # sky: what follows from it, what one wears or takes
    "sunny": (["swims in the water", "lies in the grass", "looks for some shade"], "sun"),
    "rainy": (["takes an umbrella", "jumps into the puddles", "runs under a roof"], "rain"),
    "snowy": (["makes a snowman", "throws some snowballs", "puts on warm boots"], "snow"),
    "windy": (["holds on to a hat", "chases the leaves", "sails a paper ship"], "wind"),
    "foggy": (["walks with a lantern", "goes very slowly", "cannot see the road"], "fog"),
}
NEEDS = {  # what is felt: what is done about it
    "hungry": ["eats some bread", "eats an apple", "cooks some soup", "bakes a cake"],
    "thirsty": ["drinks some water", "drinks some milk", "finds a well"],
    "tired": ["takes a nap", "sits down on the ground", "closes both eyes"],
    "cold": ["lights a fire", "makes some hot tea", "sits in the sun"],
    "bored": ["tells a joke", "counts the clouds", "draws a picture"],
}
