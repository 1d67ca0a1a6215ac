"""Both vision models: the same size and labels, one with softmax attention and one with focused linear attention."""

import torch
from transformers import ViTConfig, ViTForImageClassification

from .data import PATCH, SIZE
from .linear import FocusedLinearViT
from .pictures import LABELS

CONFIGURATION = {
    "image_size": SIZE,
    "patch_size": PATCH,
    "num_channels": 3,
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 192,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "qkv_bias": True,
    "initializer_range": 0.02,
    "id2label": dict(enumerate(LABELS)),
    "label2id": {label: index for index, label in enumerate(LABELS)},
}
LINEAR = {"architectures": ["FocusedLinearViT"], "model_type": "focused-linear-vit", "focusing_factor": 3, "depthwise_kernel_size": 5}


def build(name, attention="eager"):
    """A new model of that name."""
    if name == "shapes-linear-vit":
        return FocusedLinearViT(CONFIGURATION)
    configuration = ViTConfig(
        **CONFIGURATION, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation=attention,
        architectures=["ViTForImageClassification"],
    )
    return ViTForImageClassification(configuration)


def logits_of(model, pixel_values):
    result = model(pixel_values)
    return result if isinstance(result, torch.Tensor) else result.logits


def token_logits_of(model, pixel_values):
    """Logits of every token [batch, token, label]; those of the class token, the first, are the model's."""
    states = model.states(pixel_values) if isinstance(model, FocusedLinearViT) else model.vit(pixel_values).last_hidden_state
    return model.classifier(states)


@torch.no_grad()
def attentions_of(model, pixel_values):
    """The attention of every layer, each [batch, head, query, key]."""
    return model.attentions(pixel_values) if isinstance(model, FocusedLinearViT) else model(pixel_values, output_attentions=True).attentions


def normalised(pixels):
    """Bytes [batch, side, side, 3] as pixel_values [batch, 3, side, side] from −1 to 1, as preprocessor_config.json says."""
    return torch.tensor(pixels).permute(0, 3, 1, 2).float().mul(2 / 255).sub(1)


def restored(name, work, attention="eager"):
    """The trained model in single precision, and its checkpoint."""
    saved = torch.load(work / name / "checkpoint.pt", map_location="cpu")
    model = build(name, attention)
    model.load_state_dict(saved["model"], strict=True)
    return model.eval(), saved
