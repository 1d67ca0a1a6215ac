"""The tokenizer of both models: every character is a token, as a Hugging Face tokenizer.json."""

import json

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

START, PAD, END, UNKNOWN = "<s>", "<pad>", "</s>", "<unk>"
SPECIAL = (START, PAD, END, UNKNOWN)
START_ID, PAD_ID, END_ID, UNKNOWN_ID = range(4)
CHARACTERS = "\t\n" + "".join(chr(code) for code in range(32, 127)) + "–—’"
VOCABULARY = {token: number for number, token in enumerate((*SPECIAL, *CHARACTERS))}
MAX_LENGTH = 128
# ISO dates have ten characters; </s> follows.
TARGET_LENGTH = 11


def make_tokenizer():
    """Sources end with </s>; nothing stands before them."""
    tokenizer = Tokenizer(models.WordLevel(vocab=VOCABULARY, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", pair=f"$A {END} $B {END}", special_tokens=[(END, END_ID)])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return tokenizer


def source_rows(texts):
    """ids and mask [batch, position] of texts, padded on the right."""
    rows = [[VOCABULARY.get(character, UNKNOWN_ID) for character in text] + [END_ID] for text in texts]
    length = max(map(len, rows))
    ids = np.full((len(rows), length), PAD_ID, dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, :len(row)] = row
    return ids, (ids != PAD_ID).astype(np.int64)


def target_rows(dates):
    """Decoder inputs (<s> and the date) and targets (the date and </s>), [batch, 11] each."""
    rows = np.array([[VOCABULARY[character] for character in date] for date in dates], dtype=np.int64)
    first, last = np.full((len(rows), 1), START_ID), np.full((len(rows), 1), END_ID)
    return np.concatenate([first, rows], 1), np.concatenate([rows, last], 1)


def text_of(ids):
    """What a row of target ids says, up to </s>."""
    characters = []
    for number in ids:
        if number == END_ID:
            break
        characters.append(CHARACTERS[number - len(SPECIAL)] if number >= len(SPECIAL) else SPECIAL[number])
    return "".join(characters)


def write_tokenizer(out):
    make_tokenizer().save(str(out / "tokenizer.json"), pretty=False)
    (out / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": START, "eos_token": END, "pad_token": PAD, "unk_token": UNKNOWN,
        "model_max_length": MAX_LENGTH, "clean_up_tokenization_spaces": False,
    }, indent=2) + "\n")
