"""The module that a sparse FFN is."""

import torch
from torch import nn

FLOATS = (torch.float32, torch.float16, torch.bfloat16)


def is_plain(linear):
    """Whether a projection is a weight and a bias alone: no adapter, hook, quantised weight or forward of its own."""
    return (type(linear) is nn.Linear and not linear._forward_hooks and not linear._forward_pre_hooks
            and "forward" not in linear.__dict__ and type(linear.weight) in (nn.Parameter, torch.Tensor)
            and linear.weight.dtype in FLOATS)


class SparseFFN(nn.Module):
    """What a module that was replaced is now: its parts, their names and its state stay as they were, the weights stay theirs. A
    weight that a mask is to skip in lies transposed in its memory; which it is, its strides say."""

    def forward(self, x):
        gate, up, down = self.gate_proj, self.up_proj, self.down_proj
        rules = self.tamis_rules
        for name, t in (("x", x), *((n, m.weight) for n, m in self.named_children() if type(m) is nn.Linear)):
            if t.device != x.device or t.device.type not in ("cpu", "meta") or t.dtype not in FLOATS:
                raise RuntimeError(f"tamis: x is {x.dtype} on {x.device}, and {name} {t.dtype} on {t.device}; tamis computes float32, "
                                   "float16 and bfloat16 on the CPU: convert the model, or tamis_torch.restore(model)")
        few = x.dim() == 1 or torch.compiler.is_exporting() or x.numel() <= self.tamis_most_tokens * x.shape[-1]
        if not few or self.training or not (is_plain(gate) and is_plain(up) and is_plain(down)):
            return self.masked(x)
        if not self.is_laid_out():
            if torch.compiler.is_compiling():
                return self.masked(x)
            self.lay_out()
        cast = torch.is_autocast_enabled("cpu")
        y = torch.ops.tamis.glu_ffn(x.to(down.weight.dtype) if cast else x, gate.weight, up.weight, down.weight, rules.text,
                                    self.tamis_activation, gate.bias, up.bias, down.bias, self.norms(), rules.of_channels)
        return y.to(torch.get_autocast_dtype("cpu")) if cast else y

    def masked(self, x):
        """The same by torch's products on masked tensors: for prompts, training, adapters and hooks."""
        return self.down_proj(self.intermediate(x, self.mask))

    def intermediate(self, x, mask, gate_proj=None, up_proj=None):
        """What goes into W_down, with mask(site, values) at each site."""
        x = mask("input", x)
        gates = mask("gate", self.act_fn((gate_proj or self.gate_proj)(x)))
        ups = (up_proj or self.up_proj)(x)
        if "gate" in self.tamis_rules.at and "up" in self.tamis_rules.at:  # up's mask is over the neurons that gate's left
            ups = torch.where(gates != 0, ups, 0)
        return mask("intermediate", gates * mask("up", ups))

    def pieces(self, x):
        """For observe: (what makes the intermediate with a mask, W_down) of all that x goes through."""
        yield (lambda mask: self.intermediate(x, mask)), self.down_proj.weight

    def mask(self, site, v, expert=...):
        rule = self.tamis_rules.at.get(site)
        if rule is None:
            return v
        values = self.norms()[expert] if rule.startswith("cett=") else self.tamis_rules.thresholds.get(site)
        if v.requires_grad:
            return torch.where(torch.ops.tamis.mask(v.detach(), rule, values), v, 0)
        return torch.ops.tamis.masked(v, rule, values)

    def weights(self):
        """Those before the intermediate, and that behind it."""
        return [self.gate_proj.weight, self.up_proj.weight], self.down_proj.weight

    def _transposed(self):
        before, behind = self.weights()
        return before * ("input" in self.tamis_rules.at) + [behind] * (set(self.tamis_rules.at) != {"input"})

    def is_laid_out(self):
        return all(w.stride(-2) == 1 for w in self._transposed())

    def lay_out(self):
        for w in self._transposed():
            if w.stride(-2) != 1:
                with torch.inference_mode(w.is_inference()):
                    w.data = w.data.transpose(-1, -2).contiguous().transpose(-1, -2)

    def norms(self):
        """Of the neurons, where a rule needs them: of the weights as they are now (the operator refuses others)."""
        w = self.weights()[1] if self.tamis_rules.needs_norms else None
        if w is None or torch.compiler.is_compiling():
            return self.tamis_norms
        try:
            version = w.data_ptr(), w._version
        except RuntimeError:  # an inference tensor counts no versions
            version = None
        if version is None or self.tamis_norms_of != version:
            self.tamis_norms = w.detach().float().norm(dim=-2)
            self.tamis_norms_of = version
        return self.tamis_norms

    def extra_repr(self):
        return f"{self.tamis_was.__name__} with {self.tamis_rules.text}"
