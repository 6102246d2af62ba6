"""BEiTv2-large with random weights for all contenders of the benchmark, and timm's logits to check them by.

    python make_model.py PHOTO [BLOCKS]

Writes into the current folder:

- beitv2_large.safetensors: timm's tensors, for `beitscope convert`
- beitv2_large_{f32,f16,int8,q8,q4}.onnx: F32; F16; int8 (dynamic, per channel); 8 and 4 bits in blocks of 32,
  computed in int8 (MatMulNBits, accuracy_level=4)
- transformers/beitv2-large/: the int8 and F32 files laid out as on the hub
- photo.png: PHOTO resized and cropped, which nobody needs to resize again
- inputs.f32: eight inputs of [3, 224, 224]: photo.png, then random ones; logits.f32: timm's [8, 1000] for them

With BLOCKS, the network has fewer than 24 blocks.
"""

import json
import logging
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import timm
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16
from PIL import Image
from safetensors.torch import save_file

PREFIX = "beitv2_large"
FORMS = ["f32", "f16", "int8", "q8", "q4"]


def network(blocks):
    """The network, in weights that make a trained network's demands on arithmetic."""
    torch.manual_seed(0)
    model = timm.create_model("beitv2_large_patch16_224", pretrained=False, depth=blocks).eval()
    random = torch.Generator().manual_seed(1234)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if name.endswith(("gamma_1", "gamma_2")):
                tensor.copy_(0.3 + 0.1 * torch.randn(tensor.shape, generator=random))
            elif name.endswith("relative_position_bias_table"):
                tensor.copy_(0.5 * torch.randn(tensor.shape, generator=random))
            elif name == "head.weight":
                # Logits of a deviation of about 3, as trained networks have them.
                tensor.copy_(0.1 * torch.randn(tensor.shape, generator=random))
            elif name.endswith("bias") or name == "cls_token":
                tensor.copy_(0.02 * torch.randn(tensor.shape, generator=random))
            elif tensor.ndim == 2:
                # timm's trunc_normal_ may yield a value of -100 deviations, which would ruin the scales.
                tensor[tensor.abs() > 8 * tensor.std()] = 0
    return model


def inputs(model, photo):
    """[8, 3, 224, 224]; saves the photo as it is before it is normalised."""
    # The page resizes to 256 pixels, as BEiT's own evaluation does; timm's default for this network is 235.
    config = timm.data.resolve_data_config({"crop_pct": 224 / 256}, model=model)
    resize, crop, *_ = timm.data.create_transform(**config).transforms
    picture = crop(resize(Image.open(photo).convert("RGB")))
    picture.save("photo.png")
    mean, std = (torch.tensor(config[key]).view(3, 1, 1) for key in ("mean", "std"))
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
    random = torch.randn(7, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return torch.cat([((pixels - mean) / std)[None], random]), config


def bits(count):
    """8 or 4 bits in blocks of 32."""
    quantizer = MatMulNBitsQuantizer(
        onnx.load(f"{PREFIX}_f32.onnx"), bits=count, block_size=32, is_symmetric=True, accuracy_level=4
    )
    quantizer.process()
    quantizer.model.save_model_to_file(f"{PREFIX}_q{count}.onnx")


def write_onnx(model, pixels):
    f32 = f"{PREFIX}_f32.onnx"
    torch.onnx.export(
        model,
        (pixels[:1],),
        f32,
        input_names=["pixel_values"],
        output_names=["logits"],
        opset_version=17,
        dynamo=False,
        do_constant_folding=True,
    )
    onnx.save(convert_float_to_float16(onnx.load(f32), keep_io_types=True), f"{PREFIX}_f16.onnx")
    quantize_dynamic(
        f32,
        f"{PREFIX}_int8.onnx",
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    bits(8)
    bits(4)


def lay_out_for_transformers(config):
    """A folder as on the hub; a photo of 224 x 224 pixels is only normalised."""
    folder = Path("transformers/beitv2-large")
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    names = [str(index) for index in range(1000)]
    described = {
        "model_type": "beit",
        "architectures": ["BeitForImageClassification"],
        "image_size": 224,
        "num_labels": 1000,
        "id2label": dict(zip(names, names)),
        "label2id": {name: int(name) for name in names},
    }
    preprocessing = {
        "image_processor_type": "BeitFeatureExtractor",
        "feature_extractor_type": "BeitFeatureExtractor",
        "do_resize": True,
        "size": {"height": 224, "width": 224},
        "resample": 3,
        "do_center_crop": False,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(config["mean"]),
        "image_std": list(config["std"]),
    }
    (folder / "config.json").write_text(json.dumps(described))
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    for name, form in [("model_quantized", "int8"), ("model", "f32")]:
        link = folder / "onnx" / f"{name}.onnx"
        link.unlink(missing_ok=True)
        os.link(f"{PREFIX}_{form}.onnx", link)


def cosine(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def main():
    # The quantisers tell each node.
    logging.disable(logging.INFO)
    photo = sys.argv[1]
    model = network(int(sys.argv[2]) if len(sys.argv) > 2 else 24)
    pixels, config = inputs(model, photo)
    with torch.no_grad():
        logits = torch.cat([model(one[None]) for one in pixels])
    pixels.numpy().astype("<f4").tofile("inputs.f32")
    logits.numpy().astype("<f4").tofile("logits.f32")
    save_file({name: tensor.contiguous() for name, tensor in model.named_parameters()}, f"{PREFIX}.safetensors")
    write_onnx(model, pixels)
    lay_out_for_transformers(config)
    # A file that is wrong natively too says nothing about a browser's runtime.
    for form in FORMS:
        session = onnxruntime.InferenceSession(f"{PREFIX}_{form}.onnx", providers=["CPUExecutionProvider"])
        found = session.run(None, {"pixel_values": pixels[:1].numpy()})[0][0]
        expected = logits[0].numpy()
        same = "the same" if found.argmax() == expected.argmax() else "another"
        print(f"{form}: cosine {cosine(found, expected):.5f} with timm, {same} first class, in native ONNX Runtime")


if __name__ == "__main__":
    main()
