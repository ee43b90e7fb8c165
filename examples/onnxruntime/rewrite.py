#!/usr/bin/env python3
"""Replaces the gated FFNs of an ONNX graph by tamis::GluFfn, which reads the weights of what a mask keeps alone.

    rewrite.py MODEL.onnx OUT.onnx [--rule top_p=0.9@intermediate] [--plan thresholds.json] [--laid-as q8_0|f16] [--traffic]
               [--prompts TOKENS]

    --rule     RULE=NUMBER@SITES;...   for all layers; sites are input, gate, up, intermediate. Without a rule all is dense.
               Rules may be joined and have scores, as tamis::read_rule has them: power(2):top_p=0.9 & threshold=.01
    --plan     a calibration file, as tamis-study writes it: rules of each layer, in the order of the FFNs in the graph
    --laid-as  what quantised matrices become that have to be transposed to be skipped: q8_0 (default) or f16
    --prompts  calls with so many tokens and more are the graph's own products, dense, at their speed: both are in the graph then, and
               ONNX Runtime holds what it packs for its own beside the weights
    --traffic  adds an output NAME_bytes to the graph for each FFN: weight bytes that were read, and those of a dense call

It says of each FFN that it found what it did, and why it left it alone. Nothing replaced is an error (status 1).
An FFN is  down(sigma(gate(x)) * up(x))  of linear layers with constant weights; what sigma is, is found by calculating the
graph's own nodes between them, so it does not matter how an exporter wrote it. Weights stay where they are, in the file or
outside of it: nothing is copied.
"""
import argparse
import json
import os
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "tamis"
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)
NAME_OF_TYPE = {v: k for k, v in TensorProto.DataType.items()}


class Left(Exception):
    """Why an FFN is left alone."""


def erf(x):
    import math
    return np.vectorize(math.erf, otypes=[float])(x)


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


ACTIVATIONS = {
    "silu": lambda z: z * sigmoid(z),
    "gelu": lambda z: 0.5 * z * (1 + erf(z / np.sqrt(2))),
    "gelu_tanh": lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "relu": lambda z: np.maximum(z, 0),
    "relu2": lambda z: np.maximum(z, 0)**2,
    "linear": lambda z: z,
}

# What may lie between gate, up and down: functions of each number by itself, by operator; of (attributes, values).
POINTWISE = {
    "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y, "Mul": lambda a, x, y: x * y, "Div": lambda a, x, y: x / y,
    "Pow": lambda a, x, y: np.power(x, y), "Neg": lambda a, x: -x, "Exp": lambda a, x: np.exp(x), "Sqrt": lambda a, x: np.sqrt(x),
    "Reciprocal": lambda a, x: 1 / x, "Sigmoid": lambda a, x: sigmoid(x), "Tanh": lambda a, x: np.tanh(x), "Erf": lambda a, x: erf(x),
    "Relu": lambda a, x: np.maximum(x, 0), "Identity": lambda a, x: x, "Softplus": lambda a, x: np.logaddexp(x, 0),
    "Max": lambda a, *x: np.maximum.reduce(np.broadcast_arrays(*x)), "Min": lambda a, *x: np.minimum.reduce(np.broadcast_arrays(*x)),
    "Clip": lambda a, x, *b: np.clip(x, a.get("min", -np.inf) if not b or b[0] is None else b[0],
                                     a.get("max", np.inf) if len(b) < 2 or b[1] is None else b[1]),
    "HardSwish": lambda a, x: x * np.clip(x / 6 + 0.5, 0, 1),
    "LeakyRelu": lambda a, x: np.where(x < 0, a.get("alpha", 0.01) * x, x),
    "Swish": lambda a, x: x * sigmoid(a.get("alpha", 1.0) * x),
    "Gelu": lambda a, x: ACTIVATIONS["gelu_tanh" if a.get("approximate", b"none") in (b"tanh", "tanh") else "gelu"](x),
    "com.microsoft:Gelu": lambda a, x: ACTIVATIONS["gelu"](x),
    "com.microsoft:FastGelu": lambda a, x: ACTIVATIONS["gelu_tanh"](x),
    "com.microsoft:QuickGelu": lambda a, x: x * sigmoid(a.get("alpha", 1.702) * x),
    "com.microsoft:Silu": lambda a, x: x * sigmoid(x),
    "Cast": lambda a, x: x, # among floats: tamis has 32 bits between its layers
}
# What an FFN may have there as well, and is then left alone for with a word.
OTHERS = ("Elu", "Selu", "Celu", "PRelu", "Softmax", "LogSoftmax", "Softsign", "Mish", "HardSigmoid", "ThresholdedRelu", "Dropout",
          "QuantizeLinear", "DequantizeLinear", "com.microsoft:BiasGelu", "com.microsoft:BiasSplitGelu", "Cast", "Where", "Greater", "Less")
