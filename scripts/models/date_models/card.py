"""Writes a date model's card from what was measured, so that its numbers are those of the files beside it."""

from . import seq2seq, transformer
from .forms import FIRST_YEAR, LAST_YEAR, SHORT_FIRST, SHORT_LAST, TEMPLATES
from .train import BATCH

WHAT = {
    transformer.NAME: f"""The encoder–decoder Transformer of *Attention Is All You Need* (Vaswani et al. 2017) at a size to be looked at: it reads a date in free form and writes it as ISO, one character at a time («3rd of May 1979» → «1979-05-03»). The attention to see is the cross-attention: which characters of the source each written digit comes from.

* Architecture: that of transformers' Marian: post-norm, sinusoidal positions, ReLU, one embedding for source, target and logits; {transformer.LAYERS} encoder and {transformer.LAYERS} decoder layers × {transformer.HEADS} heads of {transformer.WIDTH // transformer.HEADS}, width {transformer.WIDTH}.""",
    seq2seq.NAME: f"""The recurrent encoder–decoder of *Neural Machine Translation by Jointly Learning to Align and Translate* (Bahdanau et al. 2015) at a size to be looked at: it reads a date in free form and writes it as ISO, one character at a time («3rd of May 1979» → «1979-05-03»). The attention to see is the alignment matrix of the teaching texts: one head, a row per written character, a column per character read. There is no other attention in it; what comes before and after is read by recurrence.

* Architecture: a bidirectional GRU (2 × {seq2seq.ENCODER}) annotates the source; at each step the decoder's last state and each annotation give a score, vᵀ tanh(W s + U h), whose softmax weighs the annotations into the context; context and last character go into a gated unit of {seq2seq.DECODER}, as in section 3 and appendix A of the paper. The next character is read from a tanh layer over character, context and new state, where the paper has maxout over the old state. In `model.onnx` the decoder is a `Loop` over target positions, and the attention is inside its body.""",
}


def accuracy_table(sets):
    labels = {
        "shipped": "this model, as shipped", "full": "this model, full precision", "dateutil with the rules": "dateutil, told the rules",
        "dateutil": "dateutil, as it comes",
    }
    lines = ["| exact match, held-out dates | " + " | ".join(f"{name} ({row['count']:,})" for name, row in sets.items()) + " |", "|---|" + "--:|" * len(sets)]
    for key, label in labels.items():
        bold = "**" if key == "shipped" else ""
        lines.append(f"| {label} | " + " | ".join(f"{bold}{100 * row[key]:.2f} %{bold}" for row in sets.values()) + " |")
    return "\n".join(lines)


def kind_table(sets):
    lines = ["| of these, texts | " + " | ".join(f"{name} | texts" for name in sets) + " |", "|---|" + "--:|--:|" * len(sets)]
    for kind in next(iter(sets.values()))["kinds"]:
        cells = [f"{100 * accuracy:.2f} % | {count}" for accuracy, count in (row["kinds"][kind] for row in sets.values())]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def mistakes(sets):
    wrong = [each for row in sets.values() for each in row["wrong"]][:5]
    listed = "; ".join(f"`{text.strip()}` → `{written}`" for text, _, written in wrong)
    return f"Some of its mistakes: {listed}." if wrong else "It made no mistake on these."


