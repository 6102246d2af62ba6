"""BEiTv2-large with random weights as ONNX: F32, int8 (dynamic, per channel) and 4-bit (blocks of 32, computed in
int8); and eight random inputs.

python make_model.py [BLOCKS]: with fewer of its 24 blocks, in F32 alone, for a GPU that is imitated on a processor.
"""

import sys

import numpy as np
import timm
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

torch.manual_seed(0)
blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 24
file = "beitv2_large_f32.onnx" if blocks == 24 else f"beitv2_large_{blocks}_blocks_f32.onnx"
model = timm.create_model("beitv2_large_patch16_224", pretrained=False, depth=blocks).eval()
random = torch.Generator().manual_seed(1234)
with torch.no_grad():
    for name, tensor in model.named_parameters():
        if name.endswith(("gamma_1", "gamma_2")):
            tensor.copy_(0.3 + 0.1 * torch.randn(tensor.shape, generator=random))
        elif name.endswith("relative_position_bias_table"):
            tensor.copy_(0.5 * torch.randn(tensor.shape, generator=random))
        elif name.endswith("bias") or name in ("head.weight", "cls_token"):
            tensor.copy_(0.02 * torch.randn(tensor.shape, generator=random))
        elif tensor.ndim == 2:
            # timm's trunc_normal_ may yield a value of -100 deviations, which would ruin the scales.
            tensor[tensor.abs() > 8 * tensor.std()] = 0
pixels = torch.randn(1, 3, 224, 224, generator=random)
torch.onnx.export(
    model,
    (pixels,),
    file,
    input_names=["pixel_values"],
    output_names=["logits"],
    opset_version=17,
    dynamo=False,
    do_constant_folding=True,
)
if blocks == 24:
    quantize_dynamic(
        file,
        "beitv2_large_int8.onnx",
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    four_bits = MatMulNBitsQuantizer(file, block_size=32, is_symmetric=True, accuracy_level=4)
    four_bits.process()
    four_bits.model.save_model_to_file("beitv2_large_q4.onnx")
np.random.default_rng(0).standard_normal((8, 3, 224, 224)).astype("<f4").tofile("inputs.f32")
