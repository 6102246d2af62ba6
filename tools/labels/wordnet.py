"""Reads the noun synsets of WordNet 3.0 (`data.noun`, `index.noun`; format: wndb(5WN))."""

from typing import NamedTuple


class Synset(NamedTuple):
    lemmas: list[str]
    gloss: str
    # Number of the lexicographer's file: lexnames(5WN).
    file: str


def read_nouns(path: str) -> dict[str, Synset]:
    """Synsets keyed by wnid: `n` and the synset's 8-digit offset in the file."""
    synsets = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("  "):  # the licence at the head of the file
                continue
            data, gloss = line.split(" | ", 1)
            offset, lexfile, _type, count, *rest = data.split(" ")
            # Each lemma is followed by its lex_id; the count is hexadecimal.
            lemmas = [word.replace("_", " ") for word in rest[: 2 * int(count, 16) : 2]]
            synsets["n" + offset] = Synset(lemmas, gloss.strip(), lexfile)
    return synsets


def read_first_senses(path: str, nouns: dict[str, Synset]) -> set[str]:
    """The synsets whose first lemma means them before anything else."""
    first = set()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("  "):
                continue
            lemma, _pos, count, *rest = line.split()
            wnid = "n" + rest[-int(count)]
            if nouns[wnid].lemmas[0].replace(" ", "_").casefold() == lemma:
                first.add(wnid)
    return first


def read_hypernyms(path: str) -> dict[str, list[str]]:
    """The wnids right above each: the targets of its hypernym pointers, `@` and `@i`."""
    hypernyms = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("  "):
                continue
            offset, _lexfile, _type, count, *rest = line.split(" | ", 1)[0].split(" ")
            pointers = rest[2 * int(count, 16) :]
            # A pointer is its symbol, the target's offset and part of speech, and which words it joins.
            fields = pointers[1 : 1 + 4 * int(pointers[0])]
            quads = zip(fields[::4], fields[1::4])
            hypernyms["n" + offset] = ["n" + target for symbol, target in quads if symbol in ("@", "@i")]
    return hypernyms
