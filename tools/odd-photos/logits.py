#!/usr/bin/env python3
"""Tells what the rounding of JPEG decoders does to answers: `logits.py BEITSCOPE MODEL FOLDER`.

Each JPEG of the folder is classified as it is and as Pillow reads it, saved as PNG.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

BEITSCOPE, MODEL, FOLDER = sys.argv[1:]


def classify(photos):
    command = [BEITSCOPE, "classify", "--model", MODEL, "--json", "--logits", *map(str, photos)]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


with tempfile.TemporaryDirectory() as folder:
    pairs = []
    for photo in sorted(path for path in Path(FOLDER).iterdir() if path.suffix.lower() in (".jpg", ".jpeg")):
        png = Path(folder) / f"{photo.stem}.png"
        with Image.open(photo) as stored:
            ImageOps.exif_transpose(stored).convert("RGB").save(png)
        pairs.append((photo, png))
    answers = zip(classify(photo for photo, _ in pairs), classify(png for _, png in pairs))
    both = [(ours, pillow) for ours, pillow in answers if "logits" in ours and "logits" in pillow]

logits = [max(abs(a - b) for a, b in zip(ours["logits"], pillow["logits"])) for ours, pillow in both]
best = [(ours["predictions"][0], pillow["predictions"][0]) for ours, pillow in both]
shares = [abs(ours["score"] - pillow["score"]) for ours, pillow in best]
changed = sum(ours["index"] != pillow["index"] for ours, pillow in best)
for name, numbers in (("largest difference of a photo's logits", logits), ("difference of the best score", shares)):
    print(f"{name}: median {statistics.median(numbers):.4f}, most {max(numbers):.4f}")
print(f"another first class: {changed} of {len(both)} photos")
