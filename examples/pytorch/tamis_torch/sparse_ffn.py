"""The module that a sparse FFN is."""

import torch
from torch import nn


def is_plain(linear):
    """Whether a projection is a weight and a bias alone: no adapter, hook, quantised weight or forward of its own."""
    return (type(linear) is nn.Linear and not linear._forward_hooks and not linear._forward_pre_hooks
            and "forward" not in linear.__dict__ and type(linear.weight) in (nn.Parameter, torch.Tensor)
            and linear.weight.dtype in (torch.float32, torch.float16, torch.bfloat16))


class SparseFFN(nn.Module):
    """What a module that was replaced is now: its parts, their names and its state stay as they were, the weights stay theirs. A
    weight that a mask is to skip in lies transposed in its memory; which it is, its strides say."""

    def forward(self, x):
        gate, up, down = self.gate_proj, self.up_proj, self.down_proj
        rules = self.tamis_rules
        if x.device.type not in ("cpu", "meta") or down.weight.device != x.device:
            raise RuntimeError(f"tamis: x is on {x.device}, W_down on {down.weight.device}; tamis computes on the CPU: "
                               "model.to('cpu'), or tamis_torch.restore(model) for the module as it was")
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
        gates = self._mask("gate", self.act_fn(self.gate_proj(x := self._mask("input", x))))
        return self.down_proj(self._mask("intermediate", gates * self._mask("up", self.up_proj(x))))

    def _mask(self, site, v):
        rule = self.tamis_rules.at.get(site)
        if rule is None:
            return v
        values = self.norms() if rule.startswith("cett=") else self.tamis_rules.thresholds.get(site)
        return torch.where(torch.ops.tamis.mask(v.detach(), rule, values), v, 0)

    def _transposed(self):
        at = self.tamis_rules.at
        return [self.gate_proj, self.up_proj] * ("input" in at) + [self.down_proj] * (set(at) != {"input"})

    def is_laid_out(self):
        return all(m.weight.stride(0) == 1 for m in self._transposed())

    @torch.inference_mode(False)
    def lay_out(self):
        for m in self._transposed():
            if m.weight.stride(0) != 1:
                m.weight.data = m.weight.data.t().contiguous().t()

    def norms(self):
        """Of the neurons, where a rule needs them: of the weights as they are now (the operator refuses others)."""
        w = self.down_proj.weight
        if not self.tamis_rules.needs_norms or torch.compiler.is_compiling():
            return self.tamis_norms
        version = None if w.is_inference() else (w.data_ptr(), w._version)
        if version is None or self.tamis_norms_of != version:
            self.tamis_norms = w.detach().float().norm(dim=0)
            self.tamis_norms_of = version
        return self.tamis_norms

    def extra_repr(self):
        return f"{self.tamis_was.__name__} with {self.tamis_rules.text}"
