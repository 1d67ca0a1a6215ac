"""Tiny models with random weights, one of every architecture that the installed transformers can build without a download."""

import inspect
import re

import torch
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, MODEL_MAPPING, MODEL_MAPPING_NAMES

MAX_PARAMETERS = 12_000_000
WIDTH, HEADS, VOCABULARY = 32, 4, 120

# The first pattern that a setting's whole name matches says its tiny value.
SIZES: list[tuple[str, object]] = [
    (r"num_key_value_heads|num_kv_heads|n_head_kv|num_attention_groups|kv_n_heads", 2),
    (r"(\w+_)?(num_)?(attention_)?heads|n_heads?|\w*num_attention_heads|\w*attention_heads|num_heads|swa_num_attention_heads", HEADS),
    (r"head_dim|\w+_head_dim|d_kv|attention_head_size|kv_channels", WIDTH // HEADS),
    (r"num_hidden_layers|n_layers?|\w*num_layers|\w*_layers|num_blocks|num_hidden_groups|depth", 2),
    (r"moe_\w*intermediate_size|shared_expert_intermediate_size|expert_ffn_hidden_size|ffn_hidden_size", 16),
    (r"\w*intermediate_size|\w*ffn_dim|d_ff|n_inner|ffn_dim|hidden_dim|dim_feedforward|\w*_mlp_dim", 48),
    (r"num_experts|n_routed_experts|num_local_experts|moe_num_experts|num_routed_experts|n_experts", 4),
    (r"num_experts_per_tok|top_k|num_selected_experts|moe_top_k|moe_topk|moe_k|num_experts_per_token", 2),
    (r"n_group|topk_group|n_shared_experts|num_shared_experts|moe_num_shared_experts", 1),
    (r"q_lora_rank|kv_lora_rank|rank", 16),
    (r"qk_rope_head_dim|qk_nope_head_dim|v_head_dim", 8),
    (r"vocab_size|\w+_vocab_size|n_words", VOCABULARY),
    (r"n_positions|n_ctx|max_position_embeddings|\w*max_position_embeddings|max_\w*positions|max_seq_len|seq_length|context_length", 64),
    (r"image_size|img_size|input_size|crop_size", 32),
    (r"patch_size", 8),
    (r"num_queries|num_query_tokens|num_latents|\w*_num_queries", 6),
    (r"mamba_n_heads|mamba_num_heads|mamba_d_state|ssm_state_size|state_size", 8),
    (r"(\w*_)?hidden_size|\w*d_model|n_embd|embed_dim|\w*_embed_dim|dim|\w*hidden_dim|emb_dim|embedding_size|\w*projection_dim|d_embed|d_inner|mm_hidden_size|\w*out_hidden_size|d_latents", WIDTH),
]


def architectures() -> list[str]:
    """The names of all architectures, as `config.json` has them."""
    return sorted({*MODEL_MAPPING_NAMES, *MODEL_FOR_CAUSAL_LM_MAPPING_NAMES})


def shrink(config: object) -> None:
    """Makes a configuration and those in it tiny, in place."""
    values = vars(config)
    for name, value in list(values.items()):
        if hasattr(value, "to_dict") and hasattr(value, "model_type"):
            shrink(value)
            continue
        if isinstance(value, bool) or name.startswith("_"):
            continue
        if isinstance(value, int):
            for pattern, tiny in SIZES:
                if re.fullmatch(pattern, name):
                    _set(config, name, min(value, tiny) if value > 0 else value)
                    break
            else:
                if name.endswith(("_token_id", "_token_index", "_id")) and value >= VOCABULARY:
                    _set(config, name, _small_id(name))
        elif isinstance(value, list) and name.endswith(("_token_id", "_token_ids")) and all(isinstance(x, int) for x in value):
            _set(config, name, [min(x, 3) for x in value])
    if "kv_lora_rank" in values:  # latent attention gives every head keys of its own
        _set(config, "num_key_value_heads", values.get("num_attention_heads", HEADS))
    if isinstance(values.get("rotary_dim"), int):
        _set(config, "rotary_dim", WIDTH // HEADS)
    rope = values.get("rope_parameters") or values.get("rope_scaling")
    if isinstance(rope, dict) and "mrope_section" in rope:
        rope["mrope_section"] = [2, 1, 1]
    layers = values.get("num_hidden_layers", 2)
    for name in ("layer_types", "mlp_layer_types", "layers_block_type"):
        kinds = values.get(name)
        if isinstance(kinds, list) and isinstance(layers, int):
            _set(config, name, _of_each_kind(kinds, layers))


def _small_id(name: str) -> int:
    """An id of its own for each special token, at the end of the tiny vocabulary."""
    return VOCABULARY - 1 - sum(map(ord, name)) % 16


def _of_each_kind(kinds: list, count: int) -> list:
    """As many entries as there are layers, the rarest kind among them."""
    first = list(dict.fromkeys(kinds))
    return (first + kinds)[:count] if len(first) >= count else (first + [first[0]] * count)[:count]


def _set(config: object, name: str, value: object) -> None:
    try:
        setattr(config, name, value)
    except Exception:  # a property without a setter, or a validated value: the default stays
        pass


def build(model_type: str, attention: str) -> torch.nn.Module:
    """A tiny model in evaluation mode.

    Raises:
        Exception: whatever keeps transformers from building it.
    """
    config = CONFIG_MAPPING[model_type]()
    shrink(config)
    for sub in ("use_cache", "tie_word_embeddings", "return_dict"):
        if sub == "use_cache" and hasattr(config, sub):
            config.use_cache = False
    mapping = MODEL_MAPPING if type(config) in MODEL_MAPPING.keys() else MODEL_FOR_CAUSAL_LM_MAPPING
    found = mapping[type(config)]
    model_class = found[0] if isinstance(found, tuple) else found
    with torch.device("meta"):
        size = sum(p.numel() for p in model_class(config).parameters())
    if size > MAX_PARAMETERS:
        raise ValueError(f"{size} parameters after shrinking")
    torch.manual_seed(0)
    config._attn_implementation = attention
    config._experts_implementation = "eager"
    model = model_class._from_config(config, attn_implementation=attention).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # random weights of the usual size make every row nearly uniform, and a wrong matrix right by accident
            if parameter.dim() >= 2 and parameter.is_floating_point():
                parameter.normal_(0, 0.35 / max(1.0, (parameter[0].numel() / WIDTH) ** 0.5))
    return model


def example(model: torch.nn.Module, padded: bool) -> dict[str, torch.Tensor]:
    """The first inputs of `_guess` that the model runs on: as it names them, else with a picture too, else with sound."""
    tried = [_guess(model, padded, also) for also in ((), ("pixel_values",), ("pixel_values_videos",), ("input_features",))]
    for feeds in tried:
        try:
            with torch.no_grad():
                model(**feeds)
            return feeds
        except Exception:
            continue
    return tried[0]


def _guess(model: torch.nn.Module, padded: bool, also: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Inputs that its forward takes: text of 11 tokens, a picture, sound, or what else it is named after."""
    config, takes = model.config, inspect.signature(model.forward).parameters
    generator = torch.Generator().manual_seed(1)
    feeds: dict[str, torch.Tensor] = {}

    def ids(length: int) -> torch.Tensor:
        return torch.randint(5, 90, (1, length), generator=generator)

    main = getattr(model, "main_input_name", "input_ids")
    if main == "input_ids" or "input_ids" in takes and main not in ("pixel_values", "input_features", "input_values"):
        feeds["input_ids"] = ids(11)
        if "attention_mask" in takes:
            mask = torch.ones(1, 11, dtype=torch.long)
            if padded:
                mask[0, -2:] = 0
            feeds["attention_mask"] = mask
    if main == "pixel_values" or "pixel_values" in also or ("pixel_values" in takes and takes["pixel_values"].default is inspect.Parameter.empty):
        vision = getattr(config, "vision_config", config)
        size = getattr(vision, "image_size", None) or getattr(config, "image_size", 32) or 32
        if isinstance(size, int):
            size = (size, size)
        channels = getattr(vision, "num_channels", 3) or 3
        feeds["pixel_values"] = torch.randn(1, channels, *size[-2:], generator=generator)
    if "pixel_values_videos" in takes and (main == "pixel_values_videos" or "pixel_values_videos" in also):
        feeds["pixel_values_videos"] = torch.randn(1, getattr(config, "num_frames", 4), 3, 32, 32, generator=generator)
    if main == "input_features" or "input_features" in also:
        audio = getattr(config, "audio_config", config)
        bins = next((getattr(audio, n) for n in ("num_mel_bins", "input_feat_per_channel", "n_mels", "feature_size", "input_dim") if hasattr(audio, n)), 80)
        length = 2 * getattr(audio, "max_source_positions", 0) or 96
        feeds["input_features"] = torch.randn(1, bins, length, generator=generator) if "whisper" in config.model_type or "audio" in config.model_type else torch.randn(1, length, bins, generator=generator)
    if main == "input_values":
        feeds["input_values"] = torch.randn(1, 4000, generator=generator)
    if getattr(config, "is_encoder_decoder", False) and "decoder_input_ids" in takes:
        feeds["decoder_input_ids"] = ids(7)
    if "bbox" in takes and "input_ids" in feeds:
        feeds["bbox"] = torch.randint(0, 20, (1, 11, 4), generator=generator).cumsum(-1).clamp(max=60)
    return feeds
