#!/bin/sh
# Fills a folder with what `cargo xtask bench --peer FOLDER` wants: onnxruntime-web, and BEiTv2-large with random
# weights as ONNX, in F32, int8 (dynamic, per channel) and 4 bits. Wants Python 3.11 with pip, and npm; takes some
# gigabytes.
#
#     sh tools/bench-peers/make.sh FOLDER
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:?usage: $0 FOLDER}"
mkdir -p "$folder"
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet torch timm onnx onnxruntime onnxscript
npm install --no-fund --no-audit onnxruntime-web@1.30.0
python/bin/python "$here/make_model.py"
