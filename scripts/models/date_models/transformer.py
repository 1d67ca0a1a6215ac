"""date-transformer: the encoder-decoder Transformer of Vaswani et al. 2017, as transformers' Marian is one."""

import torch
from transformers import MarianConfig, MarianMTModel

from .characters import END_ID, MAX_LENGTH, PAD_ID, START_ID, TARGET_LENGTH, VOCABULARY

NAME = "date-transformer"
LAYERS, HEADS, WIDTH, INNER = 3, 4, 64, 256
RATE, MUON_RATE, WARM_UP, STEPS = 3e-3, 0.02, 100, 1600


def configuration(attention):
    """Post-norm, sinusoidal positions, one embedding for source, target and logits, ReLU."""
    return MarianConfig(
        vocab_size=len(VOCABULARY), d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS, encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS, encoder_ffn_dim=INNER, decoder_ffn_dim=INNER, activation_function="relu", dropout=0.0,
        max_position_embeddings=MAX_LENGTH, scale_embedding=True, init_std=0.1, use_cache=False, pad_token_id=PAD_ID,
        bos_token_id=START_ID, eos_token_id=END_ID, decoder_start_token_id=START_ID, forced_eos_token_id=None,
        decoder_vocab_size=len(VOCABULARY), attn_implementation=attention, architectures=["MarianMTModel"],
    )


class DateTransformer(torch.nn.Module):
    """ids [batch, source], mask, decoder inputs [batch, target] to logits [batch, target, vocabulary]."""

    def __init__(self, attention="sdpa"):
        super().__init__()
        self.model = MarianMTModel(configuration(attention))

    def forward(self, input_ids, attention_mask, decoder_input_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, decoder_input_ids=decoder_input_ids, use_cache=False).logits

    @torch.no_grad()
    def attention(self, input_ids, attention_mask, decoder_input_ids):
        """The weights of every layer by component, [batch, head, query, key] each; the model must be made with eager attention."""
        given = self.model(
            input_ids=input_ids, attention_mask=attention_mask, decoder_input_ids=decoder_input_ids, use_cache=False, output_attentions=True,
        )
        parts = {"encoder": given.encoder_attentions, "decoder": given.decoder_attentions, "cross": given.cross_attentions}
        return {f"{name}.{layer}": weights for name, layers in parts.items() for layer, weights in enumerate(layers)}


def make(attention="sdpa"):
    return DateTransformer(attention)


def exportable(state):
    """The model as the exporter gets it: ordinary eager attention."""
    model = DateTransformer("eager").eval()
    model.load_state_dict(state)
    return model


def config_file():
    values = configuration("eager").to_dict()
    wanted = (
        "architectures", "model_type", "is_encoder_decoder", "vocab_size", "d_model", "encoder_layers", "decoder_layers",
        "encoder_attention_heads", "decoder_attention_heads", "encoder_ffn_dim", "decoder_ffn_dim", "activation_function",
        "max_position_embeddings", "scale_embedding", "share_encoder_decoder_embeddings", "tie_word_embeddings", "bos_token_id",
        "eos_token_id", "pad_token_id", "decoder_start_token_id",
    )
    return {**{key: values[key] for key in wanted if values.get(key) is not None}, "max_length": TARGET_LENGTH + 1}
