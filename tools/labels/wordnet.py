"""Reads the noun synsets of WordNet 3.0 (`data.noun`, format: wndb(5WN))."""

from typing import NamedTuple


class Synset(NamedTuple):
    lemmas: list[str]
    gloss: str


def read_nouns(path: str) -> dict[str, Synset]:
    """Synsets keyed by wnid: `n` and the synset's 8-digit offset in the file."""
    synsets = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("  "):  # the licence at the head of the file
                continue
            data, gloss = line.split(" | ", 1)
            offset, _lexfile, _type, count, *rest = data.split(" ")
            # Each lemma is followed by its lex_id; the count is hexadecimal.
            lemmas = [word.replace("_", " ") for word in rest[: 2 * int(count, 16) : 2]]
            synsets["n" + offset] = Synset(lemmas, gloss.strip())
    return synsets
