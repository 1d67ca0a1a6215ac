"""The Llama architecture at a small size, written for quick training; its weights load into transformers' LlamaForCausalLM."""

import math

import torch
import torch.nn.functional as functional
from torch import nn

CONFIGURATION = {
    "vocab_size": 3072,
    "hidden_size": 128,
    "intermediate_size": 352,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "head_dim": 24,
    "max_position_embeddings": 1024,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "attention_bias": True,
    "tie_word_embeddings": True,
}


# Heads that begin with a look at a fixed distance, by biases of queries and keys: (layer, head, tokens back). Training is
# free to undo it. The idea is that of ConViT (d'Ascoli et al. 2021), whose positional heads begin as a convolution.
LOOK_BACK = ((0, 0, 1), (0, 1, 1), (0, 2, 2), (0, 3, 3), (1, 0, 1))
LOOK_BACK_SCORES = (8.0, 4.0, 2.0, 1.0)


class Norm(nn.Module):
    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        return functional.rms_norm(x, (x.shape[-1],), self.weight, self.epsilon)


class Attention(nn.Module):
    def __init__(self, width, heads, head_width, is_causal):
        super().__init__()
        self.heads, self.head_width, self.is_causal = heads, head_width, is_causal
        self.q_proj = nn.Linear(width, heads * head_width)
        self.k_proj = nn.Linear(width, heads * head_width)
        self.v_proj = nn.Linear(width, heads * head_width)
        self.o_proj = nn.Linear(heads * head_width, width)

    @torch.no_grad()
    def look_back(self, head, distance, frequencies):
        """Sets a head's biases so that its score is Σ_i s_i cos((d − distance) ω_i) at distance d, s = LOOK_BACK_SCORES."""
        half = self.head_width // 2
        query = self.q_proj.bias.view(self.heads, 2, half)[head]
        key = self.k_proj.bias.view(self.heads, 2, half)[head]
        query.zero_()
        key.zero_()
        for index, score in enumerate(LOOK_BACK_SCORES):
            radius = (score * self.head_width**0.5) ** 0.5
            angle = -distance * frequencies[index]
            query[0, index], query[1, index] = radius * math.cos(angle), radius * math.sin(angle)
            key[0, index] = radius

    def forward(self, x, cosine, sine):
        batch, length, _ = x.shape
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight])
        bias = torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias])
        mixed = functional.linear(x, weight, bias).view(batch, length, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        rotated = mixed[:2]
        first, second = rotated.chunk(2, dim=-1)
        rotated = rotated * cosine + torch.cat([-second, first], dim=-1) * sine
        read = functional.scaled_dot_product_attention(rotated[0], rotated[1], mixed[2], is_causal=self.is_causal)
        return self.o_proj(read.transpose(1, 2).reshape(batch, length, -1))


class FeedForward(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        gate, up = functional.linear(x, torch.cat([self.gate_proj.weight, self.up_proj.weight])).chunk(2, dim=-1)
        return self.down_proj(functional.silu(gate) * up)


class Block(nn.Module):
    def __init__(self, configuration, is_causal):
        super().__init__()
        width, epsilon = configuration["hidden_size"], configuration["rms_norm_eps"]
        self.input_layernorm = Norm(width, epsilon)
        self.self_attn = Attention(width, configuration["num_attention_heads"], configuration["head_dim"], is_causal)
        self.post_attention_layernorm = Norm(width, epsilon)
        self.mlp = FeedForward(width, configuration["intermediate_size"])

    def forward(self, x, cosine, sine):
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """ids [batch, position] to the logits, or to the mean loss where targets are given."""

    def __init__(self, configuration=None, look_back=LOOK_BACK, is_causal=True):
        super().__init__()
        configuration = self.configuration = configuration or CONFIGURATION
        self.embed_tokens = nn.Embedding(configuration["vocab_size"], configuration["hidden_size"])
        self.layers = nn.ModuleList(Block(configuration, is_causal) for _ in range(configuration["num_hidden_layers"]))
        self.norm = Norm(configuration["hidden_size"], configuration["rms_norm_eps"])
        half = configuration["head_dim"] // 2
        frequencies = configuration["rope_theta"] ** (-torch.arange(half, dtype=torch.float32) / half)
        angles = torch.outer(torch.arange(configuration["max_position_embeddings"], dtype=torch.float32), frequencies).repeat(1, 2)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                # Blocks begin by adding nothing, so that what a token is stands out in the residual stream.
                nn.init.zeros_(parameter)
            elif name.endswith(("q_proj.bias", "k_proj.bias")):
                # A head that looks a fixed number of tokens back needs directions that do not depend on the token.
                nn.init.normal_(parameter, std=0.5)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.5 if "embed" in name else parameter.shape[1] ** -0.5)
        self.frequencies = frequencies.tolist()
        for layer, head, distance in look_back:
            self.layers[layer].self_attn.look_back(head, distance, self.frequencies)
        # The embedding is the unembedding too: large in the residual stream, so small before the logits.
        nn.init.constant_(self.norm.weight, 0.08)

    def forward(self, ids, targets=None, chosen=None):
        """`chosen`, [batch, any], names the only positions whose logits are wanted."""
        length = ids.shape[1]
        x = self.embed_tokens(ids)
        cosine, sine = self.cosine[:length], self.sine[:length]
        for layer in self.layers:
            x = layer(x, cosine, sine)
        if chosen is not None:
            x = x.gather(1, chosen[..., None].expand(-1, -1, x.shape[-1]))
        logits = functional.linear(self.norm(x), self.embed_tokens.weight)
        if targets is None:
            return logits
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def to_transformers(state):
    """The same weights under the names of LlamaForCausalLM."""
    renamed = {f"model.{name}": tensor for name, tensor in state.items()}
    renamed["lm_head.weight"] = renamed["model.embed_tokens.weight"]
    return renamed