# Of whole numbers; a size that is not known is NaN, and stays one.
WHOLE = {
    "Gather": lambda a, x, i: np.take(x, i.astype(int), axis=a.get("axis", 0)), "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y, "Div": lambda a, x, y: np.floor(x / y), "Identity": lambda a, x: x, "Cast": lambda a, x: x,
    "Unsqueeze": lambda a, x, *axes: np.reshape(x, (1,) * (np.ndim(x) + 1)), "Squeeze": lambda a, x, *axes: np.reshape(x, ()),
    "Concat": lambda a, *x: np.concatenate(x),
}


def kind_of(node):
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}:{node.op_type}"


def attributes(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def subgraphs(node):
    for a in node.attribute:
        if a.type == onnx.AttributeProto.GRAPH:
            yield a.g
        elif a.type == onnx.AttributeProto.GRAPHS:
            yield from a.graphs


def reads_of(node):
    """Names that a node reads, those of its subgraphs included."""
    yield from (name for name in node.input if name)
    for graph in subgraphs(node):
        for inner in graph.node:
            yield from reads_of(inner)
        yield from (out.name for out in graph.output)


class Graph:
    """The main graph, looked up by names."""

    def __init__(self, model, folder):
        self.model, self.graph, self.folder = model, model.graph, folder
        self.initializers = {t.name: t for t in self.graph.initializer}
        self.producer = {name: node for node in self.graph.node for name in node.output if name}
        self.readers = {}
        for node in self.graph.node:
            for name in set(reads_of(node)):
                self.readers.setdefault(name, []).append(node)
        self.outputs = {out.name for out in self.graph.output}
        self.inputs = {value.name for value in self.graph.input}
        self.types, self.dims = {}, {} # sizes that are not known are None
        for value in [*self.graph.input, *self.graph.value_info, *self.graph.output]:
            self.types[value.name] = value.type.tensor_type.elem_type
            if value.type.tensor_type.HasField("shape"):
                self.dims[value.name] = [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]

    def constant(self, name):
        """The tensor of a value that nothing can change, or None."""
        if name in self.initializers:
            # before version 4 of the format every initializer is listed among the inputs, and none can be overridden
            overridable = name in self.inputs and self.model.ir_version >= 4
            return None if overridable else self.initializers[name]
        node = self.producer.get(name)
        if node is not None and kind_of(node) == "Constant":
            return attributes(node).get("value")
        return None

    def is_overridable(self, name):
        return name in self.initializers and self.constant(name) is None

    def array(self, name):
        tensor = self.constant(name)
        if tensor is None:
            node = self.producer.get(name)
            if node is not None and kind_of(node) == "Constant":
                given = attributes(node)
                for key in ("value_float", "value_int", "value_floats", "value_ints"):
                    if key in given:
                        return np.asarray(given[key])
            return None
        return numpy_helper.to_array(tensor, self.folder)

    def few(self, name):
        """A constant of at most a thousand elements as an array, or None."""
        tensor = self.constant(name)
        return None if tensor is not None and np.prod(tensor.dims, dtype=float) > 1000 else self.array(name)

    def sizes(self, name):
        """A value's sizes, None where one is not known; None where not even their number is. Shape inference does not know MatMulNBits."""
        node = self.producer.get(name)
        if name not in self.dims and node is not None and kind_of(node) == "com.microsoft:MatMulNBits":
            of_x = self.sizes(node.input[0])
            return of_x and [*of_x[:-1], attributes(node)["N"]]
        return self.dims.get(name)

    def whole(self, name, depth=0):
        """Whole numbers that constants and known sizes come to, as exporters calculate where a part begins; or None."""
        value = self.few(name)
        node = self.producer.get(name)
        if value is not None or node is None or depth > 12:
            return value
        if node.op_type == "Shape":
            dims = self.sizes(node.input[0])
            made_by = self.producer.get(node.input[0])
            if dims is None and made_by is not None and kind_of(made_by) == "com.microsoft:MatMulNBits":
                dims = [None] * 8 + [attributes(made_by)["N"]] # the last is known, however many there are
            return None if dims is None or len(attributes(node)) else np.array([np.nan if d is None else d for d in dims])
        if node.op_type not in WHOLE:
            return None
        values = [self.whole(each, depth + 1) for each in node.input if each]
        if any(v is None for v in values):
            return None
        try:
            return WHOLE[node.op_type](attributes(node), *values)
        except (ValueError, IndexError, KeyError):
            return None

    def calculation(self, names):
        """The nodes that whole numbers are calculated by."""
        for name in names:
            node = self.producer.get(name)
            if node is not None and (node.op_type in WHOLE or node.op_type == "Shape"):
                yield node
                yield from self.calculation(node.input if node.op_type != "Shape" else [])


class Linear:
    """A linear layer of constant weights: x, what its operator reads, and the nodes that are it."""

    def __init__(self, node, x, tensors, all_outputs, inputs, by_outputs, dtype, bits=0, block=0, level=0):
        self.x, self.tensors, self.all_outputs, self.inputs = x, tensors, all_outputs, inputs
        self.by_outputs, self.dtype, self.bits, self.block, self.level = by_outputs, dtype, bits, block, level
        self.first, self.outputs, self.bias_first = 0, all_outputs, 0
        self.name = node.name or node.output[0]
        self.nodes = [node]


def matrix(graph, name, transposed):
    """(name of a constant matrix, whether its rows are outputs, its tensor), through a Transpose; or why not."""
    if graph.is_overridable(name):
        raise Left(f"the weights {name} are an input of the graph, too, so a caller may give others")
    node = graph.producer.get(name)
    if node is not None and kind_of(node) == "Transpose" and attributes(node).get("perm", [1, 0]) == [1, 0]:
        return matrix(graph, node.input[0], not transposed)
    if node is not None and kind_of(node) == "Identity":
        return matrix(graph, node.input[0], transposed)
    tensor = graph.constant(name)
    if tensor is None:
        made = f"made by {kind_of(node)}" if node is not None else "no constant"
        raise Left(f"the weights {name} are {made}")
    if len(tensor.dims) != 2:
        raise Left(f"the weights {name} have {len(tensor.dims)} dimensions, not 2")
    if tensor.data_type not in FLOATS:
        raise Left(f"the weights {name} are of type {NAME_OF_TYPE[tensor.data_type]}")
    return name, transposed, tensor


def with_bias(graph, layer, name):
    """The layer with a constant of one number an output added."""
    if graph.is_overridable(name):
        raise Left(f"the bias {name} is an input of the graph, too")
    tensor = graph.constant(name)
    if tensor is None:
        raise Left(f"{name}, which is added to {layer.name}, is no constant")
    if tensor.data_type not in FLOATS:
        raise Left(f"the bias {name} is of type {NAME_OF_TYPE[tensor.data_type]}")
    if not tensor.dims or tensor.dims[-1] != layer.outputs or np.prod(tensor.dims) != layer.outputs:
        raise Left(f"the bias {name} has the shape {list(tensor.dims)}, not [{layer.outputs}]")
    if "bias" in layer.tensors:
        raise Left(f"{layer.name} has two biases")
    layer.tensors["bias"] = name
    return layer


def nbits(graph, node):
    given, names = attributes(node), list(node.input) + [""] * 6
    bits, block = given.get("bits", 4), given["block_size"]
    label = f"MatMulNBits {node.name or node.output[0]}"
    if bits not in (2, 4, 8):
        raise Left(f"{label}: {bits} bits (2, 4 and 8 are known)")
    if block not in (16, 32, 64) and block % 128 != 0 or block <= 0:
        raise Left(f"{label}: blocks of {block} (16, 32, 64 and multiples of 128 are known)")
    if names[4]:
        raise Left(f"{label}: a g_idx, groups in an order of their own")
    if given.get("weight_prepacked", 0):
        raise Left(f"{label}: weights packed for one kind of processor")
    tensors = {}
    for key, name in (("", names[1]), ("scales", names[2]), ("zero_points", names[3])):
        if not name:
            continue
        if graph.is_overridable(name):
            raise Left(f"{label}: {name} is an input of the graph, too, so a caller may give others")
        tensor = graph.constant(name)
        if tensor is None:
            raise Left(f"{label}: {name} is no constant")
        if key == "" and tensor.data_type != TensorProto.UINT8 or key == "scales" and tensor.data_type not in FLOATS:
            raise Left(f"{label}: {name} is of type {NAME_OF_TYPE[tensor.data_type]}")
        tensors[key] = name
    outputs, inputs = given["N"], given["K"]
    blocks = -(-inputs // block)
    if names[3]:
        zeros = graph.constant(names[3])
        if zeros.data_type in FLOATS:
            values = np.asarray(graph.array(names[3]), dtype=np.float64)
            most = 255 if bits == 8 or block == 16 else 16
            if values.size != outputs * blocks:
                raise Left(f"{label}: {values.size} zero points, not one for each of {outputs * blocks} blocks")
            if not (values == np.floor(values)).all() or values.min() < 0 or values.max() > most:
                raise Left(f"{label}: zero points that are no whole numbers from 0 to {most}")
        elif zeros.data_type != TensorProto.UINT8:
            raise Left(f"{label}: zero points of type {NAME_OF_TYPE[zeros.data_type]}")
        elif np.prod(zeros.dims) != outputs * -(-blocks * bits // 8):
            raise Left(f"{label}: {np.prod(zeros.dims)} bytes of zero points, not {outputs * -(-blocks * bits // 8)}")
    sizes = {"": outputs * blocks * (block * bits // 8), "scales": outputs * blocks}
    for key, size in sizes.items():
        came = np.prod(graph.constant(tensors[key]).dims)
        if came != size:
            raise Left(f"{label}: {tensors[key]} has {came} elements, not {size}")
    layer = Linear(node, names[0], tensors, outputs, inputs, True, graph.constant(tensors["scales"]).data_type, bits, block,
                   given.get("accuracy_level", 0))
    return with_bias(graph, layer, names[5]) if names[5] else layer


def linear_of(graph, name):
    """The linear layer, or part of one, that makes a value; None where something else does."""
    node = graph.producer.get(name)
    if node is None:
        return None
    kind, given = kind_of(node), attributes(node)
    if kind in ("MatMul", "com.microsoft:FusedMatMul"):
        if graph.constant(node.input[0]) is not None:
            return None
        if any(given.get(key) for key in ("transA", "transBatchA", "transBatchB")) or given.get("alpha", 1.0) != 1.0:
            raise Left(f"{kind} {node.name}: a factor, or a transposed x")
        weights, by_outputs, tensor = matrix(graph, node.input[1], bool(given.get("transB", 0)))
        outputs, inputs = tensor.dims if by_outputs else tensor.dims[::-1]
        return Linear(node, node.input[0], {"": weights}, outputs, inputs, by_outputs, tensor.data_type)
    if kind == "Gemm":
        if given.get("transA", 0) or given.get("alpha", 1.0) != 1.0:
            raise Left(f"Gemm {node.name}: a factor, or a transposed x")
        weights, by_outputs, tensor = matrix(graph, node.input[1], bool(given.get("transB", 0)))
        outputs, inputs = tensor.dims if by_outputs else tensor.dims[::-1]
        layer = Linear(node, node.input[0], {"": weights}, outputs, inputs, by_outputs, tensor.data_type)
        if len(node.input) > 2 and node.input[2]:
            if given.get("beta", 1.0) != 1.0:
                raise Left(f"Gemm {node.name}: a factor of the bias")
            return with_bias(graph, layer, node.input[2])
        return layer
    if kind == "com.microsoft:MatMulNBits":
        return nbits(graph, node)
    if kind == "Add":
        for value, bias in (node.input, node.input[::-1]):
            tensor = graph.constant(bias)
            if tensor is not None and np.prod(tensor.dims, dtype=float) == 1 or (tensor is None and graph.few(bias) is not None):
                return None # one number for all: part of a function
            if tensor is not None or graph.is_overridable(bias):
                layer = linear_of(graph, value)
                if layer is not None:
                    layer.nodes.append(node)
                    return with_bias(graph, layer, bias)
        return None
    if kind in ("Split", "Slice"):
        layer = linear_of(graph, node.input[0])
        if layer is None:
            return None
        first, outputs = part_of(graph, node, given, name, layer.outputs)
        layer.first += first
        layer.outputs = outputs
        layer.bias_first += first
        layer.nodes += [node, *graph.calculation(node.input[1:])]
        return layer
    if kind == "Identity":
        layer = linear_of(graph, node.input[0])
        if layer is not None:
            layer.nodes.append(node)
        return layer
    return None


def part_of(graph, node, given, name, outputs):
    """(first, how many) of a layer's outputs that a Split or Slice gives."""
    label = f"{node.op_type} {node.name or name}"
    rank = next((len(graph.sizes(n)) for n in (node.input[0], name) if graph.sizes(n)), None)
    is_last = lambda axis: axis == -1 or rank is not None and axis == rank - 1
    constant = lambda i, key: graph.whole(node.input[i]) if i < len(node.input) and node.input[i] else given.get(key)
    if node.op_type == "Split":
        if not is_last(given.get("axis", 0)):
            raise Left(f"{label}: not along the last axis, or it is not known whether")
        at, parts = list(node.output).index(name), len(node.output)
        sizes = constant(1, "split")
        if len(node.input) > 1 and node.input[1] and sizes is None:
            raise Left(f"{label}: sizes that are no constant")
        if sizes is None:
            each = -(-outputs // parts)
            sizes = [min(each, outputs - i * each) for i in range(parts)]
        if sum(sizes) != outputs:
            raise Left(f"{label}: sizes that do not add up")
        return int(sum(sizes[:at])), int(sizes[at])
    starts, ends, axes, steps = (constant(i + 1, key) for i, key in enumerate(("starts", "ends", "axes", "steps")))
    if starts is None or ends is None or np.size(starts) != 1 or axes is None or np.isnan([*starts, *ends]).any() or not is_last(int(axes[0])):
        raise Left(f"{label}: not along the last axis alone, or by no constants")
    if steps is not None and int(steps[0]) != 1:
        raise Left(f"{label}: a step of {int(steps[0])}")
    first, end, _ = slice(int(starts[0]), int(ends[0])).indices(outputs)
    return first, max(0, end - first)


class Between:
    """The nodes between linear layers and a value, as a function of those layers' outputs."""

    def __init__(self, graph, name):
        self.graph, self.nodes, self.leaves, self.problem = graph, [], {}, None
        self.walk(name, set())

    def walk(self, name, seen):
        if name in seen or self.graph.few(name) is not None and self.graph.few(name).size == 1:
            return
        seen.add(name)
        if len(self.nodes) > 200:
            self.problem = self.problem or "more than 200 nodes between its layers"
            return
        layer = linear_of(self.graph, name)
        if layer is not None:
            self.leaves[name] = layer
            return
        node = self.graph.producer.get(name)
        to_numbers = node is not None and kind_of(node) == "Cast" and attributes(node)["to"] not in FLOATS
        if node is None or kind_of(node) not in POINTWISE or to_numbers:
            what = f"{kind_of(node)} {node.name}" if node is not None else f"the graph's {name}"
            self.problem = self.problem or f"{what} between its layers"
            for each in node.input if node is not None and kind_of(node) in OTHERS else []:
                if each:
                    self.walk(each, seen)
            return
        self.nodes.append(node)
        for each in node.input:
            if each:
                self.walk(each, seen)

    def value(self, name, of_leaves, known):
        if name in of_leaves:
            return of_leaves[name]
        if name not in known:
            constant = self.graph.few(name)
            if constant is not None:
                known[name] = np.float64(np.asarray(constant, dtype=np.float64).reshape(()))
            else:
                node = self.graph.producer[name]
                known[name] = POINTWISE[kind_of(node)](
                    attributes(node), *(self.value(each, of_leaves, known) if each else None for each in node.input))
        return known[name]

    def gating(self, name):
        """(gate, up, activation), if that is what it is."""
        rng = np.random.default_rng(1)
        z = np.concatenate([np.linspace(-12, 12, 401), rng.standard_normal(200) * 30])
        u = rng.standard_normal(z.size) * 2
        first, second = self.leaves
        for gate, up in ((first, second), (second, first)):
            with np.errstate(all="ignore"):
                got = self.value(name, {gate: z, up: u}, {})
                for sigma, function in ACTIVATIONS.items():
                    wanted = function(z) * u
                    # constants may be binary16 (2^-11 of themselves); the two GELUs are 5e-4 apart
                    if np.shape(got) == z.shape and np.all(np.abs(got - wanted) <= 1.2e-4 * np.abs(u) * np.maximum(1, np.abs(z))):
                        return gate, up, sigma
        raise Left("what lies between its layers is none of " + ", ".join(f"{s}(gate) * up" for s in ACTIVATIONS))


def find_ffn(graph, down_value):
    """The parts of the FFN that a value is the output of; None where it is not one; Left where it is one to leave alone."""
    down = linear_of(graph, down_value)
    between_name = down.x
    if linear_of(graph, between_name) is not None:
        return None # two layers with nothing between: low rank, or q k v
    between = Between(graph, between_name)
    if not between.leaves:
        return None
    if len(between.leaves) == 1 and not between.problem:
        raise Left("one layer between x and down: an FFN without a gate")
    if between.problem:
        # a residual path and an attention's output have sums between layers; an FFN has a product
        if any(kind_of(n) == "Mul" for n in between.nodes) and len(between.leaves) > 1 and not is_normed(graph, between_name):
            raise Left(between.problem)
        return None
    if len(between.leaves) != 2:
        raise Left(f"{len(between.leaves)} layers between x and down")
    gate_value, up_value, sigma = between.gating(between_name)
    gate, up = between.leaves[gate_value], between.leaves[up_value]
    if gate.x != up.x:
        raise Left(f"gate reads {gate.x}, and up {up.x}")
    if gate.inputs != up.inputs or gate.outputs != up.outputs or down.inputs != gate.outputs or down.outputs != gate.inputs:
        raise Left(f"sizes: gate {gate.inputs} -> {gate.outputs}, up {up.inputs} -> {up.outputs}, down {down.inputs} -> {down.outputs}")
    if down.outputs != down.all_outputs:
        raise Left("down is a part of a larger layer")
    if len({gate.dtype, up.dtype, down.dtype}) != 1:
        raise Left("gate, up and down are of several types: " + ", ".join(NAME_OF_TYPE[l.dtype] for l in (gate, up, down)))
    x_type = graph.types.get(gate.x)
    if x_type and x_type != gate.dtype:
        raise Left(f"x is of type {NAME_OF_TYPE[x_type]}, and the weights of {NAME_OF_TYPE[gate.dtype]}")
    nodes = {id(n): n for n in [*gate.nodes, *up.nodes, *between.nodes, *down.nodes]}
    if gate.first != up.first or gate.tensors[""] == up.tensors[""]: # one layer that was split: its other parts go, too
        pass
    for node in nodes.values():
        for name in node.output:
            if name == down_value:
                continue
            if name in graph.outputs:
                raise Left(f"{name}, which lies inside it, is an output of the graph")
            for reader in graph.readers.get(name, []):
                if id(reader) not in nodes:
                    raise Left(f"{name}, which lies inside it, is read by {reader.op_type} {reader.name or reader.output[0]}, too")
    return gate, up, down, sigma, nodes


def rules_of(options):
    """A function from an FFN's number, and how many there are, to its rules."""
    if not options.plan:
        return lambda layer, layers: options.rule
    with open(options.plan, encoding="utf-8") as file:
        plan = json.load(file)
    of = {}
    for rule in plan["rules"]:
        if "values" in rule:
            sys.exit(f"{options.plan}: rules with a list of values ({rule['rule']}) are not known here")
        of.setdefault(rule["layer"], []).append(f"{rule['rule']}={rule['value']!r}@{rule['site']}")
    def rules(layer, layers):
        if plan.get("layers", layers) != layers:
            sys.exit(f"{options.plan}: this plan is for {plan['layers']} layers, but {layers} FFNs were found: those that were left alone "
                     "would give theirs to others")
        return ";".join(of.get(layer, []))

    return rules


def replacement(number, ffn, down_value, rules, options):
    gate, up, down, sigma, _ = ffn
    inputs, names = [gate.x], []
    given = {"activation": sigma, "rules": rules, "laid_as": options.laid_as}
    for key, layer in (("gate", gate), ("up", up), ("down", down)):
        for part, name in layer.tensors.items():
            names.append(key + ("_" + part if part else ""))
            inputs.append(name)
        given |= {f"{key}_first": layer.first, f"{key}_outputs": layer.outputs, f"{key}_by_outputs": int(layer.by_outputs),
                  f"{key}_bits": layer.bits}
        if "bias" in layer.tensors:
            given[f"{key}_bias_first"] = layer.bias_first
        if layer.bits:
            given |= {f"{key}_block": layer.block, f"{key}_inputs": layer.inputs}
    given["in_int8"] = int(all(layer.level == 4 for layer in (gate, up, down)))
    outputs = [down_value] + ([f"{down_value}_bytes"] if options.traffic else [])
    return helper.make_node("GluFfn", inputs, outputs, name=f"tamis_ffn_{number}", domain=DOMAIN, tensors=" ".join(names), **given)


def branch(name, nodes, value, dtype):
    """Nodes as one of the two graphs of an If; what they make has names of its own there."""
    copies, made = [], {out: out + name for node in nodes for out in node.output if out}
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for names in (copy.input, copy.output):
            renamed = [made.get(each, each) for each in names]
            del names[:]
            names.extend(renamed)
        copies.append(copy)
    return helper.make_graph(copies, "ffn" + name, [], [helper.make_tensor_value_info(made[value], dtype, None)])


def either(made, own, ffn, value, tokens):
    """The nodes by which calls with so many tokens are the graph's own, and others `made`, which is then given none. (Within an If it would
    not be: there ONNX Runtime shows no operator the graph's initializers as the constants that they are.)"""
    nodes, dtype, x = [], ffn[0].dtype, made.input[0]
    out = f"{made.name}_y"

    def number(name, value, dims):
        nodes.append(helper.make_node("Constant", [], [f"{made.name}_{name}"], name=f"{made.name}_{name}",
                                      value=helper.make_tensor(name, TensorProto.INT64, dims, [value])))
        return f"{made.name}_{name}"

    def op(kind, inputs, name):
        nodes.append(helper.make_node(kind, inputs, [f"{made.name}_{name}"], name=f"{made.name}_{name}"))
        return f"{made.name}_{name}"

    many = op("Greater", [op("Size", [x], "size"), number("most", tokens * ffn[0].inputs - 1, [])], "many")
    end = op("Where", [many, number("none", 0, [1]), number("all", 2**62, [1])], "end")
    made.input[0] = op("Slice", [x, f"{made.name}_none", end, f"{made.name}_none"], "few")
    made.output[0] = out
    as_it_is = helper.make_node("Identity", [out], [value], name=f"{made.name}_given")
    nodes += [made, helper.make_node("If", [many], [value], name=f"{made.name}_if", then_branch=branch("_tamis_own", own, value, dtype),
                                     else_branch=branch("_tamis_few", [as_it_is], value, dtype))]
    return nodes


def rewrite(model, folder, options):
    """Rewrites the model; what was done, a sentence an FFN, and how many were replaced."""
    try:
        model = onnx.shape_inference.infer_shapes(model) if model.ByteSize() < 2**31 - 2**20 else model
    except Exception: # types and ranks of what lies between are then not known, and what needs them is left alone
        pass
    graph, said, found, rules = Graph(model, folder), [], [], rules_of(options)
    taken = set()
    order = {id(node): i for i, node in enumerate(graph.graph.node)}
    for node in graph.graph.node:
        for value in node.output:
            label = node.name or value
            try:
                layer = linear_of(graph, value) if kind_of(node) in ("MatMul", "Gemm", "Add", "com.microsoft:MatMulNBits",
                                                                     "com.microsoft:FusedMatMul") else None
                if layer is None or any(reader_adds(graph, value, r) for r in graph.readers.get(value, [])):
                    continue
                ffn = find_ffn(graph, value)
            except Left as why:
                if is_down(graph, value):
                    said.append(f"left alone: the FFN that ends at {label}: {why}")
                continue
            if ffn is None or taken & set(ffn[4]):
                continue
            taken |= set(ffn[4])
            found.append((node, value, ffn))
    inside = sum(kind_of(inner) in ("MatMul", "Gemm", "com.microsoft:MatMulNBits")
                 for node in graph.graph.node for sub in subgraphs(node) for inner in sub.node)
    if inside or model.functions:
        said.append(f"left alone: subgraphs and functions of the model ({inside} matrix products)")
    replaced = {}
    for number, (node, value, ffn) in enumerate(found):
        made = replacement(number, ffn, value, rules(number, len(found)), options)
        own = [n for n in graph.graph.node if id(n) in ffn[4]]
        replaced[max(order[i] for i in ffn[4])] = either(made, own, ffn, value, options.prompts) if options.prompts else [made]
        kinds = ", ".join(f"{k} {'MatMulNBits of %d bits' % l.bits if l.bits else NAME_OF_TYPE[l.dtype]}"
                          for k, l in zip(("gate", "up", "down"), ffn[:3]))
        said.append(f"replaced: {made.name}, which ends at {node.name or value}: {ffn[3]}, {ffn[0].inputs} x {ffn[0].outputs}, {kinds}"
                    f"{', in int8' if ffn[0].level == ffn[1].level == ffn[2].level == 4 else ''}; rules: {rules(number, len(found)) or 'none'}"
                    f"{f'; from {options.prompts} tokens on as it was' if options.prompts else ''}")
    nodes = []
    for i, node in enumerate(graph.graph.node):
        if i in replaced:
            nodes.extend(replaced[i])
        elif id(node) not in taken:
            nodes.append(node)
    prune(nodes, graph)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    drop_unknown_values(model)
    if options.traffic:
        model.graph.output.extend(helper.make_tensor_value_info(n.output[1], TensorProto.INT64, [2]) for (n,) in replaced.values())
    if replaced and not any(o.domain == DOMAIN for o in model.opset_import):
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return model, said, len(replaced)


def reader_adds(graph, value, reader):
    """Whether a reader adds a bias to it, and so is the layer's end."""
    if kind_of(reader) not in ("Add", "Identity"):
        return False
    try:
        layer = linear_of(graph, reader.output[0])
    except Left:
        return False
    return layer is not None


def is_normed(graph, name):
    """Whether a value is a norm's, in one node or several: what attention and gates read, and no intermediate."""
    names, seen = [name], set()
    while names and len(seen) < 60:
        node = graph.producer.get(names.pop(0))
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if node.op_type.startswith("Reduce") or "Norm" in node.op_type:
            return True
        if kind_of(node) in POINTWISE or node.op_type == "Cast":
            names += node.input
    return False


def is_down(graph, value):
    """Whether what a layer reads looks like a gated FFN's intermediate: worth a word when it is left alone."""
    node = graph.producer[value]
    if any(is_normed(graph, name) for name in node.input[:2]):
        return False
    for name in node.input[:2]:
        made = graph.producer.get(name)
        while made is not None and kind_of(made) in ("Cast", "Identity", "Add", "Dropout"):
            name = made.input[0]
            made = graph.producer.get(name)
        if made is not None and kind_of(made) in ("MatMul", "Gemm") and node.op_type == "Add":
            return is_down(graph, name)
        if made is not None and kind_of(made) in POINTWISE and kind_of(made) not in ("Add", "Sub", "Div", "Identity"):
            return True
    return False


def prune(nodes, graph):
    """Takes away Transposes, Identities and Constants that nobody reads any more."""
    while True:
        read = {name for node in nodes for name in reads_of(node)} | graph.outputs
        useless = [n for n in nodes if kind_of(n) in ("Transpose", "Identity", "Constant") and not read & set(n.output)]
        if not useless:
            return
        for node in useless:
            nodes.remove(node)


def drop_unknown_values(model):
    """Shapes and types of values that are no more."""
    known = {name for node in model.graph.node for name in node.output}
    kept = [v for v in model.graph.value_info if v.name in known]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)


def bring_files(model, source, target):
    """Tensors outside of the file have to lie beside the new one: linked, or copied where that is not possible."""
    names = {e.value for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL
             for e in t.external_data if e.key == "location"}
    if os.path.realpath(source) == os.path.realpath(target):
        return
    for name in sorted(names):
        to = os.path.join(target, name)
        os.makedirs(os.path.dirname(to) or ".", exist_ok=True)
        if os.path.exists(to):
            if os.path.samefile(os.path.join(source, name), to):
                continue
            sys.exit(f"{to} is there already, and is another file than {os.path.join(source, name)}: choose another folder")
        try:
            os.link(os.path.join(source, name), to)
        except OSError:
            shutil.copyfile(os.path.join(source, name), to)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--rule", default="")
    parser.add_argument("--plan")
    parser.add_argument("--laid-as", choices=("q8_0", "f16"), default="q8_0")
    parser.add_argument("--traffic", action="store_true")
    parser.add_argument("--prompts", type=int, default=0, metavar="TOKENS")
    options = parser.parse_args(arguments)
    if options.prompts < 0 or options.prompts == 1 or (options.prompts and options.traffic):
        parser.error("--prompts is a number of tokens from 2 on, and the graph's own products have no --traffic")
    if options.rule and options.plan:
        parser.error("--rule and --plan are both given")
    folder = os.path.dirname(os.path.abspath(options.model))
    model, said, count = rewrite(onnx.load(options.model, load_external_data=False), folder, options)
    print(*said, sep="\n")
    if count == 0:
        print(f"{options.model}: no FFN was replaced, and nothing written", file=sys.stderr)
        return 1
    target = os.path.dirname(os.path.abspath(options.out))
    bring_files(model, folder, target)
    onnx.save(model, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
