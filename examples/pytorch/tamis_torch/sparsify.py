"""sparsify: the FFNs of a model of transformers become sparse ones, in place."""

import re
import types

import torch
from torch import nn

from .rules import read_plan
from .sparse_experts import SparseExperts
from .sparse_ffn import FLOATS, SparseFFN, is_plain

FFNS = {"llama": ("LlamaMLP",), "mistral": ("MistralMLP",), "qwen2": ("Qwen2MLP",), "qwen3": ("Qwen3MLP",), "gemma": ("GemmaMLP",),
        "gemma2": ("Gemma2MLP",), "gemma3": ("Gemma3MLP",), "qwen2_moe": ("Qwen2MoeMLP", "Qwen2MoeExperts"),
        "qwen3_moe": ("Qwen3MoeMLP", "Qwen3MoeExperts"), "mixtral": ("MixtralExperts",)}  # of transformers.models
PROJECTIONS = ("gate_proj", "up_proj", "down_proj")


def activation_of(act):
    """tamis's name of a module's activation, by its type and by what it does; None if it is another one."""
    name = {"SiLU": "silu", "SiLUActivation": "silu", "ReLU": "relu", "GELUActivation": "gelu", "GELUTanh": "gelu_tanh",
            "GELU": "gelu_tanh" if getattr(act, "approximate", "none") == "tanh" else "gelu"}.get(type(act).__name__)
    exact = {"silu": nn.functional.silu, "relu": nn.functional.relu, "gelu": nn.functional.gelu,
             "gelu_tanh": lambda z: nn.functional.gelu(z, approximate="tanh")}.get(name)
    z = torch.linspace(-6, 6, 97)
    return name if exact is not None and torch.allclose(act(z), exact(z), rtol=1e-5, atol=1e-6) else None


def why_not(ffn):
    """None if this is an FFN that tamis computes; else what it is."""
    kind = type(ffn)
    parts = kind.__module__.split(".")
    if isinstance(ffn, SparseFFN):
        return "it is sparse already"
    if parts[:2] != ["transformers", "models"] or kind.__name__ not in FFNS.get(parts[2], ()):
        return f"it is a {kind.__name__}, which is not one of {', '.join(n for names in FFNS.values() for n in names)}"
    if "forward" in vars(ffn) or kind.forward.__module__ != kind.__module__:
        return "its forward was replaced"
    if are_experts(ffn):
        as_known = (ffn.has_gate, ffn.has_bias, ffn.is_transposed, ffn.is_concatenated) == (True, False, False, True)
        if not as_known or not kind._apply_gate.__module__.startswith("transformers.integrations"):
            return "its experts lie, or are gated, in another way than known"
        weights = {"gate_up_proj": ffn.gate_up_proj, "down_proj": ffn.down_proj}
    else:
        for name in PROJECTIONS:
            if not is_plain(getattr(ffn, name)):
                return f"its {name} is a {type(getattr(ffn, name)).__name__} that does more than a plain torch.nn.Linear of floats"
        weights = {name: getattr(ffn, name).weight for name in PROJECTIONS}
    for name, w in weights.items():
        if w.device.type != "cpu" or w.dtype not in FLOATS:
            return f"its {name} is {w.dtype} on {w.device}; tamis computes float32, float16 and bfloat16 on the CPU"
    if activation_of(ffn.act_fn) is None:
        return f"its activation is {type(ffn.act_fn).__name__}; tamis has SiLU, GELU (erf and tanh) and ReLU"
    return None


def are_experts(module):
    """Of one 3-D parameter a matrix."""
    return isinstance(getattr(module, "down_proj", None), nn.Parameter) and module.down_proj.dim() == 3


def is_ungated(module):
    """Two layers with an activation between, as OPT, GPT-NeoX, GPT-2 and Phi have them."""
    layers = [m for m in module.children() if isinstance(m, nn.Linear) or type(m).__name__ == "Conv1D"]
    return len(layers) == 2 and any(callable(getattr(module, a, None)) for a in ("act", "act_fn", "activation_fn", "activation"))


