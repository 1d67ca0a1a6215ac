"""A Vision Transformer with focused linear attention (FLatten Transformer, Han et al. 2023, §4)."""

import torch
import torch.nn.functional as functional
from torch import nn

EPSILON = 1e-6


def focused(x, power):
    """φ_p(x) = f_p(ReLU(x)) with f_p(x) = ‖x‖ / ‖x^p‖ · x^p: the length is kept, the direction drawn to the nearest axes."""
    x = functional.relu(x) + EPSILON
    sharp = x ** power
    return sharp * (x.norm(dim=-1, keepdim=True) / sharp.norm(dim=-1, keepdim=True))


class FocusedLinearAttention(nn.Module):
    """φ(Q)(φ(K)ᵀV), divided by φ(Q) times the mean of φ(K), and the depthwise convolution of V over the patches."""

    def __init__(self, width, heads, grid, power=3, kernel=5):
        super().__init__()
        self.width, self.heads, self.grid, self.power = width, heads, grid, power
        self.tokens = grid * grid + 1
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        # As in the authors' code: a learned scale of every feature, and positions added to the keys.
        self.scale = nn.Parameter(torch.zeros(width))
        self.positions = nn.Parameter(torch.zeros(1, self.tokens, width))
        self.depthwise = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.output = nn.Linear(width, width)

    def features(self, x):
        """φ(Q) and φ(K), each [batch, head, token, feature]."""
        scale = functional.softplus(self.scale)
        queries, keys = self.query(x) / scale, (self.key(x) + self.positions) / scale
        return [focused(self.split(part), self.power) for part in (queries, keys)]

    def split(self, x):
        return x.view(-1, self.tokens, self.heads, self.width // self.heads).transpose(1, 2)

    def pattern(self, x):
        """The attention [batch, head, query, key] that this layer is equivalent to, before the convolution: a reference, never run by the model."""
        queries, keys = self.features(x)
        return queries @ keys.transpose(-2, -1) / self.tokens / (queries @ keys.mean(-2, keepdim=True).transpose(-2, -1) + EPSILON)

    def forward(self, x):
        queries, keys = self.features(x)
        values = self.value(x)
        share = self.tokens ** -0.5
        summary = (keys.transpose(-2, -1) * share) @ (self.split(values) * share)
        normaliser = 1 / (queries @ keys.mean(-2, keepdim=True).transpose(-2, -1) + EPSILON)
        read = (queries @ summary * normaliser).transpose(1, 2).reshape(-1, self.tokens, self.width)
        # The class token has no place in the picture: it attends as every token does, and takes no part in the convolution.
        patches = values[:, 1:].transpose(1, 2).reshape(-1, self.width, self.grid, self.grid)
        local = self.depthwise(patches).flatten(2).transpose(1, 2)
        read = read + functional.pad(local, (0, 0, 1, 0))
        return self.output(read)


class Layer(nn.Module):
    def __init__(self, width, heads, inner, grid, epsilon):
        super().__init__()
        self.layernorm_before = nn.LayerNorm(width, epsilon)
        self.attention = FocusedLinearAttention(width, heads, grid)
        self.layernorm_after = nn.LayerNorm(width, epsilon)
        self.intermediate = nn.Linear(width, inner)
        self.output = nn.Linear(inner, width)

    def forward(self, x):
        x = x + self.attention(self.layernorm_before(x))
        return x + self.output(functional.gelu(self.intermediate(self.layernorm_after(x))))


class FocusedLinearViT(nn.Module):
    """pixel_values [batch, 3, side, side] to logits [batch, label], read off the class token."""

    def __init__(self, configuration):
        super().__init__()
        width, patch = configuration["hidden_size"], configuration["patch_size"]
        grid = configuration["image_size"] // patch
        self.projection = nn.Conv2d(3, width, patch, patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.position_embeddings = nn.Parameter(torch.randn(1, grid * grid + 1, width) * 0.02)
        self.layer = nn.ModuleList(
            Layer(width, configuration["num_attention_heads"], configuration["intermediate_size"], grid, configuration["layer_norm_eps"])
            for _ in range(configuration["num_hidden_layers"])
        )
        self.layernorm = nn.LayerNorm(width, configuration["layer_norm_eps"])
        self.classifier = nn.Linear(width, len(configuration["id2label"]))

    def embed(self, pixel_values):
        x = self.projection(pixel_values).flatten(2).transpose(1, 2)
        return torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1) + self.position_embeddings

    def states(self, pixel_values):
        """The last states of all tokens, the class token first."""
        x = self.embed(pixel_values)
        for layer in self.layer:
            x = layer(x)
        return self.layernorm(x)

    def forward(self, pixel_values):
        return self.classifier(self.states(pixel_values)[:, 0])

    @torch.no_grad()
    def attentions(self, pixel_values):
        """The equivalent pattern of every layer, each [batch, head, query, key]."""
        x, patterns = self.embed(pixel_values), []
        for layer in self.layer:
            patterns.append(layer.attention.pattern(layer.layernorm_before(x)))
            x = layer(x)
        return patterns
