#!/usr/bin/env python3
"""`beitscope finetune` against scikit-learn's LogisticRegression, on the same features.

For each number of photos a class: the head that `beitscope finetune` trains (its own choice of C), scikit-learn's
LogisticRegression with that C, and LogisticRegressionCV with its own choice from the same grid, all measured on the
same held-out photos.

    pip install scikit-learn
    python tools/finetune/compare.py BEITSCOPE MODEL TRAIN VAL [--each 1,5,20,60] [--work DIR]

TRAIN and VAL are folders of photos by class. Features are read from the cache that `beitscope` fills.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV


def read_cache(path):
    """Photo's SHA-256 -> features, as crates/cli/src/finetune/cache.rs writes them."""
    data = path.read_bytes()
    assert data[:8] == b"beitfeat"
    width = int.from_bytes(data[12:16], "little")
    size = 64 + 4 * width + 16
    records = np.frombuffer(data, np.uint8, offset=16).reshape(-1, size)
    keys = [bytes(record[:64]).decode() for record in records]
    return dict(zip(keys, records[:, 64 : 64 + 4 * width].copy().view("<f4")))


def load(folder, features):
    x, y = [], []
    for label, name in enumerate(sorted(path.name for path in folder.iterdir())):
        for photo in sorted((folder / name).rglob("*")):
            if photo.is_file():
                x.append(features[hashlib.sha256(photo.read_bytes()).hexdigest()])
                y.append(label)
    return np.array(x), np.array(y)


def finetune(binary, model, train, val, work, more):
    """Runs `beitscope finetune`; its answer, and its peak memory in MB."""
    out = work / "model"
    shutil.rmtree(out, ignore_errors=True)
    command = [binary, "finetune", "--model", model, "--train", train, "--val", val, "--out", out]
    command += ["--cache", work / "cache", "--json", *more]
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        answer = json.loads(run.stdout.read())
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0, command
    return answer, usage.ru_maxrss / 1000


def main():
    parser = argparse.ArgumentParser()
    for name in ("binary", "model", "train", "val"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--each", default="1,5,20,60")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/finetune-compare"))
    parser.add_argument("--no-cv", action="store_true", help="leave out LogisticRegressionCV, which takes minutes")
    arguments = parser.parse_args()
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    print("| photos a class | C | beitscope | scikit-learn, same C | scikit-learn, own C | training | "
          "scikit-learn's | peak memory |")
    print("|---|---|---|---|---|---|---|---|")
    for each in map(int, arguments.each.split(",")):
        subset = work / f"train-{each}"
        shutil.rmtree(subset, ignore_errors=True)
        for folder in arguments.train.iterdir():
            (subset / folder.name).mkdir(parents=True)
            for photo in sorted(path for path in folder.rglob("*") if path.is_file())[:each]:
                os.link(photo, subset / folder.name / photo.name)
        finetune(arguments.binary, arguments.model, subset, arguments.val, work, [])
        answer, memory = finetune(arguments.binary, arguments.model, subset, arguments.val, work, [])
        (cache,) = (work / "cache").glob("*.features")
        features = read_cache(cache)
        (x, y), (x_val, y_val) = load(subset, features), load(arguments.val, features)
        begun = time.monotonic()
        same = LogisticRegression(C=answer["c"], max_iter=5000).fit(x, y)
        seconds = time.monotonic() - begun
        own = "–"
        if each > 1 and not arguments.no_cv:
            grid = 1 / (np.logspace(3.5, -2.5, 13) * x.var(axis=0).mean())
            choice = LogisticRegressionCV(
                Cs=grid, cv=min(5, each), scoring="neg_log_loss", max_iter=1000, n_jobs=2, use_legacy_attributes=False
            )
            own = choice.fit(x, y)
            own = f"{100 * (own.predict(x_val) == y_val).mean():.2f} % (C = {float(np.ravel(own.C_)[0]):.4f})"
        score = 100 * (same.predict(x_val) == y_val).mean()
        print(f"| {each} | {answer['c']:.4f} | {answer['val']['accuracytop-1']:.2f} % | {score:.2f} % | {own} | "
              f"{answer['seconds']['training']:.1f} s | {seconds:.1f} s | {memory:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