def ffns_of(model):
    """(name, module, None or why tamis does not compute it) of all that look like an FFN."""
    for name, module in model.named_modules():
        if are_experts(module) or all(isinstance(getattr(module, p, None), nn.Module) for p in PROJECTIONS):
            yield name, module, why_not(module)
        elif isinstance(getattr(module, "gate_up_proj", None), nn.Module):
            yield name, module, f"{type(module).__name__} has gate and up in one matrix; it stays dense"
        elif is_ungated(module):
            yield name, module, f"{type(module).__name__} has an FFN without a gate; it stays dense"


def sparsify(model, plan, most_tokens=8, say=print):
    """Makes the FFNs of `model` sparse by `plan`: a rule ("top_p=0.9@input,intermediate"), or a calibration file of tamis-study. Says
    what was replaced, and what was left and why; returns both: {replaced: [names], left: {name: why}}. Nothing replaced is a
    ValueError. Calls of more than `most_tokens` tokens (prompts) have the same masks on torch's own products."""
    rules_of, layers = read_plan(plan)
    found = list(ffns_of(model))
    numbers = {int(n) for name, _, _ in found for n in re.findall(r"(?:^|\.)layers\.(\d+)\.", name + ".")}
    if layers is not None and numbers != set(range(layers)):
        raise ValueError(f"tamis: the plan is for {layers} layers, and the model has FFNs in {len(numbers)}")
    left, taken = {name: why for name, _, why in found if why}, []
    for name, ffn, why in found:
        layer = re.search(r"(?:^|\.)layers\.(\d+)\.", name + ".")
        rules = None if why else rules_of(int(layer[1]) if layer else 0)
        if rules is None:
            left.setdefault(name, "the plan has no rule for its layer")
            continue
        for site, thresholds in rules.thresholds.items():
            n = (ffn.down_proj if are_experts(ffn) else ffn.down_proj.weight).shape[-2 if site == "input" else -1]
            if len(thresholds) != n:
                raise ValueError(f"tamis: {name} needs {n} channel_thresholds at {site}, the plan has {len(thresholds)}")
        taken.append((name, ffn, rules))
    for _, ffn, rules in taken:  # when nothing can be refused any more
        ffn.tamis_was, ffn.tamis_rules, ffn.tamis_most_tokens = type(ffn), rules, most_tokens
        ffn.tamis_activation, ffn.tamis_norms, ffn.tamis_norms_of = activation_of(ffn.act_fn), None, None
        ffn.__class__ = SparseExperts if are_experts(ffn) else SparseFFN
        ffn.lay_out()
        ffn.norms()
    replaced = [name for name, _, _ in taken]
    lines = [f"  {name}: {why}" for name, why in left.items()]
    if not replaced:
        raise ValueError("\n".join(["tamis: no FFN was replaced" + (":" if left else "; the model has none"), *lines]))
    say("\n".join([f"tamis: {len(replaced)} FFNs are sparse now: {replaced[0]} to {replaced[-1]}",
                   *(["left as they are:", *lines] if left else [])]))
    return types.SimpleNamespace(replaced=replaced, left=left)


def refresh(model):
    """Computes anew what depends on weights (layouts, norms): after changes that torch does not count (weight.data.add_())."""
    for ffn in [m for m in model.modules() if isinstance(m, SparseFFN)]:
        ffn.tamis_norms_of = None
        ffn.lay_out()
        ffn.norms()


def restore(model):
    """The modules as they were before sparsify, with the weights that they have now."""
    for ffn in [m for m in model.modules() if isinstance(m, SparseFFN)]:
        ffn.__class__ = ffn.tamis_was
        for name in [n for n in vars(ffn) if n.startswith("tamis_")]:
            delattr(ffn, name)
        for w in ffn.parameters():
            w.data = w.data.contiguous()
