#!/usr/bin/env python3
"""Makes progressive JPEGs that are cut at random places and have an end marker there: `make_cut.py SAMPLE.jpg FOLDER`.

Needs Pillow 13, and `cjpeg` on the PATH for uncommon sampling and the arithmetic code.
"""

import io
import random
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

PHOTO, FOLDER = Image.open(sys.argv[1]).convert("RGB"), Path(sys.argv[2])
FOLDER.mkdir(parents=True, exist_ok=True)
SIZES = [(120, 80), (97, 65), (200, 133), (33, 50), (16, 40), (240, 8), (250, 190)]
SAMPLING = ("1x2,1x1,1x1", "2x2,1x2,2x1", "4x2,1x1,1x1", "1x1,2x2,2x2")
END = b"\xff\xd9"


def saved(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", progressive=True, **options)
    return buffer.getvalue()


def encoded(picture, *options):
    ppm = b"P6\n%d %d\n255\n" % picture.size + picture.tobytes()
    return subprocess.run(["cjpeg", "-progressive", *options], input=ppm, capture_output=True).stdout


def files():
    for size in SIZES:
        picture, side = PHOTO.resize(size), f"{size[0]}x{size[1]}"
        for quality, sampling in [(75, "4:2:0"), (90, "4:4:4"), (50, "4:2:2"), (95, "4:2:0")]:
            yield f"{side}-{quality}-{sampling.replace(':', '')}", saved(picture, quality=quality, subsampling=sampling)
        for mode in ("L", "CMYK"):
            yield f"{side}-{mode}", saved(picture.convert(mode), quality=80)
        yield f"{side}-restart", saved(picture, quality=80, restart_marker_rows=1)
        if shutil.which("cjpeg"):
            for sampling in SAMPLING:
                yield f"{side}-{sampling.replace(',', '-')}", encoded(picture, "-quality", "85", "-sample", sampling)
            yield f"{side}-arithmetic", encoded(picture, "-quality", "85", "-arithmetic")


made, chance = 0, random.Random(5)
for name, data in files():
    starts = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    if not starts:
        print(f"not made: {name}")
        continue
    cuts = [chance.randrange(starts[0] + 20, len(data) - 2) for _ in range(8)]
    # Before the tables of a scan, or before the scan.
    for number in chance.sample(range(1, len(starts)), min(3, len(starts) - 1)):
        tables = data.rfind(b"\xff\xc4", starts[number - 1], starts[number])
        cuts.append(tables if tables > 0 else starts[number])
    for cut in set(cuts):
        (FOLDER / f"{name}-{cut}.jpg").write_bytes(data[:cut] + END)
        made += 1
print(f"{made} files")
