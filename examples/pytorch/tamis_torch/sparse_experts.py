"""Experts that lie in one parameter each, [experts, ...]: as transformers has Mixtral's and Qwen's."""

import torch
from torch import nn

from .sparse_ffn import FLOATS, SparseFFN


class SparseExperts(SparseFFN):
    """Parameters stay the module's: gate_up_proj [experts, 2 d, h], down_proj [experts, h, d]. What masks skip in lies transposed, an
    expert at a time; the router and its weights are not touched."""

    def forward(self, hidden_states, top_k_index, top_k_weights):
        x = hidden_states
        for name, t in (("x", x), ("gate_up_proj", self.gate_up_proj), ("down_proj", self.down_proj)):
            if t.device.type != "cpu" or t.dtype not in FLOATS:
                raise RuntimeError(f"tamis: {name} is {t.dtype} on {t.device}; tamis computes float32, float16 and bfloat16 on the CPU: "
                                   "convert the model, or tamis_torch.restore(model)")
        if not self.is_laid_out():
            self.lay_out()
        y = torch.zeros_like(x)
        for expert in top_k_index.unique().tolist():
            if not 0 <= expert < self.gate_up_proj.shape[0]:
                continue  # another machine's
            token, place = torch.where(top_k_index == expert)
            out = self.expert(x[token], expert) * top_k_weights[token, place, None]
            y.index_add_(0, token, out.to(y.dtype))
        return y

    def parts(self, i):
        return *self.gate_up_proj[i].chunk(2), self.down_proj[i]

    def expert(self, x, i):
        gate, up, down = self.parts(i)
        if self.training or len(x) > self.tamis_most_tokens:
            return nn.functional.linear(self.masked_intermediate(x, i, lambda site, v: self.mask(site, v, i)), down)
        norms = self.norms()[i] if self.tamis_rules.needs_norms else None
        return torch.ops.tamis.glu_ffn(x, gate, up, down, self.tamis_rules.text, self.tamis_activation, None, None, None, norms,
                                       self.tamis_rules.of_channels)

    def masked_intermediate(self, x, i, mask):
        gate, up, _ = self.parts(i)
        return self.intermediate(x, mask, lambda v: nn.functional.linear(v, gate), lambda v: nn.functional.linear(v, up))

    def pieces(self, x, top_k_index, top_k_weights):
        for i in top_k_index.unique().tolist():
            of_expert = x[torch.where(top_k_index == i)[0]]
            yield (lambda mask, i=i, v=of_expert: self.masked_intermediate(
                v, i, lambda site, values: mask(site, values, i))), self.down_proj[i]

    def weights(self):
        return [self.gate_up_proj], self.down_proj
