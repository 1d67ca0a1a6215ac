"""The corpus of code-decoder, with a tokenizer that has the special tokens of a masked language model."""

import json

from code_decoder import data as decoder_data

SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
FIRST_SPECIAL = decoder_data.VOCABULARY_SIZE
PAD, CLS, SEP, MASK = range(FIRST_SPECIAL, FIRST_SPECIAL + len(SPECIAL))


def with_special_tokens(tokenizer):
    """code-decoder's tokenizer.json with [PAD], [CLS], [SEP] and [MASK] after its vocabulary: `[CLS] text [SEP]`."""
    changed = dict(tokenizer)
    changed["added_tokens"] = tokenizer["added_tokens"] + [
        {"id": FIRST_SPECIAL + index, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for index, content in enumerate(SPECIAL)
    ]
    special = {content: {"id": content, "ids": [FIRST_SPECIAL + SPECIAL.index(content)], "tokens": [content]} for content in ("[CLS]", "[SEP]")}

    def piece(content, type_id):
        return {"SpecialToken": {"id": content, "type_id": type_id}}

    changed["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [piece("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, piece("[SEP]", 0)],
        "pair": [piece("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, piece("[SEP]", 0), {"Sequence": {"id": "B", "type_id": 1}}, piece("[SEP]", 1)],
        "special_tokens": special,
    }
    return changed


def main(work, node_modules, seed):
    work.mkdir(parents=True, exist_ok=True)
    corpus = work.parent / "code-decoder"
    if not (corpus / "train.bin").exists():
        decoder_data.main(corpus, node_modules, seed)
    tokenizer = with_special_tokens(json.loads((corpus / "tokenizer.json").read_text(encoding="utf-8")))
    (work / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    for name in ("train.bin", "heldout.jsonl", "corpus.json"):
        if not (work / name).exists():
            (work / name).symlink_to((corpus / name).resolve())
