"""Tiny models with random weights, one of every architecture that the installed transformers can build without a download."""

import inspect
import re

import torch
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, MODEL_MAPPING, MODEL_MAPPING_NAMES

MAX_PARAMETERS = 30_000_000
WIDTH, HEADS, VOCABULARY = 32, 4, 120

# The first pattern that a setting's whole name matches says its tiny value.
SIZES: list[tuple[str, object]] = [
    (r"num_key_value_heads|num_kv_heads|n_head_kv|num_attention_groups|kv_n_heads", 2),
    (r"(\w+_)?(num_)?(attention_)?heads|n_heads?|\w*num_attention_heads|\w*attention_heads|num_heads|swa_num_attention_heads", HEADS),
    (r"head_dim|\w+_head_dim|d_kv|attention_head_size|kv_channels", WIDTH // HEADS),
    (r"num_feat_extract_layers", 99),
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
    (r"mamba_d_head|mamba_head_?dim", 16),
    (r"mamba_d_ssm", 64),
    (r"mamba_n_heads|mamba_num_heads|mamba_d_state|ssm_state_size|state_size", 8),
    (r"(\w*_)?hidden_size|\w*d_model|n_embd|embed_dim|\w*_embed_dim|dim|\w*hidden_dim|emb_dim|embedding_size|\w*projection_dim|d_embed|d_inner|mm_hidden_size|\w*out_hidden_size|d_latents", WIDTH),
]

_SERIES = {"prediction_length": 4, "context_length": 12, "lags_sequence": [1, 2], "num_time_features": 1}
_RESNET = {"use_timm_backbone": False, "backbone": None, "backbone_config": {"model_type": "resnet", "out_features": ["stage4"]}}
_SWIN = {"depths": [2, 1], "num_heads": [2, 4], "window_size": 4, "embed_dim": 32, "image_size": 32}
# What has no default, or one that fits no other; what is no number of a kind above stays as it is here.
SETTINGS: dict[str, dict[str, object]] = {
    **dict.fromkeys(("autoformer", "informer", "time_series_transformer"), _SERIES),
    **dict.fromkeys(("detr", "table-transformer", "conditional_detr", "dab-detr", "deformable_detr"), _RESNET),
    **dict.fromkeys(("swin", "donut-swin", "swinv2", "maskformer-swin"), _SWIN),
    "audio-spectrogram-transformer": {"max_length": 64, "num_mel_bins": 32},
    "deepseek_v2": {"num_experts_per_tok": 2},
    "esm": {"vocab_size": VOCABULARY, "pad_token_id": 1, "mask_token_id": 2},
    # Several blocks, or bands beside tokens that all read, of a text of a few tokens.
    "big_bird": {"block_size": 2, "num_random_blocks": 1, "attention_type": "block_sparse"},
    "bigbird_pegasus": {"block_size": 2, "num_random_blocks": 1, "attention_type": "block_sparse"},
    **dict.fromkeys(("longformer", "led"), {"attention_window": 4, "onnx_export": True}),
    "longt5": {"local_radius": 3},
    "pegasus_x": {"block_size": 4, "num_global_tokens": 3},
    "qwen2_5_vl_vision": {"window_size": 32, "fullatt_block_indexes": [1]},
    "levit": {"patch_size": 16, "image_size": 64},
    "xmod": {"default_language": "en_XX"},
    **dict.fromkeys(("videomae", "vivit", "timesformer"), {"num_frames": 4}),
}
# What cannot be judged, and why.
UNJUDGED = {"vjepa2": "its context and its target are the same patches where no masks are given, and each runtime sorts equal places in an order of its own"}
# Tokens of a text; more where fewer make one block, fewer where each of several is written out.
TOKENS = 11
LENGTHS = {**dict.fromkeys(("big_bird", "bigbird_pegasus", "longt5", "pegasus_x"), 15), **dict.fromkeys(("longformer", "led"), 8)}


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
        elif isinstance(value, (list, tuple)) and len(value) > 1 and all(type(x) is int for x in value) and (sizes := _of_stages(name, list(value), values)):
            _set(config, name, type(value)(sizes))
        elif isinstance(value, list) and name.endswith(("_token_id", "_token_ids")) and all(isinstance(x, int) for x in value):
            _set(config, name, [min(x, 3) for x in value])
    if "kv_lora_rank" in values:  # latent attention gives every head keys of its own
        _set(config, "num_key_value_heads", values.get("num_attention_heads", HEADS))
    if isinstance(values.get("rotary_dim"), int):
        _set(config, "rotary_dim", WIDTH // HEADS)
    rope = values.get("rope_parameters") or values.get("rope_scaling")
    if isinstance(rope, dict) and ("mrope_section" in rope or getattr(config, "model_type", "").startswith("glm")):
        rope["mrope_section"] = [2, 1, 1] if rope.get("partial_rotary_factor", 1) == 1 else [1, 1, 0]
    layers = values.get("num_hidden_layers", 2)
    for name in ("layer_types", "mlp_layer_types", "layers_block_type"):
        kinds = values.get(name)
        if isinstance(kinds, list) and isinstance(layers, int):
            _set(config, name, _of_each_kind(kinds, layers))


def _of_stages(name: str, sizes: list[int], values: dict[str, object]) -> list[int] | None:
    """Tiny sizes of what has stages, by the name of a list: depths, widths, heads."""
    if re.fullmatch(r"depths|num_blocks|layers", name):
        return [2, *[1] * (len(sizes) - 1)]
    if re.fullmatch(r"\w*hidden_sizes|embed_dims?|dims", name) and min(sizes) >= 32:
        return [size // 8 for size in sizes]
    if re.fullmatch(r"num_heads|num_attention_heads", name) and any(type(values.get(width)) is int for width in ("embed_dim", "patch_embeds_hidden_size")):
        return [2, 4, 4, 8][: len(sizes)]
    return None


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
    if model_type in UNJUDGED:
        raise ValueError(UNJUDGED[model_type])
    config = CONFIG_MAPPING[model_type](**SETTINGS.get(model_type, {}))
    shrink(config)
    for name, value in SETTINGS.get(model_type, {}).items():
        if not name.endswith("_config"):
            _set(config, name, value)
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
    also = ((), ("input_ids",), ("pixel_values",), ("pixel_values", "frames"), ("input_ids", "pixel_values", "frames"), ("pixel_values_videos",), ("input_features",), ("input_features", "turned"), ("mono",))
    tried = [_guess(model, padded, each) for each in also]
    for feeds in tried:
        try:
            with torch.no_grad():
                model(**feeds)
            return feeds
        except Exception:
            continue
    return tried[0]


def _guess(model: torch.nn.Module, padded: bool, also: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Inputs that its forward takes: text of some tokens, a picture, sound, or what else it is named after."""
    config, takes = model.config, inspect.signature(model.forward).parameters
    generator = torch.Generator().manual_seed(1)
    feeds: dict[str, torch.Tensor] = {}
    length = LENGTHS.get(config.model_type, TOKENS)

    def ids(length: int) -> torch.Tensor:
        text = config.get_text_config() if hasattr(config, "get_text_config") else config
        return torch.randint(5, min(90, getattr(text, "vocab_size", None) or 90), (1, length), generator=generator)

    main = getattr(model, "main_input_name", "input_ids")
    if main == "input_ids" or "input_ids" in also and "input_ids" in takes or "input_ids" in takes and main not in ("pixel_values", "input_features", "input_values"):
        feeds["input_ids"] = ids(length)
        if "attention_mask" in takes:
            mask = torch.ones(1, length, dtype=torch.long)
            if padded:
                mask[0, -2:] = 0
            feeds["attention_mask"] = mask
        if "global_attention_mask" in takes:
            feeds["global_attention_mask"] = torch.eye(1, length, dtype=torch.long)
    if main == "pixel_values" or "pixel_values" in also or ("pixel_values" in takes and takes["pixel_values"].default is inspect.Parameter.empty):
        vision = getattr(config, "vision_config", config)
        size = getattr(vision, "image_size", None) or getattr(config, "image_size", 32) or 32
        if isinstance(size, int):
            size = (size, size)
        channels = getattr(vision, "num_channels", 3) or 3
        frames = (getattr(vision, "num_frames", None) or 2,) if "frames" in also else ()
        feeds["pixel_values"] = torch.randn(1, *frames, channels, *size[-2:], generator=generator)
    if "pixel_values_videos" in takes and (main == "pixel_values_videos" or "pixel_values_videos" in also):
        feeds["pixel_values_videos"] = torch.randn(1, getattr(config, "num_frames", 4), 3, 32, 32, generator=generator)
    if main == "input_features" or "input_features" in also:
        audio = getattr(config, "audio_config", None) or getattr(config, "encoder_config", None) or config
        bins = next((getattr(audio, n) for n in ("feature_projection_input_dim", "num_mel_bins", "input_feat_per_channel", "n_mels", "feature_size", "input_dim") if hasattr(audio, n)), 80)
        length = 2 * getattr(audio, "max_source_positions", 0) or 96
        feeds["input_features"] = torch.randn(1, bins, length, generator=generator) if ("whisper" in config.model_type or "audio" in config.model_type) != ("turned" in also) else torch.randn(1, length, bins, generator=generator)
    if main == "input_values":
        shape = (1, config.max_length, config.num_mel_bins) if hasattr(config, "num_mel_bins") and hasattr(config, "max_length") else (1, 1, 4000) if "mono" in also else (1, 4000)
        feeds["input_values"] = torch.randn(*shape, generator=generator)
    if "past_time_features" in takes:
        before, after = config.context_length + max(config.lags_sequence), config.prediction_length
        feeds = {"past_values": torch.randn(1, before, generator=generator), "past_time_features": torch.randn(1, before, config.num_time_features, generator=generator),
                 "past_observed_mask": torch.ones(1, before), "future_values": torch.randn(1, after, generator=generator), "future_time_features": torch.randn(1, after, config.num_time_features, generator=generator)}
    if "query_embeds" in takes and takes["query_embeds"].default is inspect.Parameter.empty:
        feeds = {"query_embeds": torch.randn(1, 6, config.hidden_size, generator=generator), "encoder_hidden_states": torch.randn(1, 9, config.encoder_hidden_size, generator=generator)}
    if getattr(config, "is_encoder_decoder", False) and "decoder_input_ids" in takes:
        feeds["decoder_input_ids"] = ids(7)
        if config.model_type == "dia":
            feeds["decoder_input_ids"] = ids(63).reshape(1, 7, 9)
    if "bbox" in takes and "input_ids" in feeds:
        feeds["bbox"] = torch.randint(0, 20, (1, length, getattr(config, "dim_bbox", 4)), generator=generator).cumsum(-1).clamp(max=60)
    if "grid_thw" in takes:
        size = getattr(config, "patch_size", 8) ** 2 * (getattr(config, "in_channels", None) or getattr(config, "in_chans", None) or getattr(config, "num_channels", 3)) * getattr(config, "temporal_patch_size", 1)
        columns = 8 if hasattr(config, "window_size") else 4
        feeds = {"hidden_states" if "hidden_states" in takes else main: torch.randn(4 * columns, size, generator=generator), "grid_thw": torch.tensor([[1, 4, columns]])}
    if "noise" in takes and main == "pixel_values":
        feeds["noise"] = torch.rand(1, (feeds["pixel_values"].shape[-1] // config.patch_size) ** 2, generator=generator)
    if "returns_to_go" in takes:
        feeds = {"states": torch.randn(1, 5, config.state_dim, generator=generator), "actions": torch.randn(1, 5, config.act_dim, generator=generator), "rewards": torch.randn(1, 5, 1, generator=generator),
                 "returns_to_go": torch.randn(1, 5, 1, generator=generator), "timesteps": torch.arange(5)[None], "attention_mask": torch.ones(1, 5, dtype=torch.long)}
    return feeds
