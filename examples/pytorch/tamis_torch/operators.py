"""torch.ops.tamis.mask, masked, glu_ffn and linear: loads the library, and tells torch their shapes and that they have no gradient."""

import ctypes
import os
import pathlib

import torch


def _load():
    # The library is linked to no torch, so that one serves all from 2.10 on: it finds torch's stable ABI in this process, which torch
    # itself does not make visible to others.
    with open("/proc/self/maps") as maps:
        loaded = {line.split(None, 5)[5].strip() for line in maps if "/libtorch_cpu.so" in line}
    for path in loaded:
        ctypes.CDLL(path, mode=os.RTLD_GLOBAL | os.RTLD_NOLOAD)
    library = pathlib.Path(__file__).with_name("tamis_torch.so")
    if not library.exists():
        raise ImportError(f"tamis: {library} is not there: this is the source; build and install the wheel: pip wheel "
                          "--no-build-isolation --no-deps . && pip install tamis_torch-*.whl")
    torch.ops.load_library(str(library))


_load()


def _one_device(name, *tensors):
    devices = {str(t.device) for t in tensors if t is not None}
    if len(devices) > 1:
        raise RuntimeError(f"tamis::{name}: the tensors are on several devices ({', '.join(sorted(devices))}); tamis computes on "
                           "the CPU: move all of them there")


def _last(name, x, n):
    if x.dim() == 0 or x.shape[-1] != n:
        raise RuntimeError(f"tamis::{name}: x has the shape {list(x.shape)}; its last size has to be {n}")


@torch.library.register_fake("tamis::mask")
def _(x, rule, values=None):
    _one_device("mask", x, values)
    return x.new_empty(x.shape, dtype=torch.bool)


@torch.library.register_fake("tamis::masked")
def _(x, rule, values=None):
    _one_device("masked", x, values)
    return x.new_empty(x.shape)


@torch.library.register_fake("tamis::glu_ffn")
def _(x, gate, up, down, rule="", activation="silu", gate_bias=None, up_bias=None, down_bias=None, norms=None, thresholds=None):
    _one_device("glu_ffn", x, gate, up, down, gate_bias, up_bias, down_bias, norms, thresholds)
    _last("glu_ffn", x, gate.shape[-1])
    return x.new_empty(x.shape)


@torch.library.register_fake("tamis::linear")
def _(x, weight, rule="", bias=None, values=None):
    _one_device("linear", x, weight, bias, values)
    _last("linear", x, weight.shape[-1])
    return x.new_empty((*x.shape[:-1], weight.shape[0]))


def _refuse(name):
    def backward(ctx, *grads):
        raise RuntimeError(f"tamis::{name} has no gradient: it is for inference. Call it under torch.no_grad(), or train with the "
                           "module in training mode (model.train()), where tamis_torch's modules mask torch's own products")

    torch.library.register_autograd(f"tamis::{name}", backward)


_refuse("masked")
_refuse("glu_ffn")
_refuse("linear")
