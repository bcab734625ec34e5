"""Sentence sets that are ready to be looked at: one word each, in two senses.

The word stands in mid-sentence and lower case, one token for both bundled models. What tells
its sense stands before it, for a causal model reads nothing else. The two senses have it at
the same token positions, in both models, for position alone can part vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

from explorer.text.sentences import Rows

OPENING_MODEL = "minilm"
OPENING_TEXT = "She ate an apple while Apple announced a phone."


@dataclass(frozen=True)
class ExampleSet:
    """A word, its sentences by sense, and words of reference.

    Attributes:
        title: what the page offers it as.
        word: in every sentence, once.
        rows: (sense, sentence); the n-th of one sense has the word where the n-th of the
            other has it.
        anchors: words of reference, of both senses.
    """

    title: str
    word: str
    rows: Rows
    anchors: tuple[str, ...]


def _set(word: str, title: str, anchors: str, **senses: tuple[str, ...]) -> ExampleSet:
    rows = tuple((sense.replace("_", " "), sentence) for sense, sentences in senses.items() for sentence in sentences)
    return ExampleSet(title, word, rows, tuple(anchors.split()))


EXAMPLE_SETS = {
    "apple": _set(
        "apple",
        "apple: fruit or company",
        "banana orange Microsoft Google",
        fruit=(
            "I ate a sweet green apple and a banana.",
            "She washed a pear and an apple before lunch.",
            "He baked a pie with cinnamon and apple for his guests.",
            "The children climbed the tree to pick an apple for themselves.",
            "For breakfast I had some milk with a sliced apple and honey.",
            "In the garden the ripe fruit fell, and one apple hit his head.",
        ),
        company=(
            "Software developers who work at apple write code for phones.",
            "The new laptop and phone from apple sold out in a day.",
            "The software engineer left Google to join apple as a manager.",
            "People on the stock market bought shares of apple before the report.",
            "The judge ruled that the phone patents held by apple were valid.",
            "At the trade show the technology firms, Samsung and apple, showed their tablets.",
        ),
    ),
    "bank": _set(
        "bank",
        "bank: river or money",
        "river shore money loan",
        river=(
            "They sat on the grassy bank and fished in the stream.",
            "The boat drifted to the muddy bank of the lake.",
            "We pulled the canoe out onto the bank to dry.",
            "After the flood, the river left its bank and covered the fields.",
            "A fox swam across the river to the far bank to hide in the reeds.",
            "Trees and tall grass grow in the water along the bank of the creek.",
        ),
        money=(
            "She borrowed money from the bank to buy a house.",
            "He paid his wages into the bank on Friday.",
            "To get a loan, ask the bank about its rates.",
            "The old clerk counted the cash before the bank closed for the day.",
            "My savings earn hardly any interest because the local bank lowered its rates.",
            "The customer opened a new credit account at the city bank in town.",
        ),
    ),
    "bat": _set(
        "bat",
        "bat: animal or sport",
        "bird mouse ball racket",
        animal=(
            "At night a small brown bat flew out of the cave.",
            "High under the roof hung a bat with folded wings.",
            "In the dark cave we saw a bat asleep under the roof.",
            "Like a mouse with thin wings, the bat flew past us.",
            "Using sound to find insects at night, the bat never hits a tree.",
            "Unlike the birds that sleep at night, a hungry bat hunts until dawn.",
        ),
        sport=(
            "The baseball player held his bat and waited for the ball.",
            "He scored many runs with his bat in that cricket match.",
            "She hit the ball with a wooden bat over the fence.",
            "Before the game he put his glove and bat into the bag.",
            "The coach taught the team how to grip a bat and hit the ball.",
            "With two men out, the young player raised his bat for the last pitch.",
        ),
    ),
    "spring": _set(
        "spring",
        "spring: season or coil",
        "summer winter coil wire",
        season=(
            "The roses bloom in early spring when the days get warm.",
            "After the winter snow comes the spring with its first flowers.",
            "The farmers plant their corn in the spring once the frost is gone.",
            "Many birds come back from the south in spring to build their nests.",
            "The garden slept all winter and waited for the spring to come.",
            "Summer is too hot here, so we come in spring when it is mild.",
        ),
        coil=(
            "The mattress has a broken spring that squeaks at night.",
            "The mechanic replaced the worn steel spring in the car.",
            "A weight hangs from a thin metal spring and bounces up and down.",
            "He pulled the handle hard and stretched the spring until it snapped.",
            "When you press the pen, a tiny metal spring pushes the tip out.",
            "The old clock would not run because it had a spring that was broken.",
        ),
    ),
    "light": _set(
        "light",
        "light: lamp or weight",
        "lamp sun heavy thin",
        lamp=(
            "She switched on the bright light beside the bed.",
            "The sun filled the room with light in the morning.",
            "The old lamp gave only a dim light in the hall.",
            "Through the dark window he could see a light in the street.",
            "Plants turn toward the sun because they need its light to grow.",
            "After sunset there was no moon and there was little light on the road.",
        ),
        weight=(
            "The empty bag was so light that a child carried it.",
            "Her new running shoes are very light and soft.",
            "Built from carbon, the bicycle is light and easy to carry.",
            "You can pack this tent because it is light enough for hiking.",
            "The package weighs almost nothing, so it is light to carry.",
            "Unlike a heavy iron pan, a thin one is light and quickly hot.",
        ),
    ),
    "python": _set(
        "python",
        "python: snake or language",
        "snake lizard Java code",
        snake=(
            "In the jungle a huge python swallowed a deer.",
            "The zoo keeper fed the hungry python a rat.",
            "Deep in the grass lay a long python with brown scales.",
            "Like many other large snakes, the wild python kills its prey by squeezing.",
            "We ran away when we saw that a big python lay in the grass.",
            "At the zoo the boy was allowed to hold the python around his neck.",
        ),
        language=(
            "She wrote the script in python to sort the files.",
            "The students learn to program in python before they learn Java.",
            "This web server was written entirely in python by one developer.",
            "The programmers moved their code from Java to python last year.",
            "Our machine learning team writes all its code in python and tests it.",
            "To read the data file, import the library in python first.",
        ),
    ),
    # Which sentence of each two was called A was drawn by lot, once.
    "control": _set(
        "apple",
        "apple: a fruit throughout, labels by lot (control)",
        "banana orange Microsoft Google",
        lot_A=(
            "The boy threw his half apple to the pigs.",
            "Every day he packs a fresh apple in his bag.",
            "The horse took a piece of the apple from my hand.",
            "There was a worm inside the big yellow apple on the plate.",
            "The doctor told me to eat at least one apple with the skin each day.",
            "In the autumn they press the juice of the sweet apple in the village.",
        ),
        lot_B=(
            "My sister cut the red apple into four pieces.",
            "We bought a bag of sour apple slices at the market.",
            "Snow White took a bite of the apple and fell asleep.",
            "On the table lay a pear and an apple beside some nuts.",
            "The cook filled the roast goose with bread and apple before the feast.",
            "At the farm we were allowed to taste a new apple from the barn.",
        ),
    ),
}

OPENING = EXAMPLE_SETS["apple"]
