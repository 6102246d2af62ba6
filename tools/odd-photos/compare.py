#!/usr/bin/env python3
"""Compares two readings of the same photos: `compare.py pillow.json beitscope.json`. Prints a table by format, then each
file that was read as another picture, and each refusal of what Pillow reads."""

import collections
import json
import sys

pillow, ours = (json.load(open(path)) for path in sys.argv[1:3])
VERDICTS = ["exact", "within 2", "another picture", "refused", "both refuse", "read, Pillow refuses"]
table = collections.defaultdict(collections.Counter)
told = []
for name, expected in pillow.items():
    got = ours[name]
    if "refused" in expected:
        verdict = "both refuse" if "refused" in got else "read, Pillow refuses"
    elif "refused" in got:
        verdict = "refused"
        told.append(f"refused: {name}: {got['detail'][:150]}")
    elif got["size"] != expected["size"]:
        verdict = "another picture"
        told.append(f"another picture: {name}: {got['size']} for {expected['size']}")
    else:
        cells = [abs(a - b) for x, y in zip(got["grid"], expected["grid"]) for a, b in zip(x, y)]
        largest = max(cells)
        # Where a cell is a pixel, chroma that is rounded or spread otherwise counts in full.
        most = 2 if min(expected["size"]) > 24 else 4
        verdict = "exact" if largest < 0.02 else "within 2" if largest <= most else "another picture"
        if verdict == "another picture":
            told.append(f"another picture: {name}: a cell differs by {largest:.1f}")
    table[name.split("-")[0]][verdict] += 1
print("| | files | " + " | ".join(VERDICTS) + " |\n|---|" + "---|" * (len(VERDICTS) + 1))
for form, counts in sorted(table.items()) + [("all", sum(table.values(), collections.Counter()))]:
    print(f"| {form} | {sum(counts.values())} | " + " | ".join(str(counts[verdict]) for verdict in VERDICTS) + " |")
print("\n".join(told[:400]))
