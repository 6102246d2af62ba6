#!/usr/bin/env python3
"""Makes the two tables of ImageNet-22k: its classes, and the kinds of things that they are of.

    make_22k.py DATA_NOUN COW WNIDS

DATA_NOUN is WordNet 3.0's `data.noun`, with `index.noun` beside it; COW is Chinese Open Wordnet's
`wn-data-cmn.tab`; WNIDS holds the 21,841 wnids, one a line or as the first column, so the table itself will
do. Writes `crates/checkpoint/data/imagenet-22k.tsv` (wnid, English, Chinese) and `imagenet-22k-kinds.tsv`
(wnid, English, Chinese, classes), in which Chinese may be empty. Names of ImageNet-1k's table and of
`kinds.txt` are taken from there; nobody has read the others one by one.
"""

import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

from make_kinds import ancestors, ranges
from wordnet import Synset, read_first_senses, read_hypernyms, read_nouns

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ROOT / "crates/checkpoint/data/imagenet-22k.tsv"
KINDS = ROOT / "crates/checkpoint/data/imagenet-22k-kinds.tsv"
IMAGENET_1K = ROOT / "crates/beit/data/imagenet-1k.tsv"
KINDS_1K = ROOT / "tools/labels/kinds.txt"

PERSON = "n00007846"
# Files of WordNet whose synsets are kinds of things to be seen: act, animal, artifact, body, food, object,
# phenomenon, plant, substance. Others are kinds only where `kinds.txt` or NAMES has them.
SEEN = {"04", "05", "06", "08", "13", "17", "19", "20", "27"}
# Names for what is above no two classes of ImageNet-1k, or was the wrong sense of a common word.
NAMES = {"n00017222": ("plant", "植物"), "n03956922": ("plant (factory)", "工厂")}
# Synsets above no two classes of ImageNet-1k that tell nobody anything (activity, area, surface…), or that are
# second names of other kinds (bony fish, cartilaginous fish).
NO_KINDS = set(
    """
    n00407535 n01480516 n02514825 n02735688 n03091374 n03129123 n03605915 n03670849 n03839993 n04007894
    n04076846 n04362025 n04564698 n14580897 n15046900
    """.split()
)


def read_chinese(path: str) -> dict[str, list[str]]:
    """Lemmas of nouns in simplified characters, keyed by wnid."""
    lemmas: dict[str, list[str]] = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) < 3 or fields[1] != "cmn:lemma" or not fields[0].endswith("-n"):
                continue
            lemma = fields[2].strip().replace("㹴", "梗")  # as in the table of ImageNet-1k
            if all(c in "·" or unicodedata.name(c, "").startswith("CJK UNIFIED") for c in lemma):
                lemmas.setdefault("n" + fields[0][:8], []).append(lemma)
    return lemmas


def is_simplified(text: str) -> bool:
    """GB 2312 has no traditional characters."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def upwards(wnid: str, hypernyms: dict[str, list[str]]) -> list[str]:
    """All synsets above, the nearest first."""
    found, level = [], hypernyms[wnid]
    while level:
        found += [above for above in level if above not in found]
        level = [up for above in level for up in hypernyms[above] if up not in found]
    return found


def english_names(
    wnids: list[str],
    fixed: dict[str, str],
    nouns: dict[str, Synset],
    first_senses: set[str],
    hypernyms: dict[str, list[str]],
) -> dict[str, str]:
    """The first lemma, alone for its first sense; for others with the nearest hypernym that tells them apart."""
    names = dict(fixed)
    taken = {name.casefold() for name in fixed.values()}
    groups: dict[str, list[str]] = {}
    for wnid in wnids:
        if wnid not in fixed:
            groups.setdefault(nouns[wnid].lemmas[0].casefold(), []).append(wnid)
    for name, group in groups.items():
        above = {wnid: [nouns[up].lemmas[0] for up in upwards(wnid, hypernyms)] for wnid in group}
        counts = Counter(lemma for lemmas in above.values() for lemma in set(lemmas))
        for wnid in sorted(group, key=lambda wnid: wnid not in first_senses):
            lemma, *others = nouns[wnid].lemmas
            # A hypernym that all of them have tells none apart.
            told = [up for up in above[wnid] if counts[up] == 1] + others + above[wnid]
            options = [f"{lemma} ({sense})" for sense in told if sense.casefold() != name]
            if len(group) == 1 or wnid in first_senses:
                options.insert(0, lemma)
            names[wnid] = next(option for option in options if option.casefold() not in taken)
            taken.add(names[wnid].casefold())
    return names


def chinese_names(
    wnids: list[str], fixed: dict[str, str], chinese: dict[str, list[str]], hypernyms: dict[str, list[str]]
) -> dict[str, str]:
    """The best lemma that no other synset has, or one with its nearest hypernym's. None where a hypernym has it."""

    def ranked(wnid: str) -> list[str]:
        """First the lemma whose characters most of the others have too; of equals the shortest."""
        lemmas = chinese.get(wnid, [])
        common = Counter(c for lemma in lemmas for c in set(lemma))
        key = lambda lemma: (not is_simplified(lemma), -sum(common[c] for c in lemma) / len(lemma), len(lemma))
        return sorted(lemmas, key=key)

    names = dict(fixed)
    taken = set(fixed.values())
    for wnid in wnids:
        if wnid in fixed:
            continue
        lemmas = ranked(wnid)
        above = [fixed.get(up) or next(iter(ranked(up)), "") for up in upwards(wnid, hypernyms)]
        options = [lemma for lemma in lemmas if lemma not in above]
        options += [f"{lemma}（{up}）" for lemma in options[:1] for up in above if up]
        names[wnid] = next((option for option in options if option not in taken), "")
        taken.add(names[wnid])
    return names


