"""BEiTv2-large as beitv2_large.tflite, in F32, from the beitv2_large.safetensors of the current folder.

    python make_litert.py [BLOCKS]
"""

import sys

import litert_torch
import timm
import torch
from safetensors.torch import load_file

blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 24
model = timm.create_model("beitv2_large_patch16_224", pretrained=False, depth=blocks).eval()
missing, unexpected = model.load_state_dict(load_file("beitv2_large.safetensors"), strict=False)
assert not unexpected and all(name.endswith("relative_position_index") for name in missing), (missing, unexpected)
litert_torch.convert(model, (torch.zeros(1, 3, 224, 224),)).export("beitv2_large.tflite")
