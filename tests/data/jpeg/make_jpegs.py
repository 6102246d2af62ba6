#!/usr/bin/env python3
"""Makes the files of this folder: `make_jpegs.py SAMPLE.jpg FOLDER_OF_PROGRAMS`.

Needs Pillow 13 and numpy, and libjpeg-turbo 3.2's `cjpeg`, `djpeg` and `jpegtran` in FOLDER_OF_PROGRAMS. What Pillow refuses
(other than 8 bits a sample) is read by `djpeg`; of its samples the highest 8 bits count.
"""

import io
import subprocess
import sys
from pathlib import Path

import numpy
from PIL import Image

HERE = Path(__file__).parent
PROGRAMS = Path(sys.argv[2])
PHOTO = Image.open(sys.argv[1]).convert("RGB")
SMALL = PHOTO.resize((61, 47))


def run(program, *options, stdin):
    return subprocess.run([PROGRAMS / program, *options], input=stdin, capture_output=True, check=True).stdout


def pnm(picture, bits=8):
    """A PPM or PGM; beyond 8 bits the lower ones are made up."""
    samples = numpy.asarray(picture).astype(numpy.uint32)
    if bits > 8:
        noise = numpy.random.default_rng(7).integers(0, 1 << (bits - 8), samples.shape)
        samples = (samples << (bits - 8)) + noise
    else:
        samples = samples >> (8 - bits)
    kind = b"P6" if samples.ndim == 3 else b"P5"
    data = samples.astype(">u2" if bits > 8 else "u1").tobytes()
    return kind + b"\n%d %d\n%d\n" % (*picture.size, (1 << bits) - 1) + data


def from_pnm(data, bits):
    kind, width, height, most, pixels = data.split(maxsplit=4) if bits <= 8 else split_header(data)
    count = 3 if kind == b"P6" else 1
    samples = numpy.frombuffer(pixels, ">u2" if int(most) > 255 else "u1").astype(numpy.uint32)
    samples = samples.reshape(int(height), int(width), count)
    samples = samples >> (bits - 8) if bits > 8 else samples * 255 // ((1 << bits) - 1)
    samples = numpy.repeat(samples, 3, 2) if count == 1 else samples
    return Image.fromarray(samples.astype("u1"))


def split_header(data):
    """The words of the header, and the bytes behind it, of which the first may be white space."""
    lines = data.split(b"\n", 3)
    return (lines[0], *lines[1].split(), lines[2], lines[3])


def keep(name, jpeg, bits=8):
    (HERE / f"{name}.jpg").write_bytes(jpeg)
    if bits == 8:
        picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    else:
        picture = from_pnm(run("djpeg", "-pnm", stdin=jpeg), bits)
    picture.save(HERE / "expected" / f"{name}.png", optimize=True)


def encode(name, *options, picture=SMALL, bits=8):
    precision = [] if bits == 8 else ["-precision", str(bits)]
    keep(name, run("cjpeg", *precision, *options, stdin=pnm(picture, bits)), bits)


def with_scans(script):
    path = HERE / "scans.tmp"
    path.write_text(script)
    return ["-scans", str(path)]


def cut_in_scan(jpeg, number, part):
    """The file with its scan of this number cut off after a part of its data, and an end marker in place."""
    at = -1
    for _ in range(number + 1):
        at = jpeg.index(b"\xff\xda", at + 1)
    end = jpeg.find(b"\xff\xda", at + 1)
    end = len(jpeg) if end < 0 else end
    cut = at + int((end - at) * part)
    return jpeg[: cut - (jpeg[cut - 1] == 0xFF)] + b"\xff\xd9"


grey = SMALL.convert("L")
for code, options in {"": [], "arithmetic-": ["-arithmetic"]}.items():
    for kind, more in {"sequential": [], "progressive": ["-progressive"]}.items():
        if options or more:
            encode(f"{code}{kind}-420", *options, *more)
            encode(f"{code}{kind}-restart", *options, *more, "-restart", "2B", "-sample", "2x1")
        encode(f"{code}{kind}-12-bit", *options, *more, bits=12)
        encode(f"{code}{kind}-12-bit-grey", *options, *more, "-quality", "95", picture=grey, bits=12)
encode("arithmetic-grey", "-arithmetic", picture=grey)
encode("arithmetic-fine", "-arithmetic", "-quality", "98", "-sample", "1x1")
encode("12-bit-444-restart", "-sample", "1x1", "-restart", "1", "-quality", "92", bits=12)
for sampling in ("3x1,1x1,1x1", "1x3,1x1,1x1", "3x2,1x1,1x1", "4x1,2x1,1x1", "2x4,1x1,1x1", "2x2,1x2,2x1", "1x1,2x2,2x2", "1x2,2x1,1x1"):
    for kind, more in {"sequential": [], "progressive": ["-progressive"], "arithmetic": ["-arithmetic"]}.items():
        if kind != "arithmetic" or sampling == "2x2,1x2,2x1":
            encode(f"{kind}-{sampling.replace(',', '-')}", *more, "-sample", sampling)
encode("higher-than-wide", "-sample", "1x2,1x1,1x1", *with_scans("0;\n1;\n2;\n"))
encode("two-scans", *with_scans("0;\n1 2;\n"), "-restart", "3B")
encode("two-pixels-wide", "-sample", "2x2,1x1,1x1", *with_scans("0;\n1 2;\n"), picture=SMALL.resize((3, 9)))
for predictor in range(1, 8):
    encode(f"lossless-{predictor}", "-lossless", str(predictor), picture=SMALL.resize((31, 24)))
encode("lossless-grey-shifted", "-lossless", "4,2", picture=grey)
encode("lossless-restart", "-lossless", "5", "-restart", "3", picture=SMALL.resize((31, 24)))
encode("lossless-16-bit", "-lossless", "1", picture=grey.resize((31, 24)), bits=16)
encode("lossless-12-bit", "-lossless", "7", picture=SMALL.resize((31, 24)), bits=12)
encode("lossless-5-bit", "-lossless", "6", picture=grey, bits=5)

buffer = io.BytesIO()
SMALL.convert("CMYK").save(buffer, "JPEG", quality=85)
cmyk = buffer.getvalue()
keep("cmyk-sequential", cmyk)
keep("cmyk-arithmetic", run("jpegtran", "-arithmetic", stdin=cmyk))
keep("cmyk-progressive", run("jpegtran", "-progressive", stdin=cmyk))
# Adobe's transform 2: the same numbers are YCCK.
at = cmyk.index(b"Adobe")
keep("ycck-arithmetic", run("jpegtran", "-arithmetic", stdin=cmyk[: at + 11] + b"\2" + cmyk[at + 12 :]))

progressive = run("cjpeg", "-progressive", "-sample", "1x1", stdin=pnm(SMALL))
keep("ends-in-a-later-scan", cut_in_scan(progressive, 4, 0.5))
(HERE / "scans.tmp").unlink()
print(len(list(HERE.glob("*.jpg"))), sum(path.stat().st_size for path in HERE.rglob("*.*")))
