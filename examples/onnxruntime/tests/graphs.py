"""Graphs of gated FFNs as exporters write them, with random weights; small enough to look at."""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

MS = "com.microsoft"
TYPES = {"f32": (TensorProto.FLOAT, np.float32), "f16": (TensorProto.FLOAT16, np.float16)}


class Builder:
    """Nodes and initializers of a graph; names are given as they come."""

    def __init__(self, dtype="f32", seed=0):
        self.type, self.numpy = TYPES[dtype]
        self.nodes, self.initializers, self.inputs, self.extra_outputs = [], [], [], []
        self.rng, self.count = np.random.default_rng(seed), 0
        self.weights = {} # what each layer multiplies by, [in, out], in float64

    def name(self, what):
        self.count += 1
        return f"{what}_{self.count}"

    def op(self, kind, *inputs, domain="", outputs=1, **attributes):
        out = [self.name(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), out, name=self.name("n"), domain=domain, **attributes))
        return out[0] if outputs == 1 else out

    def constant(self, array, name=None):
        name = name or self.name("c")
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def scalar(self, value):
        return self.constant(np.asarray(value, dtype=self.numpy))

    def random(self, *shape, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(self.numpy)

    def linear(self, x, inputs, outputs, kind="matmul", bias=False, **quantised):
        """One layer; also its weights by its output's name."""
        if kind == "nbits":
            return self.nbits(x, inputs, outputs, bias=bias, **quantised)
        w = self.rng.standard_normal((inputs, outputs), np.float32).astype(self.numpy) * self.numpy(inputs**-0.5)
        b = self.random(outputs, scale=0.3) if bias else None
        if kind == "matmul":
            y = self.op("MatMul", x, self.constant(w))
        elif kind == "transposed":
            y = self.op("MatMul", x, self.op("Transpose", self.constant(np.ascontiguousarray(w.T)), perm=[1, 0]))
        elif kind == "constant_node":
            node = self.name("k")
            self.nodes.append(helper.make_node("Constant", [], [node], value=numpy_helper.from_array(w)))
            y = self.op("MatMul", x, node)
        elif kind == "fused":
            y = self.op("FusedMatMul", x, self.constant(np.ascontiguousarray(w.T)), domain=MS, transB=1)
        else:
            of_gemm = [self.constant(np.ascontiguousarray(w.T))] + ([self.constant(b)] if bias else [])
            y = self.op("Gemm", x, *of_gemm, transB=1)
        if bias and kind != "gemm":
            y = self.op("Add", self.constant(b), y)
        self.weights[y] = (w.astype(np.float64), b.astype(np.float64) if bias else 0.0)
        return y

    def nbits(self, x, inputs, outputs, bits=4, block=32, zeros="packed", bias=False, g_idx=False, level=0, flat=False, fast=False):
        blocks = -(-inputs // block)
        if fast: # large ones, whose weights nobody wants to know
            b = np.frombuffer(self.rng.bytes(outputs * blocks * block * bits // 8), np.uint8).reshape(outputs, blocks, -1)
            scales = np.full((outputs, blocks), 2.0**(1 - bits) / inputs**0.5, np.float32)
            y = self.op("MatMulNBits", x, self.constant(b), self.constant(scales), domain=MS, K=inputs, N=outputs, bits=bits,
                        block_size=block, accuracy_level=level)
            self.weights[y] = None
            return y
        codes = self.rng.integers(0, 2**bits, (outputs, blocks * block))
        scales = (self.rng.random((outputs, blocks)) * 0.02 + 0.01).astype(self.numpy)
        zero = self.rng.integers(0, 2**bits, (outputs, blocks)) if zeros != "none" else np.full((outputs, blocks), 2**(bits - 1))
        if zeros == "fractions":
            zero = zero + 0.5
        each = 8 // bits

        def pack(a): # along the last axis, from the low bits up
            a = np.pad(a, [(0, 0), (0, -a.shape[1] % each)]).reshape(a.shape[0], -1, each)
            return sum(a[..., k] << (bits * k) for k in range(each)).astype(np.uint8)

        b = pack(codes).reshape(outputs, blocks, block * bits // 8)
        inputs_of = [x, self.constant(b), self.constant(scales.reshape(-1) if flat else scales)]
        if zeros == "packed":
            packed = pack(zero)
            inputs_of.append(self.constant(packed.reshape(-1) if flat else packed))
        elif zeros in ("unpacked", "fractions"):
            inputs_of.append(self.constant(zero.astype(self.numpy)))
        else:
            inputs_of.append("")
        given = self.random(outputs, scale=0.3)
        inputs_of += [self.constant((np.arange(blocks * block) // block).astype(np.int32)) if g_idx else "",
                      self.constant(given) if bias else ""]
        while not inputs_of[-1]:
            inputs_of.pop()
        y = self.op("MatMulNBits", *inputs_of, domain=MS, K=inputs, N=outputs, bits=bits, block_size=block, accuracy_level=level)
        w = (codes - np.repeat(zero, block, axis=1)) * np.repeat(scales.astype(np.float64), block, axis=1)
        self.weights[y] = (w[:, :inputs].T, given.astype(np.float64) if bias else 0.0)
        return y

    def model(self, y, x_shape, y_shape, opset=20, ir=10):
        value = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, "g", [value("x", self.type, x_shape)] + self.inputs,
                                  [value(y, self.type, y_shape)] + self.extra_outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)], ir_version=ir)


def activated(b, z, form):
    """sigma(z), in the forms that exporters have for it."""
    mul, add = lambda x, y: b.op("Mul", x, y), lambda x, y: b.op("Add", x, y)
    if form == "silu":
        return mul(z, b.op("Sigmoid", z))
    if form == "silu_div":
        return b.op("Div", z, add(b.scalar(1), b.op("Exp", b.op("Neg", z))))
    if form == "silu_fused":
        return b.op("QuickGelu", z, domain=MS, alpha=1.0)
    if form == "quick_gelu":
        return b.op("QuickGelu", z, domain=MS, alpha=1.702)
    if form == "gelu":
        return b.op("Gelu", z)
    if form == "gelu_tanh":
        return b.op("Gelu", z, approximate="tanh")
    if form == "gelu_microsoft":
        return b.op("Gelu", z, domain=MS)
    if form == "fast_gelu":
        return b.op("FastGelu", z, domain=MS)
    if form == "gelu_erf":
        return mul(mul(z, add(b.op("Erf", b.op("Div", z, b.scalar(2**0.5))), b.scalar(1))), b.scalar(0.5))
    if form == "gelu_by_tanh":
        cubed = b.op("Pow", z, b.scalar(3))
        inner = mul(b.scalar((2 / np.pi)**0.5), add(z, mul(b.scalar(0.044715), cubed)))
        return mul(mul(b.scalar(0.5), z), add(b.scalar(1), b.op("Tanh", inner)))
    if form == "relu2":
        r = b.op("Relu", z)
        return mul(r, r)
    return {"relu": lambda: b.op("Relu", z), "linear": lambda: z, "tanh": lambda: b.op("Tanh", z)}[form]()


def glu(b, x, h, d, form="silu", kind="matmul", bias=False, fused=None, **quantised):
    """down(sigma(gate) * up) of x; returns y and (gate, up, down) as weights and biases."""
    if fused:
        both = b.linear(x, h, 2 * d, kind, bias, **quantised)
        if fused == "split":
            g, u = b.op("Split", both, outputs=2, axis=-1, num_outputs=2)
        elif fused == "sizes":
            u, g = b.op("Split", both, b.constant(np.array([d, d], np.int64)), outputs=2, axis=-1)
        elif fused == "chunk": # as torch exports x.chunk(2, -1): sizes are calculated
            whole = lambda *v: b.constant(np.array(v if v else 0, np.int64))
            size = b.op("Gather", b.op("Shape", both), b.constant(np.array([-1], np.int64)), axis=0)
            half = b.op("Div", b.op("Add", size, whole(1)), whole(2))
            ends = [b.op("Mul", half, whole(k)) for k in (1, 2)]
            g = b.op("Slice", both, whole(0), ends[0], whole(-1))
            u = b.op("Slice", both, ends[0], ends[1], whole(-1))
        else:
            part = lambda first, end: b.op("Slice", both, *(b.constant(np.array([v], np.int64)) for v in (first, end, -1)))
            g, u = part(0, d), part(d, 2**31)
        w, c = b.weights[both]
        c = c + np.zeros(2 * d)
        halves = (w[:, :d], c[:d]), (w[:, d:], c[d:])
        of_gate, of_up = halves[::-1] if fused == "sizes" else halves
    else:
        g, u = b.linear(x, h, d, kind, bias, **quantised), b.linear(x, h, d, kind, bias, **quantised)
        of_gate, of_up = b.weights[g], b.weights[u]
    if form == "silu_by_up": # z * (sigmoid(z) * u)
        i = b.op("Mul", g, b.op("Mul", b.op("Sigmoid", g), u))
    else:
        i = b.op("Mul", u, activated(b, g, form))
    y = b.linear(i, d, h, kind, bias, **quantised)
    return y, (of_gate, of_up, b.weights[y])


def silent_start(ort):
    """The first session of a process. Debian's onnx and onnxruntime share a library that says at length, then, that it knows its
    operators already; nothing else comes of it."""
    b = Builder()
    y = b.op("Relu", "x")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        ort.InferenceSession(b.model(y, [1], [1]).SerializeToString(), providers=["CPUExecutionProvider"])
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
