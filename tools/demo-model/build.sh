#!/bin/sh
# The demo model's checkpoint → web/models/demo. See README.md beside this file.
set -eu
if [ $# -ne 1 ]; then
    echo "usage: tools/demo-model/build.sh demo-vit-small-112.safetensors" >&2
    exit 2
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
cargo run --quiet --release --manifest-path "$root/Cargo.toml" --package beitscope -- convert "$1" \
    --quant q8_0 --name demo-vit-small-112 --labels "$root/tools/demo-model/classes.json" \
    --license MIT --card "$root/tools/demo-model/CARD.md" --out "$root/web/models/demo"
