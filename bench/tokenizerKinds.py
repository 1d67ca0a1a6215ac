"""Makes what bench/tokenizer.ts measures: folders of tokenizer files with vocabularies of real sizes, trained on the Markdown and the
translations that node_modules holds, three texts of 100 kB, and for each folder the tokenizer.json of what transformers makes of its files.

    python bench/tokenizerKinds.py OUT
"""

import base64
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import sentencepiece
import tokenizers
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(sys.argv[1]).resolve()
UNITS = 100_000


def texts() -> tuple[list[str], dict[str, str]]:
    """The lines to train on, and the texts to measure with, whose English no vocabulary was trained on."""
    markdown = [path.read_text("utf-8", "replace") for path in sorted((ROOT / "node_modules").glob("**/*.md")) if path.is_file()]
    prose = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "bench/RESULTS.md"))
    locales = [list(strings_of(json.loads(path.read_text("utf-8")))) for path in sorted((ROOT / "node_modules/axe-core/locales").glob("*.json")) if not path.name.startswith("_")]
    languages = "\n".join(line for lines in itertools.zip_longest(*locales) for line in lines if line is not None)
    lines = prose.split("\n")
    foreign = iter(languages.split("\n"))
    mixed = "\n".join(line if i % 5 else line + "\n" + next(foreign, "") for i, line in enumerate(lines))
    return "\n".join(markdown + [languages]).split("\n"), {"prose": cut(prose), "mixed": cut(mixed), "languages": cut(languages)}


def cut(text: str) -> str:
    """So many code units of UTF-16."""
    return (text * (1 + UNITS // len(text))).encode("utf-16-le")[: 2 * UNITS].decode("utf-16-le", "ignore")


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from strings_of(child)


def trained(model, trainer, pre, lines, normalizer=None) -> dict:
    made = Tokenizer(model)
    made.pre_tokenizer = pre
    if normalizer is not None:
        made.normalizer = normalizer
    made.train_from_iterator(lines, trainer)
    return json.loads(made.to_str())["model"]


def sentence_piece(lines: list[str], kind: str, size: int, rule: str, **more) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "c.txt").write_text("\n".join(lines), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(input=str(Path(folder, "c.txt")), model_prefix=str(Path(folder, "m")), model_type=kind, vocab_size=size, normalization_rule_name=rule, hard_vocab_limit=False, minloglevel=2, num_threads=1, input_sentence_size=40_000, shuffle_input_sentence=False, **more)
        return Path(folder, "m.model").read_bytes()


def pieces_in_lines(model: dict) -> str:
    return "\n".join(sorted(model["vocab"], key=model["vocab"].get)) + "\n"


def tiktoken_file(model: dict) -> str:
    """The ranks of a byte-level vocabulary."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    byte_of = {chr(byte): byte for byte in visible} | {chr(256 + i): byte for i, byte in enumerate(byte for byte in range(256) if byte not in visible)}
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    return "".join(f"{base64.b64encode(bytes(byte_of[c] for c in piece)).decode()} {rank}\n" for rank, piece in enumerate(pieces))


def folders(lines: list[str]):
    """(name, files): a class in each folder's settings says how they are read."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for name, lowers in (("BertTokenizer uncased", True), ("BertTokenizer cased", False)):
        model = trained(models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=30_000, special_tokens=special, show_progress=False), pre_tokenizers.BertPreTokenizer(), lines, normalizers.BertNormalizer(lowercase=lowers))
        yield name, "BertTokenizer", {"vocab.txt": pieces_in_lines(model)}, {"do_lower_case": lowers}
    byte = trained(models.BPE(), trainers.BpeTrainer(vocab_size=50_000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False), pre_tokenizers.ByteLevel(add_prefix_space=False), lines)
    files = {"vocab.json": json.dumps(byte["vocab"], ensure_ascii=False), "merges.txt": "#version: 0.2\n" + "\n".join(" ".join(pair) for pair in byte["merges"]) + "\n"}
    yield "GPT2Tokenizer", "GPT2Tokenizer", files, {}
    yield "RobertaTokenizer", "RobertaTokenizer", files, {}
    yield "Qwen2Tokenizer", "Qwen2Tokenizer", files, {}
    yield "tiktoken", "LlamaTokenizer", {"tokenizer.model": tiktoken_file(byte)}, {}
    bpe = sentence_piece(lines, "bpe", 32_000, "identity", byte_fallback=True, character_coverage=0.9995, split_digits=True)
    yield "LlamaTokenizer", "LlamaTokenizer", {"tokenizer.model": bpe}, {}
    yield "LlamaTokenizer legacy", "LlamaTokenizer", {"tokenizer.model": bpe}, {"legacy": True}
    yield "GemmaTokenizer", "GemmaTokenizer", {"tokenizer.model": bpe}, {}
    unigram = sentence_piece(lines, "unigram", 32_000, "nmt_nfkc")
    yield "T5Tokenizer", "T5Tokenizer", {"spiece.model": unigram}, {}
    yield "XLMRobertaTokenizer", "XLMRobertaTokenizer", {"sentencepiece.bpe.model": unigram}, {}
    yield "AlbertTokenizer", "AlbertTokenizer", {"spiece.model": sentence_piece(lines, "unigram", 30_000, "nmt_nfkc_cf", control_symbols=["[CLS]", "[SEP]", "<pad>"], user_defined_symbols=["[MASK]"])}, {}
    yield "DebertaV2Tokenizer", "DebertaV2Tokenizer", {"spm.model": unigram}, {}


def main() -> None:
    lines, measured = texts()
    OUT.mkdir(parents=True, exist_ok=True)
    for name, text in measured.items():
        (OUT / f"{name}.txt").write_text(text, encoding="utf-8", newline="")
    kinds = []
    for name, made, files, settings in folders(lines):
        folder = OUT / name.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": made, **settings}))
        AutoTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "reference.json"))
        kinds.append({"name": name, "folder": folder.name, "files": sorted(files)})
    versions = {module.__name__: module.__version__ for module in (transformers, tokenizers, sentencepiece)}
    (OUT / "kinds.json").write_text(json.dumps({"versions": versions, "texts": sorted(measured), "kinds": kinds}, indent=1))


if __name__ == "__main__":
    main()
