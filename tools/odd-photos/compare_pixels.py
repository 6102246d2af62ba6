#!/usr/bin/env python3
"""Compares each pixel of photos with Pillow's: `compare_pixels.py FOLDER PICTURES`, where `read_photos FOLDER --pixels
PICTURES` has written the pictures. Needs Pillow 13 and numpy. Prints how many are how far off, and the files farthest off."""

import collections
import sys
import warnings
from pathlib import Path

import numpy
from PIL import Image

FOLDER, PICTURES = map(Path, sys.argv[1:3])
warnings.simplefilter("ignore")


def samples(path):
    return numpy.asarray(Image.open(path).convert("RGB")).astype(int)


counts, off = collections.Counter(), []
for photo in sorted(FOLDER.iterdir()):
    ours = PICTURES / f"{photo.name}.ppm"
    try:
        expected = samples(photo)
    except Exception:  # Pillow raises whatever its plugins raise.
        counts["read, Pillow refuses" if ours.exists() else "both refuse"] += 1
        continue
    if not ours.exists():
        counts["refused"] += 1
        continue
    got = samples(ours)
    largest = abs(got - expected).max() if got.shape == expected.shape else 255
    counts["exact" if largest == 0 else "within 2" if largest <= 2 else "farther off"] += 1
    off.append((int(largest), photo.name))
for verdict, count in counts.items():
    print(f"{count} {verdict}")
for largest, name in sorted(off, reverse=True)[:10]:
    print(f"{largest} {name}")
