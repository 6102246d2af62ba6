#!/bin/sh
# Fills a folder with the contenders of `cargo xtask bench --peer FOLDER`: see README.md beside this file.
#
#     sh tools/bench-peers/make.sh FOLDER [BLOCKS]
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:?usage: $0 FOLDER [BLOCKS]}"
photo="$here/../../web/samples/coffee.jpg"
mkdir -p "$folder"
cd "$folder"
npm install --ignore-scripts --no-fund --no-audit --prefix . \
    onnxruntime-web@1.30.0 @huggingface/transformers@4.3.2 @litertjs/core@2.5.3
target="$PWD/rten-target"
# In its folder the project's compiler is chosen.
(
    cd "$here/rten"
    RUSTFLAGS="-C target-feature=+simd128,+relaxed-simd" cargo build --locked --release \
        --target wasm32-unknown-unknown --target-dir "$target"
)
cp rten-target/wasm32-unknown-unknown/release/rten_peer.wasm .
[ -x python/bin/python ] || python3 -m venv python
python/bin/pip install --quiet --requirement "$here/requirements.txt"
python/bin/python "$here/make_model.py" "$photo" ${2:+"$2"}
# LiteRT.js is one of several: without its model the others run all the same. litert-torch 0.10.0 asks for torch below
# 2.15 but converts this network with 2.15 too, so its packages are installed as listed, in a folder of their own.
python/bin/pip install --quiet --no-deps --target litert --requirement "$here/requirements-litert.txt" &&
    PYTHONPATH="$PWD/litert" python/bin/python "$here/make_litert.py" ${2:+"$2"} ||
    echo "beitv2_large.tflite could not be made, so LiteRT.js will be left out" >&2
