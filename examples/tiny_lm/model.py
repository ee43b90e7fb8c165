"""The transformer of llama2.c in torch, and its file format (version 0, float32)."""
import struct

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

ACTIVATIONS = {"silu": F.silu, "relu": F.relu}


def rms_norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight


class Llama(nn.Module):
    def __init__(self, dim, hidden, layers, heads, kv_heads, vocabulary, seq_len, activation="silu"):
        super().__init__()
        self.shape = (dim, hidden, layers, heads, kv_heads, vocabulary, seq_len)
        self.activation = ACTIVATIONS[activation]
        self.heads, self.kv_heads, self.head = heads, kv_heads, dim // heads
        kv = self.head * kv_heads

        def per_layer(make):
            return nn.ParameterList([nn.Parameter(make()) for _ in range(layers)])

        def matrix(out, inp, scale=1.0):
            return per_layer(lambda: torch.randn(out, inp) * scale * inp ** -0.5)

        def gains():
            return per_layer(lambda: torch.ones(dim))

        end = (2 * layers) ** -0.5  # what writes to the residual stream starts small
        # in the order of the file
        self.embedding = nn.Parameter(torch.randn(vocabulary, dim) * 0.05)
        self.rms_att = gains()
        self.wq, self.wk, self.wv = matrix(dim, dim), matrix(kv, dim), matrix(kv, dim)
        self.wo = matrix(dim, dim, end)
        self.rms_ffn = gains()
        self.w1, self.w2, self.w3 = matrix(hidden, dim), matrix(dim, hidden, end), matrix(hidden, dim)
        self.rms_final = nn.Parameter(torch.ones(dim))
        angle = torch.outer(torch.arange(seq_len).double(),
                            10000.0 ** (-torch.arange(0, self.head, 2).double() / self.head))
        self.cos, self.sin = angle.cos().float(), angle.sin().float()

    def rotate(self, x):
        """RoPE on neighbouring pairs; x is [batch, position, head, width]."""
        n = x.shape[1]
        turn = torch.complex(self.cos[:n], self.sin[:n])[:, None, :]
        turned = torch.view_as_complex(x.unflatten(-1, (-1, 2))) * turn
        return torch.view_as_real(turned).flatten(-2)

    def forward(self, tokens, on_gate=None):
        batch, n = tokens.shape
        x = self.embedding[tokens]
        hidden_future = torch.full((n, n), float("-inf")).triu(1)
        for l in range(self.shape[2]):
            h = rms_norm(x, self.rms_att[l])
            q = self.rotate((h @ self.wq[l].T).view(batch, n, self.heads, self.head)).transpose(1, 2)
            k = self.rotate((h @ self.wk[l].T).view(batch, n, self.kv_heads, self.head)).transpose(1, 2)
            v = (h @ self.wv[l].T).view(batch, n, self.kv_heads, self.head).transpose(1, 2)
            if self.kv_heads != self.heads:
                k, v = (t.repeat_interleave(self.heads // self.kv_heads, 1) for t in (k, v))
            weights = torch.softmax((q * self.head ** -0.5) @ k.transpose(2, 3) + hidden_future, -1)
            x = x + (weights @ v).transpose(1, 2).reshape(batch, n, -1) @ self.wo[l].T
            h = rms_norm(x, self.rms_ffn[l])
            gate = self.activation(h @ self.w1[l].T)
            if on_gate:
                on_gate(l, gate)
            x = x + (gate * (h @ self.w3[l].T)) @ self.w2[l].T
        return rms_norm(x, self.rms_final) @ self.embedding.T

    def arrays(self):
        """The parameters in the order of the file (parameters() has plain ones before lists)."""
        yield self.embedding
        for part in (self.rms_att, self.wq, self.wk, self.wv, self.wo,
                     self.rms_ffn, self.w1, self.w2, self.w3):
            yield from part
        yield self.rms_final

    def save(self, path):
        with open(path, "wb") as f:
            f.write(struct.pack("<7i", *self.shape))
            for a in [*self.arrays(), self.cos, self.sin]:
                f.write(a.detach().numpy().astype("<f4").tobytes())

    @staticmethod
    def load(path, activation="silu"):
        with open(path, "rb") as f:
            shape = struct.unpack("<7i", f.read(28))
            data = np.frombuffer(f.read(), "<f4")
        if shape[5] < 0:
            raise ValueError(f"{path}: a separate classifier is not supported")
        model, at = Llama(*shape, activation), 0
        with torch.no_grad():
            for a in model.arrays():
                a.copy_(torch.from_numpy(data[at:at + a.numel()].copy()).view_as(a))
                at += a.numel()
        return model
