#!/usr/bin/env python3
"""Makes the files of this folder: `make_jpegs.py SAMPLE.jpg FOLDER_OF_PROGRAMS`.

Needs Pillow 13 and numpy, and libjpeg-turbo 3.2's `cjpeg`, `djpeg` and `jpegtran` and
`make_conditioned.c`, compiled, in FOLDER_OF_PROGRAMS. What Pillow refuses
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
SMALL = PHOTO.resize((45, 37))


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


def without(jpeg, marker):
    """The file without its segments of this kind."""
    while (at := jpeg.find(b"\xff" + marker)) >= 0:
        jpeg = jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4]) :]
    return jpeg


def lossless(planes, factors, width, height, interleaved):
    """A lossless frame with sampling factors, which cjpeg does not write: predictor 4, lengths in five bits."""
    most = [max(factor[axis] for factor in factors) for axis in (0, 1)]
    frame = b"".join(bytes([number, 16 * h + v, 0]) for number, (h, v) in enumerate(factors))
    out = b"\xff\xd8\xff\xc3\0\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\3" + frame
    out += b"\xff\xc4\0\x24\0" + bytes([0, 0, 0, 0, 17] + 11 * [0]) + bytes(range(17))
    for numbers in [range(3)] if interleaved else [[0], [1], [2]]:
        out += b"\xff\xda" + (6 + 2 * len(numbers)).to_bytes(2) + bytes([len(numbers)])
        out += b"".join(bytes([number, 0]) for number in numbers) + b"\4\0\0"
        shapes = {number: factors[number] if interleaved else (1, 1) for number in numbers}
        lengths = (width, height) if interleaved else planes[numbers[0]].shape[::-1]
        across, down = (-(-length // (most[axis] if interleaved else 1)) for axis, length in enumerate(lengths))
        padded = {
            number: numpy.pad(
                planes[number],
                ((0, down * v - planes[number].shape[0]), (0, across * h - planes[number].shape[1])),
                mode="edge",
            )
            for number, (h, v) in shapes.items()
        }
        bits = ""
        for row in range(down):
            for column in range(across):
                for number, (h, v) in shapes.items():
                    samples = padded[number]
                    for x, y in [(column * h + at % h, row * v + at // h) for at in range(h * v)]:
                        left = samples[y, x - 1] if x else None
                        above = samples[y - 1, x] if y else None
                        if x and y:
                            prediction = left + above - samples[y - 1, x - 1]
                        else:
                            prediction = next((value for value in (left, above) if value is not None), 128)
                        difference = int(samples[y, x] - prediction)
                        length = abs(difference).bit_length()
                        bits += f"{length:05b}"
                        if length:
                            bits += f"{difference + (0 if difference > 0 else (1 << length) - 1):0{length}b}"
        bits += "1" * (-len(bits) % 8)
        out += int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
    return out + b"\xff\xd9"


grey = SMALL.convert("L")
for code, options in {"": [], "arithmetic-": ["-arithmetic"]}.items():
    for kind, more in {"sequential": [], "progressive": ["-progressive"]}.items():
        if options:
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

keep("arithmetic-conditioned", run("make_conditioned", stdin=pnm(SMALL)))
frame = run("cjpeg", "-sample", "4x1,1x1,1x1", stdin=pnm(SMALL))
keep("motion-jpeg-without-tables", without(frame, b"\xc4"))
plain = without(run("cjpeg", "-lossless", "2", stdin=pnm(SMALL.resize((31, 24)))), b"\xee")
keep("lossless-plain", plain.replace(b"R\x11\0G\x11\0B", b"\1\x11\0\2\x11\0\3").replace(b"R\0G\0B", b"\1\0\2\0\3"))
small = numpy.asarray(SMALL.resize((31, 24))).astype(int)
for name, factors in {"22": [(2, 2), (1, 1), (1, 1)], "odd": [(1, 1), (2, 1), (1, 2)]}.items():
    planes = [small[:: 2 // v, :: 2 // h, channel] for channel, (h, v) in enumerate(factors)]
    for interleaved in (True, False):
        keep(f"lossless-{name}-{interleaved}".lower(), lossless(planes, factors, 31, 24, interleaved))


def cut(name, jpeg):
    """Progressive files of which later scans are missing, or their data ends early."""
    starts = [at for at in range(len(jpeg) - 1) if jpeg[at : at + 2] == b"\xff\xda"]
    # A scan's data ends where the next one's tables begin, if it has any.
    tables = [jpeg.find(b"\xff\xc4", start) for start in starts]
    nexts = starts[1:] + [len(jpeg) - 2]
    ends = [table if 0 < table < following else following for table, following in zip(tables, nexts)]
    for number, (start, end) in list(enumerate(zip(starts, ends), 1))[1:]:
        if name == "420":
            keep(f"cut-{name}-before-scan-{number}", jpeg[: ends[number - 2]] + b"\xff\xd9")
        data = start + 2 + int.from_bytes(jpeg[start + 2 : start + 4])
        keep(f"cut-{name}-in-scan-{number}", jpeg[: (2 * data + 3 * end) // 5] + b"\xff\xd9")


def progressive(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", progressive=True, **options)
    return buffer.getvalue()


cut("420", progressive(SMALL, quality=85))
cut("444-restart", progressive(PHOTO.resize((30, 33)), quality=60, subsampling="4:4:4", restart_marker_blocks=3))
# Three rows of blocks in two groups.
cut("three-rows", progressive(PHOTO.resize((30, 20)), quality=40))
(HERE / "scans.tmp").unlink()
print(len(list(HERE.glob("*.jpg"))), sum(path.stat().st_size for path in HERE.rglob("*.*")))
