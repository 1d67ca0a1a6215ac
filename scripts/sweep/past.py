"""A decoder that goes on from what it has read, with keys and values as inputs and outputs, as exporters name them."""

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

READ = 4


class GoingOn(torch.nn.Module):
    """A model whose past comes as tensors, and which gives it back grown."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **feeds: torch.Tensor) -> tuple[torch.Tensor, ...]:
        count = sum(name.endswith(".key") for name in feeds)
        past = [(feeds.pop(f"past_key_values.{i}.key"), feeds.pop(f"past_key_values.{i}.value")) for i in range(count)]
        cache = DynamicCache(past, config=self.model.config)
        result = self.model(**feeds, past_key_values=cache, use_cache=True)
        return result[0], *(t for layer in cache.layers for t in (layer.keys, layer.values))


def going_on(model: torch.nn.Module, feeds: dict[str, torch.Tensor]) -> tuple[torch.nn.Module, dict[str, torch.Tensor]] | None:
    """The model after the first tokens of a text, and what it is fed then; None where it keeps no keys and values, or reads more than text."""
    if set(feeds) != {"input_ids", "attention_mask"}:
        return None
    try:
        with torch.no_grad():
            cache = model(input_ids=feeds["input_ids"][:, :READ], attention_mask=feeds["attention_mask"][:, :READ], use_cache=True).past_key_values
        layers = cache.layers if type(cache) is DynamicCache else []
    except Exception:
        return None
    if not layers or any(type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) or not layer.is_initialized for layer in layers):
        return None
    past = {f"past_key_values.{i}.{name}": tensor.clone() for i, layer in enumerate(layers) for name, tensor in (("key", layer.keys), ("value", layer.values))}
    return GoingOn(model), {"input_ids": feeds["input_ids"][:, READ:], "attention_mask": feeds["attention_mask"], **past}
