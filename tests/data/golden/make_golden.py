#!/usr/bin/env python3
"""Golden values from timm for the engine's tests. Needs numpy, torch, timm, safetensors, pillow.

Run it in this folder: `python3 make_golden.py` (all three) or with the names of some. The true-size run needs 4 GB.

Weights come from a generator that is written again in Rust (crates/checkpoint/src/seeded.rs), so that the true-size
network needs no file:
  key(name)  = FNV-1a 64 of the UTF-8 name, xor SEED
  x(i)       = splitmix64(key + i * 0x9E3779B97F4A7C15)        (wrapping u64; splitmix64 is the finaliser below)
  value(i)   = mean + std * sqrt(3) * (sum of x's four 16-bit parts / 65535 - 2)      computed in f64, cast to f32
i runs over the tensor in row-major order. std and mean per tensor: `spec` below.
"""
import json, sys
import numpy as np, torch
from timm.models.beit import Beit
from safetensors.numpy import save_file

SEED = 0xBE17
M = np.uint64(0xFFFFFFFFFFFFFFFF)

def fnv1a(name):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h

def values(name, shape, std, mean=0.0):
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name) ^ SEED) + np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    parts = sum(((z >> np.uint64(s)) & np.uint64(0xFFFF)).astype(np.float64) for s in (0, 16, 32, 48))
    return (mean + std * np.sqrt(3.0) * (parts / 65535.0 - 2.0)).astype(np.float32).reshape(shape)

def spec(cfg):
    """(name, shape, std, mean) of every tensor, timm's names and order."""
    d, p, img, heads, classes = cfg["width"], cfg["patch"], cfg["image"], cfg["heads"], cfg["classes"]
    grid = img // p
    yield "cls_token", (1, 1, d), 0.5, 0.0
    if cfg["abs_pos"]:
        yield "pos_embed", (1, grid * grid + 1, d), 0.3, 0.0
    yield "patch_embed.proj.weight", (d, 3, p, p), 0.03, 0.0
    yield "patch_embed.proj.bias", (d,), 0.1, 0.0
    w = 1.25 / np.sqrt(d)  # 0.039 at width 1024
    for i in range(cfg["depth"]):
        b = f"blocks.{i}."
        yield b + "gamma_1", (d,), 0.1, 0.3
        yield b + "gamma_2", (d,), 0.1, 0.3
        yield b + "norm1.weight", (d,), 0.2, 1.0
        yield b + "norm1.bias", (d,), 0.1, 0.0
        yield b + "attn.q_bias", (d,), 0.2, 0.0
        yield b + "attn.v_bias", (d,), 0.2, 0.0
        if not cfg["abs_pos"]:
            yield b + "attn.relative_position_bias_table", ((2 * grid - 1) ** 2 + 3, heads), 0.5, 0.0
        yield b + "attn.qkv.weight", (3 * d, d), w, 0.0
        yield b + "attn.proj.weight", (d, d), 0.8 * w, 0.0
        yield b + "attn.proj.bias", (d,), 0.1, 0.0
        yield b + "norm2.weight", (d,), 0.2, 1.0
        yield b + "norm2.bias", (d,), 0.1, 0.0
        yield b + "mlp.fc1.weight", (4 * d, d), 0.8 * w, 0.0
        yield b + "mlp.fc1.bias", (4 * d,), 0.1, 0.0
        yield b + "mlp.fc2.weight", (d, 4 * d), 0.5 * w, 0.0
        yield b + "mlp.fc2.bias", (d,), 0.1, 0.0
    yield "fc_norm.weight", (d,), 0.2, 1.0
    yield "fc_norm.bias", (d,), 0.1, 0.0
    yield "head.weight", (classes, d), 2.5 / np.sqrt(d), 0.0
    yield "head.bias", (classes,), 0.05, 0.0

CONFIGS = {
    "tiny-relative": dict(width=128, depth=3, heads=2, patch=16, image=224, classes=50, abs_pos=False, inputs=2),
    "tiny-absolute": dict(width=128, depth=3, heads=2, patch=14, image=112, classes=50, abs_pos=True, inputs=2),
    "large": dict(width=1024, depth=24, heads=16, patch=16, image=224, classes=1000, abs_pos=False, inputs=4),
}

def make(name):
    c = CONFIGS[name]
    m = Beit(img_size=c["image"], patch_size=c["patch"], embed_dim=c["width"], depth=c["depth"], num_heads=c["heads"],
             num_classes=c["classes"], use_abs_pos_emb=c["abs_pos"], use_rel_pos_bias=not c["abs_pos"], init_values=0.1,
             global_pool="avg").eval()
    weights = {n: values(n, s, std, mean) for n, s, std, mean in spec(c)}
    r = m.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()}, strict=False)
    assert not r.unexpected_keys and all("relative_position_index" in k for k in r.missing_keys), r
    pixels = np.stack([values(f"pixels.{i}", (3, c["image"], c["image"]), 1.0) for i in range(c["inputs"])])
    blocks = []
    hooks = [b.register_forward_hook(lambda _m, _i, o: blocks.append(o.numpy().copy())) for b in m.blocks]
    with torch.no_grad():
        logits = m(torch.from_numpy(pixels)).numpy()
    out = {"logits": logits}
    if name != "large":
        out |= {"pixels": pixels, **{f"block.{i}": b for i, b in enumerate(blocks)}}
        save_file(weights, f"{name}.weights.safetensors")
    save_file(out, f"{name}.expected.safetensors", metadata={"config": json.dumps(c)})
    print(name, "std", logits.std(), "across inputs", (logits - logits.mean(0)).std(), "first", logits[0, :4])

if __name__ == "__main__":
    for n in sys.argv[1:] or CONFIGS:
        make(n)
