"""Writes the model card from what was measured, so that its numbers are those of the files beside it."""

import json

from code_decoder.card import every_head, head_table, package_list

from .train import CONFIGURATION, MASKED, TOKENS_A_STEP

METRICS = {
    "previous token": "mean weight on the token before",
    "next token": "mean weight on the token after",
    "[CLS] and [SEP]": "mean weight on the two special tokens together",
    "line ends": "mean weight on tokens that end a line",
    "closing → opening bracket": "mean weight from a closing bracket on its opening bracket",
    "opening → closing bracket": "and the other way round",
    "same token elsewhere": "mean weight on other occurrences of the same token",
}


def accuracy_table(rows):
    lines = ["| held-out text | masked tokens | this model | neighbours | commonest token | bits a masked token |", "|---|--:|--:|--:|--:|--:|"]
    for language, row in rows.items():
        lines.append(
            f"| {language} | {row['tokens']} | **{100 * row['model']:.1f} %** | {100 * row['neighbours']:.1f} % | "
            f"{100 * row['commonest']:.1f} % | {row['bits']:.2f} |"
        )
    return "\n".join(lines)


def write_card(work, out, measured):
    corpus = json.loads((work / "corpus.json").read_text())
    metrics, training, precision, speed = measured["heads"], measured["training"], measured["accuracy"]["precision"], measured["speed"]
    settings = CONFIGURATION
    tokens = training["step"] * TOKENS_A_STEP
    timing = f"One run of {speed['length']} tokens takes {speed['medianMilliseconds']} ms (median; fastest {speed['fastestMilliseconds']} ms) in onnxruntime-web, WASM, one thread, on a shared server core." if speed else ""
    card = f"""# code-encoder

A small BERT-style encoder (Devlin et al. 2019): it reads code or prose from both sides and fills in what `[MASK]` hides. It is here for its bidirectional attention: heads that look ahead as well as back, from brackets to brackets in both directions, and at the ends of lines.

* Architecture: EuroBERT (Boizard et al. 2025), which is Llama without the causal mask: pre-norm with RMSNorm, RoPE, SwiGLU, tied embeddings; the attention projections have biases. {settings['num_hidden_layers']} layers × {settings['num_attention_heads']} heads of {settings['head_dim']}, width {settings['hidden_size']}, {settings['vocab_size']} tokens, context {settings['max_position_embeddings']}, 1.33 million parameters.
* Tokenizer: that of `code-decoder` with `[PAD]`, `[CLS]`, `[SEP]` and `[MASK]`; a text is read as `[CLS] text [SEP]`. `[MASK]` written in a text is the mask token.
* Files: `model.onnx` ({measured['bytes'] / 1e6:.1f} MB; inputs `input_ids`, `attention_mask`, output `logits`, no attention outputs; torch's ONNX exporter, opset 17, ordinary eager attention), `tokenizer.json`, `config.json`, `tokenizer_config.json`.
* Built by `python scripts/models/build.py code-encoder` (pinned requirements in `scripts/models/requirements.txt`), this card included. The packages found on the machine make up the data, so another machine gives another model.

## How good it is

Share of masked tokens that its first guess gives back, on files of packages that training never saw: windows of 256 tokens, 15 % of them chosen, of which 80 % show `[MASK]`, 10 % another token and 10 % themselves. «Neighbours» guesses the token that stood most often between the same two neighbours in the training text (else after the left one); it is shown the true neighbours, which the model is not where they are masked too.

{accuracy_table(measured['accuracy']['rows'])}

Weights are stored in half precision and cast back in the graph. On a quarter of these windows: {100 * precision['shipped']:.2f} % as shipped, {100 * precision['full']:.2f} % in full precision. {timing}

## What its heads do

Measured from `model.onnx` on held-out code without masks ({measured['pairs']} pairs of brackets). The best head for each metric:

{head_table(metrics, METRICS)}

The baseline is what the same head gives, over all rows of the same texts, at the same distance and direction.

<details><summary>Every head</summary>

{every_head(metrics, (*METRICS, 'entropy'))}

</details>

## Training

{training['step']} steps of {TOKENS_A_STEP:,} tokens ({tokens / 1e6:.1f} million tokens, {100 * MASKED:.0f} % of them masked) in {training['seconds'] / 60:.0f} minutes on a crowded machine of two CPU cores, one thread at the lowest priority, no accelerator. Muon on the matrices, Adam on the rest; seed 1. It began with the weights of `code-decoder` (whose training is not counted here), as encoders are made from decoders (BehnamGhader et al. 2024), with the mask taken away; three heads of the first two layers began with a look at a token ahead, by the biases of their queries and keys; training was free to undo it. 8 % of the rows were synthetic (random tokens that repeat, nested brackets); no loss was put on attention.

![Loss](loss.png)

## Data

The {corpus['files']} files ({corpus['tokens'] / 1e6:.1f} million tokens) of `code-decoder`, whose card lists the packages with their licences. Held out, whole packages and modules: {package_list(corpus, True)}.

## Limits

It has read little: it knows common syntax and idiom, not libraries or facts. Its attention shows what this small model does, not what large models do.

The weights are under the licence of this project.
"""
    (out / "README.md").write_text(card)
