"""BEiTv2-large's shape with random weights in PyTorch and ONNX Runtime on an NVIDIA GPU, where they are installed.

python3 peers.py BATCH,… SECONDS prints a record a line, as `gpu-report` reads them. What it can't measure it says.
"""

import importlib.util
import inspect
import json
import os
import sys
import tempfile
import threading
import time

WIDTH, DEPTH, HEADS, MLP, CLASSES, TOKENS = 1024, 24, 16, 4096, 1000, 197
PASSES, PASS_SECONDS = 20, 1.5


def emit(record, **fields):
    print(json.dumps({"record": record, **fields}), flush=True)


def skip(what, why):
    emit("not_measured", what=what, why=" ".join(str(why).split())[:500])


def end_with_parent():
    """Whoever started this holds its stdin open."""
    sys.stdin.read()
    os._exit(1)


def measure(program, arithmetic, batch, run, deadline):
    """`run` returns once the GPU has the logits."""
    for _ in range(3):
        run()
    passes, begun = [], time.perf_counter()
    while not passes or (
        len(passes) < PASSES and time.perf_counter() - begun < PASS_SECONDS and time.monotonic() < deadline
    ):
        start = time.perf_counter()
        run()
        passes.append((time.perf_counter() - start) * 1e3 / batch)
    ordered = sorted(passes)
    emit(
        "peer",
        program=program,
        arithmetic=arithmetic,
        batch=batch,
        ms=ordered[len(ordered) // 2],
        least_ms=ordered[0],
        most_ms=ordered[-1],
        passes=len(passes),
    )


def make_model(torch):
    """BEiTv2-large: the network's operations, with a bias for keys too and the position bias already gathered."""
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
            self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.fc1, self.fc2 = nn.Linear(WIDTH, MLP), nn.Linear(MLP, WIDTH)
            self.gamma_1, self.gamma_2 = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.ones(WIDTH))
            self.register_buffer("bias", torch.randn(1, HEADS, TOKENS, TOKENS))

        def forward(self, x):
            batch = x.shape[0]
            qkv = self.qkv(self.norm1(x)).reshape(batch, TOKENS, 3, HEADS, WIDTH // HEADS)
            q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
            y = functional.scaled_dot_product_attention(q, k, v, attn_mask=self.bias)
            x = x + self.gamma_1 * self.proj(y.transpose(1, 2).reshape(batch, TOKENS, WIDTH))
            return x + self.gamma_2 * self.fc2(functional.gelu(self.fc1(self.norm2(x))))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(3, WIDTH, 16, 16)
            self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
            self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
            self.norm, self.head = nn.LayerNorm(WIDTH, eps=1e-6), nn.Linear(WIDTH, CLASSES)

        def forward(self, pixels):
            x = self.patch(pixels).flatten(2).transpose(1, 2)
            x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1)
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x[:, 1:].mean(1)))

    torch.manual_seed(0)
    return Network().eval()


def graph_of(torch, model, pixels):
    """The model as a CUDA graph: without the time that Python takes for each operation."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            model(pixels)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = model(pixels)
    return graph, out


def with_torch(batches, deadline):
    import torch

    if not torch.cuda.is_available():
        skip("PyTorch", f"PyTorch {torch.__version__} sees no CUDA device")
        return
    name = f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}"
    variants = [
        ("F16", torch.float16, False),
        ("F32", torch.float32, False),
        ("F32 with TF32 products", torch.float32, True),
        ("BF16", torch.bfloat16, False),
    ]
    for arithmetic, kind, tf32 in variants:
        if time.monotonic() > deadline:
            skip(f"PyTorch in {arithmetic}", "the time was over")
            continue
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        try:
            model = make_model(torch).to("cuda", kind)
        except Exception as error:
            skip(f"PyTorch in {arithmetic}", error)
            continue
        for batch in batches:
            if time.monotonic() > deadline:
                skip(f"PyTorch in {arithmetic}, {batch} photos a pass", "the time was over")
                continue
            pixels = torch.randn(batch, 3, 224, 224, device="cuda", dtype=kind)
            with torch.inference_mode():
                try:
                    measure(name, arithmetic, batch, lambda: model(pixels).float().cpu(), deadline)
                except Exception as error:
                    skip(f"PyTorch in {arithmetic}, {batch} photos a pass", error)
                    continue
                try:
                    graph, out = graph_of(torch, model, pixels)

                    def replay():
                        graph.replay()
                        out.float().cpu()

                    measure(f"{name}, CUDA graph", arithmetic, batch, replay, deadline)
                except Exception as error:
                    skip(f"PyTorch's CUDA graph in {arithmetic}, {batch} photos a pass", error)
        del model
        torch.cuda.empty_cache()


def with_onnxruntime(batches, deadline):
    import onnxruntime

    known = onnxruntime.get_available_providers()
    providers = [
        provider for provider in ("CUDAExecutionProvider", "TensorrtExecutionProvider") if provider in known
    ]
    if not providers:
        skip("ONNX Runtime", f"version {onnxruntime.__version__} has neither CUDA nor TensorRT, only {known}")
        return
    if importlib.util.find_spec("torch") is None:
        skip("ONNX Runtime", "PyTorch, which makes the model's file here, is not installed")
        return
    import numpy
    import torch

    model = make_model(torch)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.onnx")
        options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
        names = {"input_names": ["pixels"], "output_names": ["logits"]}
        axes = {"dynamic_axes": {"pixels": {0: "batch"}, "logits": {0: "batch"}}}
        torch.onnx.export(model, torch.randn(2, 3, 224, 224), file, opset_version=17, **names, **axes, **options)
        for provider in providers:
            session = onnxruntime.InferenceSession(file, providers=[provider])
            if provider not in session.get_providers():
                skip(f"ONNX Runtime, {provider}", "it can't be loaded; ONNX Runtime fell back to the processor")
                continue
            for batch in batches:
                if time.monotonic() > deadline:
                    skip(f"ONNX Runtime, {provider}, {batch} photos a pass", "the time was over")
                    continue
                pixels = numpy.random.default_rng(0).standard_normal((batch, 3, 224, 224)).astype("<f4")
                name = f"ONNX Runtime {onnxruntime.__version__}, {provider}"
                measure(name, "F32", batch, lambda: session.run(None, {"pixels": pixels}), deadline)


def main():
    batches = [int(batch) for batch in sys.argv[1].split(",")]
    deadline = time.monotonic() + float(sys.argv[2])
    threading.Thread(target=end_with_parent, daemon=True).start()
    for program, module, run in [
        ("PyTorch", "torch", with_torch),
        ("ONNX Runtime", "onnxruntime", with_onnxruntime),
    ]:
        if importlib.util.find_spec(module) is None:
            skip(program, f"{sys.executable} has no module {module}")
        elif time.monotonic() > deadline:
            skip(program, "the time was over")
        else:
            try:
                run(batches, deadline)
            except Exception as error:
                skip(program, f"{type(error).__name__}: {error}")


main()