def head_table(shares):
    heads = len(next(iter(shares.values())))
    if len(shares) * heads == 1:
        return ""
    lines = ["", "| cross-attention | " + " | ".join(f"head {head}" for head in range(heads)) + " |", "|---|" + "--:|" * heads]
    for name, values in shares.items():
        lines.append(f"| layer {name.split('.')[1]} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    return "\n".join([*lines, ""])


def write_card(kind, out, measured):
    sets, (layer, head) = measured["sets"], measured["best head"]
    shares, chance = measured["alignment"]["shares"], measured["alignment"]["chance"]
    speed = measured["speed"]
    timing = f"One date of {speed['numSource']} characters takes {speed['medianMilliseconds']} ms of processor time (median; least {speed['fastestMilliseconds']} ms) to write in onnxruntime-web, WASM, one thread, on a shared server core, {speed['numTarget']} runs of the whole model." if speed else ""
    optimizer = "Muon on the matrices of its layers, Adam on the rest" if kind.MUON_RATE else "Adam"
    where = f"layer {layer.split('.')[1]}, head {head}, " if len(shares) > 1 else ""
    card = f"""# {kind.NAME}

{WHAT[kind.NAME]} {measured['parameters'] / 1000:.0f} thousand parameters.
* Tokenizer: every character is a token (printable ASCII, tab, line end, `–`, `—`, `’`; anything else is `<unk>`). `</s>` ends source and target, `<s>` begins what the decoder reads. Both have one vocabulary.
* Files: `model.onnx` ({measured['bytes'] / 1e6:.2f} MB; inputs `input_ids`, `attention_mask`, `decoder_input_ids`, output `logits` at every target position, no attention outputs, no cache: greedy generation runs it again with each written character; torch's ONNX exporter, opset 17), `tokenizer.json`, `tokenizer_config.json`, `config.json`.
* Built by `python scripts/models/build.py {kind.NAME}` (pinned requirements in `scripts/models/requirements.txt`), this card included. It makes its data itself.

## How good it is

{accuracy_table(sets)}

A date counts when all ten characters and the end are right, in greedy generation from the shipped file. Held out: one date in ten, by a hash of the date, was never trained on in any form; all texts here are of such dates. Of the combinations of styles (order and punctuation, style of day, month and year, weekday, case) that have a weekday or unusual case, one in eight was never trained on either: the second column. Nothing in it is new but the combination.

{kind_table(sets)}

{mistakes(sets)}

dateutil is a date parser made by hand, though not for these forms: told the rules for order and two-digit years, and without what stands around the date, most of what it gets wrong has the day as a word, which it does not know. A nearest neighbour among training texts gets none right, as no held-out date is among them. The task has exact rules, so a parser written from `scripts/models/date_models/forms.py` would make no mistake: the model is there for its attention.

Large weights are stored in half precision and cast back in the graph; «full precision» is the checkpoint before that, in PyTorch. {timing}

## What its attention does

![Attention](alignment.png)

Rows are what is written, columns what is read ({where}PyTorch, full precision): a row is where the decoder looks to write that character. Weight from the written digits of a part of the date (year, month, day) on the characters of that part, mean over 400 held-out dates: {shares[layer][head]:.2f}{' in the head shown' if where else ''}; weight spread evenly would have {chance:.2f} there.
{head_table(shares)}
Attention need not be where the answer is: {'a state that has read the whole source can hold what a part said at any of its characters, often the last one or the one after' if kind.NAME == seq2seq.NAME else 'the encoder can move what a part says to another position, such as the character after it, before the decoder looks'}.

## Forms

{len(TEMPLATES)} orders of parts, from `{next(iter(TEMPLATES))}` to `{list(TEMPLATES)[-1]}`; days as `3`, `03`, `3rd`, `third`; months by name, by three letters (or `Sept`) with or without a dot, or by number; years from {FIRST_YEAR} to {LAST_YEAR} with four digits, or two; a weekday in front or none; usual, lower or upper case; sometimes blanks, a word (`on`, `since`, `Date:`) or punctuation around it. Where all parts are numbers, order is by rule:

* a year of four digits in front: year, month, day (`1979-05-03`, `1979/5/3`, `19790503`);
* else dots and hyphens: day, month, year (`3.5.1979`, `03-05-79`);
* else slashes: month, day, year (`5/3/1979`);
* a year of two digits is from {SHORT_FIRST} to {SHORT_LAST} (`'79` is 1979, `12` is 2012).

## Training

{measured['step']:,} steps of {BATCH} pairs, fresh ones at each step, in {measured['seconds'] / 60:.0f} minutes on a crowded machine of two CPU cores, one thread, no accelerator. {optimizer}; seed 1. No loss was put on the attention.

![Loss](loss.png)

## Limits

It knows dates of the Gregorian calendar in English and in the forms above, and nothing else: for any other text it writes some date or something like one. It does not check the weekday, and takes a day that a month does not have as it stands. Two-digit years and orders follow the rules above whatever the writer meant.

The weights are under the licence of this project.
"""
    (out / "README.md").write_text(card)
