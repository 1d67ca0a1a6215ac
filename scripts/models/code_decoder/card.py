"""Writes the model card from what was measured, so that its numbers are those of the files beside it."""

import json

import numpy as np

from .model import CONFIGURATION
from .train import PHASES, TOKENS_A_STEP

METRICS = {
    "previous token": "mean weight on the token before",
    "induction": "mean weight on the tokens that followed earlier occurrences, on repeated random tokens, over the tokens that occurred before",
    "bracket": "mean weight from a closing bracket on its opening bracket, held-out code",
    "bracket, three tokens apart or more": "the same without pairs such as `()` and `(x)`",
    "indentation": "mean weight from a line's first token on first tokens of earlier lines that are indented alike",
    "duplicate token": "mean weight on earlier occurrences of the same token",
    "sink": "largest mean weight that one key gets from all later queries",
}


def best(metrics, name):
    values = np.array(metrics[name])
    layer, head = np.unravel_index(values.argmax(), values.shape)
    beside = metrics.get(f"{name}, baseline", metrics.get(f"{name} baseline"))
    return layer, head, values.max(), None if beside is None else beside[layer][head]


def compression_table(compression):
    lines = ["| held-out text | files | kB | this model | 5-gram | gzip -9 | xz -9e | perplexity a token |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for language, row in compression["rows"].items():
        lines.append(
            f"| {language} | {row['files']} | {row['bytes'] / 1000:.0f} | **{row['model']:.3f}** | {row['ngram']:.3f} | "
            f"{row['gzip']:.3f} | {row['xz']:.3f} | {row['perplexity']:.1f} |"
        )
    return "\n".join(lines)


def head_table(metrics, meanings=METRICS):
    lines = ["| metric | what it is | head | value | distance-matched baseline |", "|---|---|---|--:|--:|"]
    for name, meaning in meanings.items():
        layer, head, value, beside = best(metrics, name)
        lines.append(f"| {name} | {meaning} | layer {layer}, head {head} | {value:.2f} | {'' if beside is None else f'{beside:.3f}'} |")
    return "\n".join(lines)


def every_head(metrics, names=("previous token", "induction", "bracket", "indentation", "duplicate token", "sink", "entropy")):
    lines = [f"| layer.head | {' | '.join(names)} |", "|---|" + "--:|" * len(names)]
    for layer in range(CONFIGURATION["num_hidden_layers"]):
        for head in range(CONFIGURATION["num_attention_heads"]):
            cells = [f"{metrics[name][layer][head]:.2f}" for name in names]
            lines.append(f"| {layer}.{head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def package_list(corpus, is_held_out):
    """`name version (licence)`, largest first, joined by commas."""
    chosen = [each for each in corpus["packages"] if each["held_out"] == is_held_out]
    merged = {}
    for each in chosen:
        key = (each["package"], each["licence"])
        versions, size = merged.get(key, ([], 0))
        merged[key] = (versions + [each["version"]], size + sum(each["bytes"].values()))
    ordered = sorted(merged.items(), key=lambda item: -item[1][1])
    return ", ".join(f"{name} {'/'.join(sorted(set(versions)))} ({licence})" for (name, licence), (versions, _) in ordered)


def phases():
    """How much of each phase was synthetic, as the beginning of a sentence."""
    parts, start = [], 0
    for until, _, shares in PHASES:
        span = f"from step {start} on" if until >= 10**9 else f"in steps {start} to {until}"
        parts.append(f"{100 * sum(shares):.0f} % of the rows {span}")
        start = until
    return ", ".join(parts)


def write_card(work, out, measured):
    corpus = json.loads((work / "corpus.json").read_text())
    metrics, compression, training = measured["heads"], measured["compression"], measured["training"]
    settings, precision = CONFIGURATION, compression["precision"]
    sizes = ", ".join(f"{language} {size / 1e6:.1f} MB" for language, size in corpus["bytes"]["train"].items())
    speed = measured["speed"]
    timing = f"One run of {speed['length']} tokens takes {speed['medianMilliseconds']} ms (median; fastest {speed['fastestMilliseconds']} ms) in onnxruntime-web, WASM, one thread, on a shared server core." if speed else ""
    tokens = training["step"] * TOKENS_A_STEP
    strict = {name: np.array(metrics[name]).max() for name in metrics if name.startswith("induction over all rows")}
    card = f"""# code-decoder

The default model of Attention Explorer: a small decoder-only Transformer that foretells the next token of source code (Python, TypeScript, JavaScript, JSON, Markdown). It is made to be looked at: small enough to run in an instant, trained enough that its heads do recognisable work. It is no code assistant.

* Architecture: Llama (pre-norm with RMSNorm, RoPE, SwiGLU, tied embeddings; the attention projections have biases), {settings['num_hidden_layers']} layers × {settings['num_attention_heads']} heads of {settings['head_dim']}, width {settings['hidden_size']}, {settings['vocab_size']} tokens, context {settings['max_position_embeddings']}, 1.33 million parameters.
* Tokenizer: byte-level BPE trained on the same code. Every bracket is a token of its own (with or without one space before it), a line's indentation is one token, digits stand alone. `<|endoftext|>` is put before every text.
* Files: `model.onnx` ({measured['bytes'] / 1e6:.1f} MB; inputs `input_ids`, `attention_mask` and the keys and values of what was read before, which may be nothing, `past_key_values.*`; outputs `logits` and the keys and values of all, `present.*`; no attention outputs; torch's ONNX exporter, opset 17, ordinary eager attention), `tokenizer.json`, `config.json`, `tokenizer_config.json`.
* Built by `python scripts/models/build.py code-decoder` (pinned requirements in `scripts/models/requirements.txt`), this card included. The packages found on the machine make up the data, so another machine gives another model.

## How good it is

Bits per byte on files of packages that training never saw; lower is better. gzip and xz compress each file alone; the n-gram model (interpolated Kneser-Ney, the same tokenizer) has counted all {corpus['tokens'] / 1e6:.1f} million training tokens. All held-out files in one archive: gzip {compression['archives']['gzip']:.3f}, xz {compression['archives']['xz']:.3f}.

{compression_table(compression)}

Weights are stored in half precision and cast back in the graph. On a quarter of these files: {precision['shipped']:.4f} bits per byte as shipped, {precision['full']:.4f} in full precision. {timing}

## What its heads do

Measured from `model.onnx` with `scripts/models/code_decoder/heads.py`. The best head for each metric:

{head_table(metrics)}

The baseline is what the same head gives, over all rows of the same texts, at the same distances. Induction is the mean over repeats of 32 to 100 different tokens, two to four times; the model's top guess is the repeated token in {100 * measured['copied']:.0f} % of places. Taken over all rows, those of the first time included, which can have no induction, the best head has {', '.join(f'{value:.2f} ({name.split()[-1]})' for name, value in strict.items())}. Brackets: {measured['pairs']['bracket']} pairs.

<details><summary>Every head</summary>

{every_head(metrics)}

</details>

## Training

{training['step']} steps of {TOKENS_A_STEP:,} tokens ({tokens / 1e6:.1f} million tokens) in {training['seconds'] / 60:.0f} minutes on a crowded machine of two CPU cores, one thread at the lowest priority, no accelerator. Muon on the matrices, Adam on the rest; seed 1. The learning rate was constant to step 2,500, fell to step 3,400, rose to 43 % and fell again: the script as it stands follows one schedule, so it gives other weights. Windows of 64 tokens in the first 900 steps, then mostly 256, one in ten 1,024. Five heads of the first two layers began with a look one, two or three tokens back, by the biases of their queries and keys, after the idea of ConViT (d'Ascoli et al. 2021); training was free to undo it.

![Loss](loss.png)

Real code is not all that it read. {phases()} were one of:

* random tokens, or phrases of random tokens, repeated over and over (loss on the repeats): what induction heads are for;
* nested brackets of mixed kinds among random words, `name ( … ) name`: the closer's kind and the name after it follow from the matching opener (loss on these two);
* real code with a label after each closing bracket, a copy of the token before its opener.

These reward heads that find the matching bracket or the earlier occurrence; no loss was ever put on the attention itself. The training curve is of this mix, whose make-up changes from phase to phase, the held-out one of real code alone (first 512 tokens of 24 files).

## Data

{corpus['files']} files, {corpus['tokens'] / 1e6:.1f} million tokens ({sizes}), taken from packages installed on the build machine under MIT, BSD, Apache-2.0, ISC, PSF-2.0 or 0BSD licences. Left out: minified, generated, vendored and non-English-heavy files, exact and near duplicates, and files that share most of their lines with a held-out one.

Held out, whole packages and modules: {package_list(corpus, True)}.

<details><summary>Trained on, largest first</summary>

{package_list(corpus, False)}.

</details>

## Limits

It has read little: it knows common syntax and idiom, not libraries or facts, and other programming languages and prose only by accident. Positions beyond 256 were rare in training. Bracket heads go by tokens: brackets inside strings and comments lead them astray as they would a simple parser. Its attention shows what this small model does, not what large models do.

The weights are under the licence of this project.
"""
    (out / "README.md").write_text(card)
