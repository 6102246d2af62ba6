#!/usr/bin/env python3
"""Checks the label table; prints what is wrong, row by row, and exits 1 if anything is.

    check.py [--wordnet DATA_NOUN] [TABLE]

Without TABLE it checks crates/beit/data/imagenet-1k.tsv. With WordNet 3.0's `data.noun` at hand
it also checks that each wnid is a noun synset and each English name is what make_english.py makes.
"""

import argparse
import re
import sys
import unicodedata
from pathlib import Path

from make_english import OVERRIDES, english_name
from wordnet import read_nouns

TABLE = Path(__file__).resolve().parents[2] / "crates/beit/data/imagenet-1k.tsv"
HEADER = "index\twnid\ten\tzh"
CLASSES = 1000
# The Chinese names that are normally written with Latin letters.
WITH_LATIN = {"CD播放机", "T恤", "iPod", "福特T型车"}


def check_form(text: str) -> tuple[list[str], list[list[str]]]:
    """Faults of the file as a whole and of each row's form; the rows that have four fields."""
    faults, rows = [], []
    if text.startswith("\ufeff") or "\r" in text or '"' in text:
        faults.append("byte order mark, carriage return or double quote in the file")
    if not text.endswith("\n"):
        faults.append("no newline at the end of the file")
    header, *lines = text.removesuffix("\n").split("\n")
    if header != HEADER:
        faults.append(f"header: expected {HEADER!r}, got {header!r}")
    if len(lines) != CLASSES:
        faults.append(f"expected {CLASSES} rows, got {len(lines)}")
    for position, line in enumerate(lines):
        fields = line.split("\t")
        if len(fields) != 4:
            faults.append(f"row {position}: expected 4 fields, got {len(fields)}")
            continue
        index, wnid, en, zh = fields
        if index != str(position):
            faults.append(f"row {position}: index is {index!r}")
        if not re.fullmatch(r"n\d{8}", wnid):
            faults.append(f"row {position}: {wnid!r} is no wnid")
        for name in (en, zh):
            if not name or name != " ".join(name.split()):
                faults.append(f"row {position}: empty or badly spaced name {name!r}")
            if name != unicodedata.normalize("NFC", name):
                faults.append(f"row {position}: {name!r} is not in Unicode normal form C")
        if not re.fullmatch(r"[A-Za-z0-9 '()\-]+", en):
            faults.append(f"row {position}: unexpected character in {en!r}")
        if zh not in WITH_LATIN and not all(
            unicodedata.name(c, "").startswith("CJK UNIFIED IDEOGRAPH") for c in zh
        ):
            faults.append(f"row {position}: not all Chinese characters: {zh!r}")
        rows.append(fields)
    return faults, rows


def check_columns(rows: list[list[str]]) -> list[str]:
    """Faults between rows: the order of the wnids, and names given twice."""
    faults = []
    wnids = [row[1] for row in rows]
    for before, after in zip(wnids, wnids[1:]):
        if before >= after:
            faults.append(f"{after} follows {before}: the wnids are not strictly ascending")
    for column, language in ((2, "English"), (3, "Chinese")):
        seen: dict[str, str] = {}
        for row in rows:
            name = row[column].casefold()
            if name in seen:
                faults.append(f"{row[1]}: {language} name {row[column]!r} is also {seen[name]}'s")
            seen.setdefault(name, row[1])
    missing = WITH_LATIN - {row[3] for row in rows}
    faults += [f"allow-list: no row is named {name!r}" for name in sorted(missing)]
    return faults


def check_wordnet(rows: list[list[str]], data_noun: str) -> list[str]:
    """Faults against WordNet: unknown wnids, English names that it does not give, idle overrides."""
    faults, nouns = [], read_nouns(data_noun)
    for _, wnid, en, _ in rows:
        if wnid not in nouns:
            faults.append(f"{wnid} is no noun synset of {data_noun}")
        elif en != english_name(wnid, nouns[wnid]):
            expected = english_name(wnid, nouns[wnid])
            faults.append(f"{wnid}: English name: expected {expected!r}, got {en!r}")
    wnids = {row[1] for row in rows}
    for wnid, name in OVERRIDES.items():
        if wnid not in wnids or name == nouns[wnid].lemmas[0]:
            faults.append(f"override of {wnid} changes nothing")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description="Checks the label table.")
    parser.add_argument("table", nargs="?", type=Path, default=TABLE)
    parser.add_argument("--wordnet", metavar="DATA_NOUN", help="WordNet 3.0's data.noun")
    options = parser.parse_args()
    faults, rows = check_form(options.table.read_bytes().decode("utf-8"))
    faults += check_columns(rows)
    if options.wordnet:
        faults += check_wordnet(rows, options.wordnet)
    for fault in faults:
        print(fault)
    if faults:
        sys.exit(1)
    print(f"{options.table.name}: {len(rows)} rows, no fault")


if __name__ == "__main__":
    main()
