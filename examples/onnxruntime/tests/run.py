#!/usr/bin/env python3
"""run.py LIBRARY: graphs that are rewritten give what they gave before, and graphs that are not known are left alone."""
import contextlib
import io
import os
import sys
import tempfile
import threading

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.dirname(sys.path[0]))
import rewrite as rewrite_graph # noqa: E402
from graphs import Builder, glu, silent_start # noqa: E402

LIBRARY = os.path.abspath(sys.argv[1])
FOLDER = tempfile.mkdtemp()
failures, checks = [], 0


def check(ok, what):
    global checks
    checks += 1
    if not ok:
        failures.append(what)
        print("FAILED:", what, flush=True)


def session(path, threads=2, library=True):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    if library:
        options.register_custom_ops_library(LIBRARY)
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def rewrite(path, *options, sub=""):
    out = os.path.join(FOLDER, sub, "out.onnx")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    if os.path.exists(out):
        os.remove(out)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = rewrite_graph.main([path, out, *options])
    return (out if status == 0 else None), said.getvalue()


def apart(a, b):
    """Relative rms."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return 0.0 if a.size == 0 else float(np.sqrt(np.mean((a - b)**2) / (np.mean(b**2) + 1e-300)))


def saved(model, name="in.onnx", **how):
    path = os.path.join(FOLDER, name)
    onnx.save(model, path, **how)
    return path


# Both sum thousands of products in floats, in different orders: sqrt(n) 2^-24 of y's size. With f16 both round y to 2^-11, and
# ONNX Runtime what lies between as well. MatMulNBits of level 4 rounds x and the intermediate to bytes in both, in other blocks.
TOLERANCE = {"f32": 3e-6, "f16": 2e-3, "int8": 1.5e-2}


def compare(what, model, x, tolerance="f32", sub="", path=None, words="replaced: tamis_ffn_0", options=()):
    path = path or saved(model)
    out, said = rewrite(path, *options, sub=sub)
    check(out is not None and words in said, f"{what}: {words}: {said}")
    if out is None:
        return None
    try:
        before, after = session(path, library=False).run(None, x), session(out).run(None, x)
    except Exception as e: # noqa: BLE001
        check(False, f"{what}: {e}")
        return None
    for a, b in zip(after, before):
        check(a.shape == b.shape and a.dtype == b.dtype and apart(a, b) <= TOLERANCE[tolerance],
              f"{what}: {a.shape} {b.shape}, apart by {apart(a, b):.2e}")
    return out


def left_alone(what, model, word):
    out, said = rewrite(saved(model))
    check(out is None and "left alone" in said and word in said, f"{what} is left alone for {word!r}: {said}")


def simple(dtype="f32", h=64, d=160, shape=("batch", "sequence"), opset=20, **form):
    b = Builder(dtype)
    y, parts = glu(b, "x", h, d, **form)
    return b.model(y, [*shape, h], [*shape, h], opset), parts


def x_of(dtype="f32", *shape, seed=5):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32 if dtype == "f32" else np.float16)


def forms():
    for form in ("silu", "silu_div", "silu_fused", "silu_by_up", "gelu", "gelu_tanh", "gelu_microsoft", "fast_gelu", "gelu_erf",
                 "gelu_by_tanh", "relu", "relu2", "linear"):
        compare(f"form {form}", simple(form=form)[0], {"x": x_of("f32", 2, 3, 64)})
    for kind in ("matmul", "transposed", "constant_node", "fused", "gemm"):
        for bias in (False, True):
            two = kind == "gemm"
            model = simple(kind=kind, bias=bias, shape=("tokens",) if two else ("batch", "sequence"))[0]
            compare(f"{kind}, bias {bias}", model, {"x": x_of("f32", 4, 64) if two else x_of("f32", 1, 4, 64)})
    for fused in ("split", "sizes", "slice", "chunk"):
        for kind in ("matmul", "transposed", "nbits"):
            for bias in (False, True):
                compare(f"gate and up in one, {fused}, {kind}, bias {bias}", simple(fused=fused, kind=kind, bias=bias)[0],
                        {"x": x_of("f32", 1, 2, 64)})
    for form in ("silu", "gelu_by_tanh"):
        compare(f"f16 {form}", simple("f16", form=form, bias=True)[0], {"x": x_of("f16", 1, 3, 64)}, "f16")


def quantised():
    for bits in (2, 4, 8):
        for block in (16, 32, 64, 128, 256):
            for zeros in ("none", "packed", "unpacked"):
                model, parts = simple(h=96, d=320, kind="nbits", bits=bits, block=block, zeros=zeros)
                what, x = f"{bits} bits, blocks of {block}, zero points {zeros}", x_of("f32", 1, 2, 96)
                if bits == 2 or bits == 8 and zeros == "unpacked": # ONNX Runtime 1.23 does not run these itself
                    out, said = rewrite(saved(model))
                    check(out is not None, f"{what}: {said}")
                    far = apart(session(out).run(None, {"x": x})[0].reshape(2, -1), reference(x, parts, None))
                    check(far <= TOLERANCE["f32"], f"{what}: {far:.1e}")
                else:
                    compare(what, model, {"x": x})
    for dtype in ("f32", "f16"):
        for flat in (False, True):
            model = simple(dtype, h=100, d=300, kind="nbits", block=64, flat=flat)[0] # no multiple of the block
            compare(f"{dtype} with a part of a block, flat {flat}", model, {"x": x_of(dtype, 1, 1, 100)}, dtype)
    compare("level 4", simple(kind="nbits", level=4)[0], {"x": x_of("f32", 1, 1, 64)}, "int8", words="in int8")
    compare("bias of MatMulNBits", simple(kind="nbits", bias=True)[0], {"x": x_of("f32", 1, 1, 64)})
    left_alone("g_idx", simple(kind="nbits", g_idx=True)[0], "g_idx")
    left_alone("fractions", simple(kind="nbits", zeros="fractions")[0], "no whole numbers")


def shapes():
    model, _ = simple()
    for shape in ((1, 1), (3, 5), (1, 65), (2, 100), (0, 4), (4, 0)):
        compare(f"tokens {shape}", model, {"x": x_of("f32", *shape, 64)})
    model, _ = simple(shape=())
    compare("one vector", model, {"x": x_of("f32", 64)})
    model, _ = simple(shape=("a", "b", "c"))
    compare("four dimensions", model, {"x": x_of("f32", 2, 2, 3, 64)})


def graphs_around():
    b = Builder() # two layers with residual paths and a norm, and one initializer in both
    x = "x"
    for _ in range(2):
        y, _parts = glu(b, b.op("Mul", x, b.constant(np.float32(0.5) * np.ones(64, np.float32))), 64, 160)
        x = b.op("Add", x, y)
    compare("two layers", b.model(x, [1, "s", 64], [1, "s", 64]), {"x": x_of("f32", 1, 3, 64)}, words="replaced: tamis_ffn_1")

    b = Builder() # three layers with norms in several nodes: nothing else is taken for an FFN
    x, one = "x", b.constant(np.ones(64, np.float32))

    def normed(x):
        mean = b.op("ReduceMean", b.op("Mul", x, x), b.constant(np.array([-1], np.int64)))
        return b.op("Mul", one, b.op("Div", x, b.op("Sqrt", b.op("Add", mean, b.scalar(1e-6)))))
    for _ in range(3):
        x = b.op("Add", x, b.linear(normed(x), 64, 64))
        y, _parts = glu(b, normed(x), 64, 160)
        x = b.op("Add", x, y)
    model = b.model(b.linear(normed(x), 64, 32), [1, "s", 64], [1, "s", 32])
    compare("layers with norms", model, {"x": x_of("f32", 1, 3, 64)}, words="replaced: tamis_ffn_2")
    check("left alone" not in rewrite(saved(model))[1], "layers with norms: " + rewrite(saved(model))[1])

    def shared(kind): # the gate's weights are read by another product, too
        b = Builder()
        y, _parts = glu(b, "x", 64, 160, kind=kind)
        weights = b.initializers[0].name
        of_other = b.op("MatMul", "x", weights if kind == "matmul" else b.op("Transpose", weights, perm=[1, 0]))
        return b.model(b.op("Add", y, b.op("ReduceSum", of_other, b.constant(np.array([-1], np.int64)))), [1, "s", 64], [1, "s", 64])
    for kind in ("matmul", "transposed"):
        compare(f"shared weights, {kind}", shared(kind), {"x": x_of("f32", 1, 3, 64)})

    b = Builder()
    y, _parts = glu(b, "x", 64, 160)
    b.initializers[1] = b.initializers[0].__deepcopy__(None)
    b.initializers[1].name = b.nodes[1].input[1]
    gate = b.nodes[0].input[1]
    del b.initializers[1]
    b.nodes[1].input[1] = gate # gate and up are one matrix
    compare("gate is up", b.model(y, [1, "s", 64], [1, "s", 64]), {"x": x_of("f32", 1, 3, 64)})

    model, _ = simple()
    path = saved(model, "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=0)
    for sub in ("", "other"):
        compare(f"external data, folder {sub!r}", None, {"x": x_of("f32", 1, 3, 64)}, path=path, sub=sub)
    model, _ = simple()
    model.ir_version = 3
    model.graph.input.extend(helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in model.graph.initializer)
    model.opset_import[0].version = 8
    compare("version 3 of the format", model, {"x": x_of("f32", 1, 3, 64)})


def prompts():
    """--prompts: from so many tokens on the graph's own products, to the bit; below, and with masks, the operator's."""
    for what, form in (("matmul", {"bias": True}), ("in one", {"fused": "split"}), ("chunk", {"fused": "chunk"}), ("transposed", {"kind": "transposed"}),
                       ("4 bits", {"kind": "nbits"}), ("gemm", {"kind": "gemm", "shape": ("tokens",)})):
        model, parts = simple(**form)
        path = saved(model)
        out, said = rewrite(path, "--rule", "top_k_fraction=0.5@gate", "--laid-as", "f16", "--prompts", "6")
        check(out is not None and "from 6 tokens on as it was" in said, f"prompts, {what}: {said}")
        own, both = session(path, library=False), session(out)
        for shape in ((6, 64), (9, 64), (5, 64), (1, 64)):
            x = x_of("f32", *(shape if what == "gemm" else (1, *shape)))
            y = both.run(None, {"x": x})[0]
            if shape[0] < 6:
                far = apart(y.reshape(-1, 64), reference(x, parts, "gate"))
                check(far <= 1e-3, f"prompts, {what}, {shape}: {far:.1e}")
            else:
                check(np.array_equal(y, own.run(None, {"x": x})[0]), f"prompts, {what}, {shape}: the same bits")

    b = Builder() # two layers with a norm, one of whose values both of an If's graphs read
    x = "x"
    for _ in range(2):
        y, _parts = glu(b, b.op("Mul", x, b.constant(np.float32(0.5) * np.ones(64, np.float32))), 64, 160)
        x = b.op("Add", x, y)
    model = b.model(x, [1, "s", 64], [1, "s", 64])
    for tokens in (2, 4):
        compare(f"prompts, two layers, {tokens}", model, {"x": x_of("f32", 1, 3, 64)}, words="replaced: tamis_ffn_1",
                options=("--prompts", str(tokens)))


def near_misses():
    """What looks like an FFN in a way that no exporter of the others has: done rightly, or left alone with a word."""
    b = Builder() # weights with a dimension more
    w = [b.constant(b.random(1, 64, 160, scale=0.1)) for _ in range(2)] + [b.constant(b.random(1, 160, 64, scale=0.1))]
    g, u = b.op("MatMul", "x", w[0]), b.op("MatMul", "x", w[1])
    either_way("3-D weights", b.model(b.op("MatMul", b.op("Mul", b.op("Relu", g), u), w[2]), [1, "s", 64], [1, "s", 64]))

    b = Builder() # one set of weights in two layers
    x = "x"
    g, u, d = (b.constant(b.random(*shape, scale=0.1)) for shape in ((64, 160), (64, 160), (160, 64)))
    for _ in range(2):
        x = b.op("Add", x, b.op("MatMul", b.op("Mul", b.op("Relu", b.op("MatMul", x, g)), b.op("MatMul", x, u)), d))
    compare("tied layers", b.model(x, [1, "s", 64], [1, "s", 64]), {"x": x_of("f32", 1, 3, 64)}, words="replaced: tamis_ffn_1")

    for what, act in (("BiasGelu", lambda b, z: b.op("BiasGelu", z, b.constant(b.random(160)), domain="com.microsoft")),
                      ("FastGelu with a bias", lambda b, z: b.op("FastGelu", z, b.constant(b.random(160)), domain="com.microsoft")),
                      ("HardSwish", lambda b, z: b.op("HardSwish", z)), ("LeakyRelu", lambda b, z: b.op("LeakyRelu", z)),
                      ("Mish", lambda b, z: b.op("Mul", z, b.op("Tanh", b.op("Softplus", z)))), ("Elu", lambda b, z: b.op("Elu", z)),
                      ("a limit", lambda b, z: b.op("Mul", b.op("Min", z, b.scalar(1)), b.op("Sigmoid", b.op("Min", z, b.scalar(1))))),
                      ("a softmax", lambda b, z: b.op("Softmax", z)), ("a PRelu", lambda b, z: b.op("PRelu", z, b.scalar(0.2))),
                      ("QuickGelu without a factor", lambda b, z: b.op("QuickGelu", z, domain="com.microsoft")),
                      ("ThresholdedRelu", lambda b, z: b.op("ThresholdedRelu", z)), ("a cast", lambda b, z: b.op("Cast", b.op("Relu", z), to=1)),
                      ("a cast to whole numbers", lambda b, z: b.op("Cast", b.op("Cast", b.op("Relu", z), to=7), to=1)),
                      ("steps", lambda b, z: b.op("Cast", b.op("Greater", z, b.scalar(0)), to=1)),
                      ("Clip from 0", lambda b, z: b.op("Clip", z, b.scalar(0)))):
        b = Builder()
        g, u = b.linear("x", 64, 160), b.linear(b.op("Identity", "x"), 64, 160)
        either_way(what, b.model(b.linear(b.op("Mul", act(b, g), u), 160, 64), [1, "s", 64], [1, "s", 64]))

    for what, value in (("beta", 0.5), ("alpha", 2.0)):
        b = Builder()
        g, u = b.linear("x", 64, 160, "gemm", True), b.linear("x", 64, 160, "gemm", True)
        y = b.linear(b.op("Mul", b.op("Relu", g), u), 160, 64, "gemm", True)
        b.nodes[0].attribute.append(helper.make_attribute(what, value))
        either_way(f"Gemm with {what}", b.model(y, ["s", 64], ["s", 64]), (3, 64))
    for bits, block, inputs in ((4, 32, 96), (4, 16, 80), (8, 32, 96)): # zero points with half a byte over
        for bias in (False, True):
            compare(f"{bits} bits, {-(-inputs // block)} blocks", simple(h=inputs, d=224, kind="nbits", bits=bits, block=block, bias=bias)[0],
                    {"x": x_of("f32", 1, 2, inputs)})
    model, _ = simple(kind="nbits") # zero points that a caller may give
    zeros = [n for n in model.graph.node if n.op_type == "MatMulNBits"][0].input[3]
    t = [t for t in model.graph.initializer if t.name == zeros][0]
    model.graph.input.append(helper.make_tensor_value_info(t.name, t.data_type, t.dims))
    left_alone("zero points of a caller", model, "input of the graph")
    path = saved(simple(kind="nbits", zeros="unpacked")[0], "nbits.onnx", save_as_external_data=True, location="nbits.bin", size_threshold=0)
    compare("external codes and zero points", None, {"x": x_of("f32", 1, 3, 64)}, path=path)


def either_way(what, model, shape=(1, 3, 64)):
    """The same as before, or left alone with a word."""
    path = saved(model)
    out, said = rewrite(path)
    if out is None:
        check("left alone" in said, f"{what}: {said}")
        return
    x = {"x": x_of("f32", *shape)}
    far = apart(session(out).run(None, x)[0], session(path, library=False).run(None, x)[0])
    check(far <= TOLERANCE["f32"], f"{what}: replaced, and apart by {far:.1e}: {said}")


def not_known():
    model, _ = simple()
    t = model.graph.initializer[1]
    model.graph.input.append(helper.make_tensor_value_info(t.name, t.data_type, t.dims))
    left_alone("weights that a caller may override", model, "input of the graph")
    for index, what in ((0, "gate"), (2, "sigmoid")):
        model, _ = simple()
        value = model.graph.node[index].output[0]
        model.graph.output.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, None))
        left_alone(f"{what} as an output", model, "output of the graph")
        b = Builder()
        y, _parts = glu(b, "x", 64, 160)
        extra = b.op("ReduceMax", b.nodes[index].output[0])
        b.extra_outputs.append(helper.make_tensor_value_info(extra, TensorProto.FLOAT, None))
        left_alone(f"a second reader of {what}", b.model(y, [1, "s", 64], [1, "s", 64]), "is read by")
    left_alone("tanh", simple(form="tanh")[0], "none of silu")
    left_alone("QuickGelu of 1.702", simple(form="quick_gelu")[0], "none of silu")

    b = Builder() # a reader in a subgraph
    y, _parts = glu(b, "x", 64, 160)
    inner = helper.make_graph([helper.make_node("Mul", [b.nodes[0].output[0]] * 2, ["r"])], "then", [],
                              [helper.make_tensor_value_info("r", TensorProto.FLOAT, None)])
    b.nodes.append(helper.make_node("If", [b.constant(np.array(True))], ["of_if"], then_branch=inner, else_branch=inner))
    b.extra_outputs.append(helper.make_tensor_value_info("of_if", TensorProto.FLOAT, None))
    left_alone("a reader in a subgraph", b.model(y, [1, "s", 64], [1, "s", 64]), "is read by If")

    def changed(change):
        b = Builder()
        g, u = b.linear("x", 64, 160), b.linear("x", 64, 160)
        return b, g, u, change

    b, g, u, _ = changed(None) # a factor behind the product
    i = b.op("Mul", b.op("Mul", b.op("Mul", g, b.op("Sigmoid", g)), u), b.scalar(0.5))
    left_alone("a factor", b.model(b.linear(i, 160, 64), [1, "s", 64], [1, "s", 64]), "none of silu")
    b, g, u, _ = changed(None) # a factor a neuron
    i = b.op("Mul", b.op("Mul", b.op("Mul", g, b.op("Sigmoid", g)), u), b.constant(np.ones(160, np.float32)))
    left_alone("a factor a neuron", b.model(b.linear(i, 160, 64), [1, "s", 64], [1, "s", 64]), "between its layers")
    b = Builder() # up of another x
    g, u = b.linear("x", 64, 160), b.linear(b.op("Relu", "x"), 64, 160)
    i = b.op("Mul", b.op("Mul", g, b.op("Sigmoid", g)), u)
    left_alone("up of another x", b.model(b.linear(i, 160, 64), [1, "s", 64], [1, "s", 64]), "gate reads")
    b = Builder() # an adapter at gate
    g, u = b.linear("x", 64, 160), b.linear("x", 64, 160)
    g = b.op("Add", g, b.linear(b.linear("x", 64, 4), 4, 160))
    i = b.op("Mul", b.op("Mul", g, b.op("Sigmoid", g)), u)
    left_alone("an adapter", b.model(b.linear(i, 160, 64), [1, "s", 64], [1, "s", 64]), "between x and down")
    b = Builder() # no gate
    left_alone("an FFN without a gate", b.model(b.linear(b.op("Gelu", b.linear("x", 64, 160)), 160, 64), [1, "s", 64], [1, "s", 64]),
               "without a gate")
    b = Builder() # quantised weights that are not known
    w = b.op("DequantizeLinear", b.constant(np.ones((64, 160), np.int8)), b.constant(np.float32(0.01)))
    i = b.op("Mul", b.op("Relu", b.op("MatMul", "x", w)), b.linear("x", 64, 160))
    left_alone("QDQ weights", b.model(b.linear(i, 160, 64), [1, "s", 64], [1, "s", 64]), "made by DequantizeLinear")


def kept_half(values):
    """top_k_fraction=.5: floor(n / 2) entries, ties kept, zeros never."""
    v = np.abs(values)
    cut = np.sort(v)[::-1][len(v) // 2 - 1]
    return (v >= cut) & (v > 0)


def reference(x, parts, site):
    """The FFN in double, with half of the entries at a site; and which neurons (or inputs) were kept."""
    (wg, bg), (wu, bu), (wd, bd) = parts
    x = np.asarray(x, np.float64).reshape(-1, wg.shape[0])
    out = []
    for row in x:
        row = np.where(kept_half(row), row, 0) if site == "input" else row
        z, u = row @ wg + bg, row @ wu + bu
        g = z / (1 + np.exp(-z))
        g = np.where(kept_half(g), g, 0) if site == "gate" else g
        u = np.where(kept_half(u), u, 0) if site == "up" else u
        i = g * u
        i = np.where(kept_half(i), i, 0) if site == "intermediate" else i
        out.append(i @ wd + bd)
    return np.array(out)


def masks():
    read = {"input": 2 / 3, "gate": 2 / 3, "up": 2 / 3, "intermediate": 5 / 6} # of the bytes
    for what, form, of_q in (("matmul", {"kind": "matmul"}, 0), ("transposed", {"kind": "transposed", "bias": True}, 0),
                             ("in one", {"kind": "matmul", "fused": "split"}, 0), ("4 bits", {"kind": "nbits", "h": 128, "d": 256}, 8e-3),
                             ("8 bits", {"kind": "nbits", "bits": 8, "h": 128, "d": 256, "zeros": "none"}, 1.2e-2)):
        model, parts = simple(**form)
        path, h = saved(model), parts[0][0].shape[0]
        for site, share in read.items():
            for laid_as in ("q8_0", "f16") if of_q else ("q8_0",):
                out, said = rewrite(path, "--rule", f"top_k_fraction=0.5@{site}", "--laid-as", laid_as, "--traffic")
                check(out is not None, f"{what}: {said}")
                x = x_of("f32", 1, 1, h, seed=7)
                y, traffic = session(out).run(None, {"x": x})
                # transposed into q8_0 weights round to 1/254 of a block's largest, into f16 to 2^-11
                allowed = (of_q if laid_as == "q8_0" else 1e-3) if of_q else 2e-5
                far = apart(y.reshape(1, -1), reference(x, parts, site))
                check(far <= allowed, f"masks, {what}, {site}, {laid_as}: {far:.1e}")
                if not of_q: # all matrices in one format: the shares are those of the numbers
                    check(abs(traffic[0] / traffic[1] - share) < 0.01, f"bytes, {what}, {site}: {traffic}")
                many = x_of("f32", 2, 3, h, seed=8) # each token has masks of its own
                far = apart(session(out).run(None, {"x": many})[0].reshape(6, -1), reference(many, parts, site))
                check(far <= allowed, f"masks of six tokens, {what}, {site}, {laid_as}: {far:.1e}")


def rules():
    model, _ = simple()
    path = saved(model)
    for rule in ("top_p=0.9@input,intermediate", "max_p=0.05@gate", "threshold=0.1@up;top_k=50@intermediate", "nonzero@intermediate",
                 "cett=0.01@intermediate", "top_k_fraction=0.5", "power(2):top_p=0.9 & at_least(3):threshold=.01"):
        out, said = rewrite(path, "--rule", rule)
        y = session(out).run(None, {"x": x_of("f32", 1, 2, 64)})[0]
        check(np.isfinite(y).all(), f"rule {rule}: {said}")
    for rule, word in (("top_q=1", "no rule 'top_q'"), ("top_p=2", "in [0, 1]"), ("top_p=x", "must be a number"), ("top_p=.5@middle", "no site"),
                       ("cett=0.1@gate", "a number for each entry"), ("top_p=.5;max_p=.1", "two rules at intermediate")):
        out, _said = rewrite(path, "--rule", rule)
        try:
            session(out)
            check(False, f"rule {rule} is refused")
        except Exception as e: # noqa: BLE001
            check(word in str(e), f"rule {rule}: {word!r} in {e}")
    plan = os.path.join(FOLDER, "plan.json")
    with open(plan, "w", encoding="utf-8") as file:
        file.write('{"rules": [{"layer": 0, "site": "intermediate", "rule": "threshold", "value": 0.05}]}')
    out, said = rewrite(path, "--plan", plan)
    check(out is not None and "threshold=0.05@intermediate" in said, f"plan: {said}")
    with open(plan, "w", encoding="utf-8") as file:
        file.write('{"layers": 2, "rules": [{"layer": 1, "site": "intermediate", "rule": "threshold", "value": 0.05}]}')
    try:
        rewrite(path, "--plan", plan)
        check(False, "a plan for another number of layers is refused")
    except SystemExit as e:
        check("2 layers, but 1" in str(e), f"plan: {e}")


def wrong_nodes():
    """What rewrite.py never writes: a status, and the process lives."""
    model, _ = simple()
    out, _said = rewrite(saved(model))
    good = onnx.load(out)

    def broken(change, word, run=False):
        model = onnx.ModelProto()
        model.CopyFrom(good)
        change(model, [n for n in model.graph.node if n.op_type == "GluFfn"][0])
        path = saved(model, "broken.onnx")
        try:
            made = session(path)
            if run:
                made.run(None, {"x": x_of("f32", 1, 1, 64)})
            check(False, f"{word}: refused")
        except Exception as e: # noqa: BLE001
            check(word in str(e), f"{word!r} in {e}")

    def set_to(name, value):
        def change(_model, node):
            for a in list(node.attribute):
                if a.name == name:
                    node.attribute.remove(a)
            if value is not None:
                node.attribute.append(helper.make_attribute(name, value))
        return change

    broken(set_to("activation", "snake"), "no gating 'snake'")
    broken(set_to("gate_first", 1), "outputs")
    broken(set_to("gate_outputs", 10), "W_up has 160 neurons, W_gate 10")
    broken(set_to("gate_first", -1), "gate_first")
    broken(set_to("tensors", "gate up"), "tensors")
    broken(set_to("tensors", "gate up daun"), "down is not there")
    broken(set_to("laid_as", "q3"), "laid_as")
    broken(set_to("gate_bits", 4), "gate_inputs")
    broken(set_to("rules", None), "rules")
    for bits, block in ((3, 32), (4, 48), (4, 0), (16, 32)):
        def quantise(model, node, bits=bits, block=block):
            for name, value in (("gate_bits", bits), ("gate_block", block), ("gate_inputs", 64)):
                set_to(name, value)(model, node)
        broken(quantise, "are known")

    def as_input(model, node):
        t = [t for t in model.graph.initializer if t.name == node.input[2]][0]
        model.graph.input.append(helper.make_tensor_value_info(t.name, t.data_type, t.dims))
    broken(as_input, "no constant initializer")

    def narrow(model, _node):
        del model.graph.input[0].type.tensor_type.shape.dim[:]
        for name in ("a", "b", "c"):
            model.graph.input[0].type.tensor_type.shape.dim.add().dim_param = name
    model = onnx.ModelProto()
    model.CopyFrom(good)
    narrow(model, None)
    try:
        session(saved(model, "narrow.onnx")).run(None, {"x": x_of("f32", 1, 1, 60)})
        check(False, "60 columns are refused")
    except Exception as e: # noqa: BLE001
        check("64 columns, got 60" in str(e), f"60 columns: {e}")


def brains():
    """bfloat16, which ONNX Runtime's own MatMul does not have on processors: against numpy."""
    rng = np.random.default_rng(2)
    bits = lambda a: (np.asarray(a, np.float32).view(np.uint32) >> 16).astype(np.uint16)
    wide = lambda a: (a.astype(np.uint32) << 16).view(np.float32)
    tensors = [bits(rng.standard_normal(s) * 0.1) for s in ((64, 160), (64, 160), (160, 64))]
    b = Builder()
    b.initializers = [helper.make_tensor(n, TensorProto.BFLOAT16, t.shape, t.tobytes(), raw=True) for n, t in zip("gud", tensors)]
    g, u = b.op("MatMul", "xb", "g"), b.op("MatMul", "xb", "u")
    y = b.op("MatMul", b.op("Mul", b.op("Mul", g, b.op("Sigmoid", g)), u), "d")
    b.nodes.insert(0, helper.make_node("Cast", ["x"], ["xb"], to=TensorProto.BFLOAT16))
    y = b.op("Cast", y, to=TensorProto.FLOAT)
    out, said = rewrite(saved(b.model(y, [1, "s", 64], [1, "s", 64])))
    check(out is not None, f"bfloat16: {said}")
    x = wide(bits(rng.standard_normal((1, 3, 64))))
    g, u, d = (wide(t).astype(np.float64) for t in tensors)
    z = x @ g
    far = apart(session(out).run(None, {"x": x})[0], (z / (1 + np.exp(-z)) * (x @ u)) @ d)
    check(far <= 4e-3, f"bfloat16: {far:.1e}") # y is rounded to 2^-9


def threads():
    model, _ = simple(h=256, d=704)
    out, _said = rewrite(saved(model), "--rule", "top_p=0.9@input,intermediate")
    xs = [x_of("f32", 1, 1 + i % 3, 256, seed=i) for i in range(16)]
    one = session(out, 1)
    wanted = [one.run(None, {"x": x})[0] for x in xs]
    for count in (1, 2, 3):
        shared, got = session(out, count), {}

        def work(first):
            for _round in range(5):
                for i in range(first, len(xs), 4):
                    got[first, _round, i] = shared.run(None, {"x": xs[i]})[0]
        each = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in each:
            t.start()
        for t in each:
            t.join()
        check(len(got) == 80 and all(np.array_equal(y, wanted[k[2]]) for k, y in got.items()),
              f"one session on four threads, a pool of {count}: the same bits")


if __name__ == "__main__":
    silent_start(ort)
    for part in (forms, quantised, shapes, graphs_around, prompts, near_misses, not_known, masks, rules, wrong_nodes, brains, threads):
        part()
        print(f"{part.__name__}: {checks} checks, {len(failures)} failures", flush=True)
    sys.exit(1 if failures else 0)
