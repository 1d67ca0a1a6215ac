"""Writes media/models/code-encoder: the checkpoint as transformers' EuroBertForMaskedLM through torch's ordinary ONNX exporter."""

from transformers import EuroBertConfig, EuroBertForMaskedLM

from code_decoder.export import in_transformers, write

from .data import CLS, MASK, PAD, SEP


def reference(work, attention="eager"):
    return in_transformers(
        work, EuroBertForMaskedLM, EuroBertConfig, attention, bos_token_id=CLS, eos_token_id=SEP, pad_token_id=PAD, mask_token_id=MASK,
    )


def main(work, out):
    write(work, out, reference, {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]", "pad_token": "[PAD]"})