def kinds_of(
    wnids: list[str],
    classes_1k: list[str],
    named: set[str],
    nouns: dict[str, Synset],
    hypernyms: dict[str, list[str]],
) -> dict[str, list[int]]:
    """Each kind's classes (indices), keyed by wnid: synsets with two classes or more at or below them."""
    above = {wnid: {wnid} | ancestors(wnid, hypernyms) for wnid in {*wnids, *classes_1k}}

    def below(classes: list[str]) -> dict[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for index, wnid in enumerate(classes):
            for up in above[wnid]:
                found.setdefault(up, []).append(index)
        return {up: tuple(indices) for up, indices in found.items() if len(indices) > 1}

    # What `kinds.txt` left out of the kinds of ImageNet-1k, though no kind there has the same classes.
    below_1k = below(classes_1k)
    same = {below_1k[wnid] for wnid in named if wnid in below_1k}
    rejected = {wnid for wnid, classes in below_1k.items() if wnid not in named and classes not in same}
    chosen: dict[tuple[int, ...], str] = {}
    is_class = set(wnids)
    for wnid, classes in sorted(below(wnids).items()):
        # What kind of person somebody is can't be seen, and WordNet's words for it hurt.
        person = wnid != PERSON and PERSON in ancestors(wnid, hypernyms)
        seen = nouns[wnid].file in SEEN
        if wnid not in named and (person or not seen or wnid in rejected or wnid in NO_KINDS):
            continue
        rank = lambda w: (w in named, w in is_class, len(upwards(w, hypernyms)))
        if classes not in chosen or rank(wnid) > rank(chosen[classes]):
            chosen[classes] = wnid
    return {wnid: list(classes) for classes, wnid in chosen.items()}


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    data_noun, cow, list_of_wnids = sys.argv[1:]
    nouns, hypernyms, chinese = read_nouns(data_noun), read_hypernyms(data_noun), read_chinese(cow)
    wnids = re.findall(r"^n\d{8}\b", Path(list_of_wnids).read_text(encoding="utf-8"), re.MULTILINE)
    if len(wnids) != 21841 or sorted(set(wnids)) != wnids:
        sys.exit(f"{list_of_wnids}: expected 21841 wnids, ascending, got {len(wnids)}")
    rows_1k = [row.split("\t")[1:] for row in IMAGENET_1K.read_text(encoding="utf-8").splitlines()[1:]]
    lines = KINDS_1K.read_text(encoding="utf-8").splitlines()
    rows_kinds = [line.split("\t") for line in lines if not line.startswith("#")]
    named = {*NAMES, *(row[0] for row in rows_kinds)}
    kinds = kinds_of(wnids, [row[0] for row in rows_1k], named, nouns, hypernyms)
    everything = sorted({*wnids, *kinds})
    first_senses = read_first_senses(str(Path(data_noun).with_name("index.noun")), nouns)

    def reviewed(column: int) -> dict[str, str]:
        """Names that a person chose; a few kinds are called as a class of ImageNet-1k is, which goes first."""
        classes = {row[0]: row[column] for row in rows_1k}
        rows = [(wnid, *names) for wnid, names in NAMES.items()] + rows_kinds
        return {row[0]: row[column] for row in rows if row[column] not in classes.values()} | classes

    english = english_names(everything, reviewed(1), nouns, first_senses, hypernyms)
    zh = chinese_names(everything, reviewed(2), chinese, hypernyms)
    row = lambda wnid: f"{wnid}\t{english[wnid]}\t{zh[wnid]}"
    with CLASSES.open("w", encoding="utf-8") as out:
        out.writelines(f"{row(wnid)}\n" for wnid in wnids)
    with KINDS.open("w", encoding="utf-8") as out:
        for wnid, classes in sorted(kinds.items(), key=lambda kind: (len(kind[1]), kind[0])):
            out.write(f"{row(wnid)}\t{ranges(classes)}\n")


if __name__ == "__main__":
    main()
