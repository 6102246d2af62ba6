#!/usr/bin/env python3
"""Prints each class with all that a reviewer of its names needs: lemmas, gloss, both names.

    review.py DATA_NOUN [FIRST LAST]
"""

import sys
from pathlib import Path

from wordnet import read_nouns

TABLE = Path(__file__).resolve().parents[2] / "crates/beit/data/imagenet-1k.tsv"


def main() -> None:
    if len(sys.argv) not in (2, 4):
        sys.exit(__doc__)
    nouns = read_nouns(sys.argv[1])
    first, last = map(int, sys.argv[2:4]) if len(sys.argv) == 4 else (0, 999)
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:][first : last + 1]:
        index, wnid, en, zh = line.split("\t")
        lemmas, gloss, _ = nouns[wnid]
        print(f"{index} {wnid} {zh} | {en} | {', '.join(lemmas)} | {gloss}")


if __name__ == "__main__":
    main()
