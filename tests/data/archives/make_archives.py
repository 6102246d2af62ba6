#!/usr/bin/env python3
"""Zip files that people drop on a photo classifier, beside this script. Needs nothing but Python."""
import struct
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CAT = (HERE.parents[2] / "web" / "samples" / "cat.jpg").read_bytes()


def write(name, files):
    with zipfile.ZipFile(HERE / name, "w") as archive:
        for path, data, method in files:
            info = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, data)


STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
# One photo packed in each way, among what a folder on a Mac holds too.
write(
    "album.zip",
    [
        ("holiday/stored.jpg", CAT, STORED),
        ("holiday/deflated.jpg", CAT, DEFLATED),
        ("holiday/notes.txt", b"no photo", DEFLATED),
        ("__MACOSX/holiday/._stored.jpg", b"hidden twin", STORED),
    ],
)
# Says that it unpacks to 100 bytes, and goes on to a million.
write("swollen.zip", [("swollen.jpg", bytes(1_000_000), DEFLATED)])
swollen = bytearray((HERE / "swollen.zip").read_bytes())
for at in (22, swollen.index(b"PK\x01\x02") + 24):
    swollen[at : at + 4] = struct.pack("<I", 100)
(HERE / "swollen.zip").write_bytes(swollen)
# Its end, with the directory, is missing.
album = (HERE / "album.zip").read_bytes()
(HERE / "truncated.zip").write_bytes(album[: len(album) // 2])
