#!/usr/bin/env python3
"""Prints the table of kinds of things: what several classes of ImageNet-1k are of, such as "dog".

    make_kinds.py DATA_NOUN LABELS KINDS > crates/beit/data/kinds.tsv

DATA_NOUN is WordNet 3.0's `data.noun`, LABELS the label table (`imagenet-1k.tsv`), KINDS the names
(`kinds.txt`). A kind has the classes whose synsets lie below its own by WordNet's hypernyms. A line is
wnid, English, Chinese, classes (indices and ranges of them), separated by tabs; the kinds with the
fewest classes come first.
"""

import sys

from wordnet import read_hypernyms


def ancestors(wnid: str, hypernyms: dict[str, list[str]]) -> set[str]:
    found, left = set(), [wnid]
    while left:
        for above in hypernyms[left.pop()]:
            if above not in found:
                found.add(above)
                left.append(above)
    return found


def ranges(indices: list[int]) -> str:
    """0, 1, 2, 5 -> "0-2,5"."""
    parts: list[list[int]] = []
    for index in indices:
        if parts and parts[-1][1] == index - 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def main() -> None:
    data_noun, labels, names = sys.argv[1:]
    hypernyms = read_hypernyms(data_noun)
    below: dict[str, list[int]] = {}
    with open(labels, encoding="utf-8") as rows:
        next(rows)
        for row in rows:
            index, wnid, *_ = row.split("\t")
            for above in ancestors(wnid, hypernyms):
                below.setdefault(above, []).append(int(index))
    kinds = []
    with open(names, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            wnid, english, chinese = line.rstrip("\n").split("\t")
            classes = sorted(below.get(wnid, []))
            if len(classes) < 2:
                sys.exit(f"{wnid} ({english}) has {len(classes)} classes")
            kinds.append((len(classes), wnid, english, chinese, ranges(classes)))
    for _, *fields in sorted(kinds):
        print("\t".join(fields))


if __name__ == "__main__":
    main()
