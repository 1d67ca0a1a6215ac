"""date-seq2seq: the recurrent encoder-decoder with additive attention of Bahdanau et al. 2015 (sections 3 and A.1)."""

from typing import List, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .characters import END_ID, MAX_LENGTH, PAD_ID, START_ID, TARGET_LENGTH, VOCABULARY

NAME = "date-seq2seq"
EMBEDDING, ENCODER, DECODER, ALIGNMENT, READOUT = 48, 64, 96, 64, 64
RATE, MUON_RATE, WARM_UP, STEPS = 3e-3, None, 100, 3000


class Encoder(nn.Module):
    """ids [batch, source] to annotations [batch, source, 2 × ENCODER]: what is read forwards and backwards up to each position."""

    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(len(VOCABULARY), EMBEDDING, padding_idx=PAD_ID)
        self.recurrence = nn.GRU(EMBEDDING, ENCODER, batch_first=True, bidirectional=True)

    def forward(self, input_ids, attention_mask, is_sorted: bool = False):
        # Without the lengths the backward direction would begin in the padding.
        lengths = attention_mask.sum(1)
        packed = pack_padded_sequence(self.embed_tokens(input_ids), lengths.cpu(), batch_first=True, enforce_sorted=is_sorted)
        annotations, _ = pad_packed_sequence(self.recurrence(packed)[0], batch_first=True, total_length=input_ids.shape[1])
        return annotations


# The decoder's weights that are used at every step: torch.jit's functions take tensors, not modules, from what is traced.
Alignment = Tuple[Tensor, Tensor]
Gates = Tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def align(alignment: Alignment, state: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
    """α_ij = softmax_j(vᵀ tanh(W s_{i−1} + U h_j)), [batch, source]."""
    scores = torch.matmul(torch.tanh(functional.linear(state, alignment[0]).unsqueeze(1) + keys), alignment[1])
    return torch.softmax(scores.masked_fill(mask == 0, -1e9), -1)


def step(gates: Gates, state: Tensor, read: Tensor) -> Tensor:
    """s_i from s_{i−1} and what is read, [y_{i−1}; c_i]: the gated unit of appendix A.1.2."""
    seen = torch.cat([read, state], -1)
    update = torch.sigmoid(functional.linear(seen, gates[0], gates[1]))
    reset = torch.sigmoid(functional.linear(seen, gates[2], gates[3]))
    fresh = torch.tanh(functional.linear(torch.cat([read, reset * state], -1), gates[4], gates[5]))
    return (1 - update) * state + update * fresh


def recur(alignment: Alignment, gates: Gates, embedded: Tensor, annotations: Tensor, keys: Tensor, mask: Tensor, state: Tensor) -> Tensor:
    """The decoder's loop over target positions: embedded [batch, target, EMBEDDING] to [y_{i−1}; c_i; s_i] of each."""
    outputs: List[Tensor] = []
    for position in range(embedded.size(1)):
        weights = align(alignment, state, keys, mask)
        context = torch.bmm(weights.unsqueeze(1), annotations).select(1, 0)
        read = torch.cat([embedded.select(1, position), context], -1)
        state = step(gates, state, read)
        outputs.append(torch.cat([read, state], -1))
    return torch.stack(outputs, 1)


class DateSeq2Seq(nn.Module):
    """ids [batch, source], mask, decoder inputs [batch, target] to logits [batch, target, vocabulary]."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.embed_tokens = nn.Embedding(len(VOCABULARY), EMBEDDING, padding_idx=PAD_ID)
        self.bridge = nn.Linear(ENCODER, DECODER)
        self.key = nn.Linear(2 * ENCODER, ALIGNMENT)
        self.query = nn.Linear(DECODER, ALIGNMENT, bias=False)
        self.score = nn.Parameter(torch.randn(ALIGNMENT) * ALIGNMENT**-0.5)
        self.update, self.reset, self.fresh = (nn.Linear(EMBEDDING + 2 * ENCODER + DECODER, DECODER) for _ in range(3))
        self.readout = nn.Linear(DECODER + 2 * ENCODER + EMBEDDING, READOUT)
        self.logits = nn.Linear(READOUT, len(VOCABULARY))
        self.is_sorted = False
        self.recur = recur

    def prepare(self, input_ids, attention_mask):
        """Annotations h_j, their part of the alignment U h_j, and s_0, made from the backward reading of the whole source."""
        annotations = self.encoder(input_ids, attention_mask, self.is_sorted)
        return annotations, self.key(annotations), torch.tanh(self.bridge(annotations[:, 0, ENCODER:]))

    def alignment(self):
        return (self.query.weight, self.score)

    def gates(self):
        return (self.update.weight, self.update.bias, self.reset.weight, self.reset.bias, self.fresh.weight, self.fresh.bias)

    def forward(self, input_ids, attention_mask, decoder_input_ids):
        annotations, keys, state = self.prepare(input_ids, attention_mask)
        embedded = self.embed_tokens(decoder_input_ids)
        read = self.recur(self.alignment(), self.gates(), embedded, annotations, keys, attention_mask, state)
        return self.logits(torch.tanh(self.readout(read)))

    @torch.no_grad()
    def attention(self, input_ids, attention_mask, decoder_input_ids):
        """The alignment as one layer with one head, [batch, 1, target, source]."""
        annotations, keys, state = self.prepare(input_ids, attention_mask)
        embedded = self.embed_tokens(decoder_input_ids)
        rows = []
        for position in range(embedded.size(1)):
            weights = align(self.alignment(), state, keys, attention_mask)
            context = torch.bmm(weights.unsqueeze(1), annotations).select(1, 0)
            state = step(self.gates(), state, torch.cat([embedded[:, position], context], -1))
            rows.append(weights)
        return {"cross.0": torch.stack(rows, 1).unsqueeze(1)}


def make(attention=None):
    return DateSeq2Seq()


def exportable(state):
    """The model as the exporter gets it: all traced but for the decoder's loop, which is scripted."""
    model = DateSeq2Seq().eval()
    model.load_state_dict(state)
    # The exporter hands the lengths to ONNX's GRU, which does not ask for sorted rows; the sorting would only stay in the graph.
    model.is_sorted = True
    model.recur = torch.jit.script(recur)
    return model


def config_file():
    return {
        "architectures": ["DateSeq2Seq"], "model_type": "rnn-encoder-decoder", "is_encoder_decoder": True, "vocab_size": len(VOCABULARY),
        "embedding_size": EMBEDDING, "encoder_hidden_size": ENCODER, "decoder_hidden_size": DECODER, "alignment_size": ALIGNMENT,
        "encoder_layers": 1, "decoder_layers": 1, "max_position_embeddings": MAX_LENGTH, "bos_token_id": START_ID, "eos_token_id": END_ID,
        "pad_token_id": PAD_ID, "decoder_start_token_id": START_ID, "max_length": TARGET_LENGTH + 1,
    }
