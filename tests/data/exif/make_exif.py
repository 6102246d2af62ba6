#!/usr/bin/env python3
"""Photos stored in each of the eight EXIF orientations, beside this script.

upright.png is what a viewer shows; orientation-N.EXT holds it as a camera held that way stores it. The picture
is six cells of 8 × 8 pixels, one colour each: no orientation maps it onto itself, and JPEG keeps flat blocks
almost exactly. Run: pip install pillow==13.0.0 && python tests/data/exif/make_exif.py
"""
from pathlib import Path

import PIL
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
ORIENTATION = 0x0112
CELLS = [[(200, 40, 40), (40, 180, 60), (50, 70, 210)], [(230, 210, 50), (20, 20, 20), (240, 240, 240)]]
# How each orientation's picture is stored: the inverse of what a viewer applies.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}

upright = Image.new("RGB", (24, 16))
for row, cells in enumerate(CELLS):
    for column, colour in enumerate(cells):
        upright.paste(colour, (column * 8, row * 8, column * 8 + 8, row * 8 + 8))
upright.save(HERE / "upright.png", optimize=True)

for orientation, transpose in STORED.items():
    stored = upright if transpose is None else upright.transpose(transpose)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    for extension, options in {
        "jpg": {"quality": 95, "subsampling": 0},
        "png": {"optimize": True},
        "webp": {"lossless": True},
        "tiff": {"compression": "tiff_lzw"},
    }.items():
        path = HERE / f"orientation-{orientation}.{extension}"
        stored.save(path, exif=exif, **options)
        # Pillow itself turns it back, or the table above is wrong. (Its TIFF plug-in does so while loading.)
        shown = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        assert shown.size == upright.size, path
        if extension != "jpg":
            assert shown.tobytes() == upright.tobytes(), path
print("Pillow", PIL.__version__)
