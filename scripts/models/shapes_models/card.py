"""Writes the model card from what was measured, so that its numbers are those of the files beside it."""

from .data import SMALLEST
from .models import CONFIGURATION
from .pictures import COLOURS, RADII, SHAPES
from .train import BATCH

ARCHITECTURE = {
    "shapes-vit": "Vision Transformer (Dosovitskiy et al. 2021), as transformers' `ViTForImageClassification`: softmax attention",
    "shapes-linear-vit": "Vision Transformer with focused linear attention (FLatten Transformer, Han et al. 2023), as `scripts/models/shapes_models/linear.py`",
}

# How the training of the shipped weights differed from what the scripts do now.
HISTORY = {
    "shapes-vit": "The shipped weights saw smaller shapes too in their first 3,200 steps, their batches were not moved in the first 4,300, and the schedule was prolonged on the way, last at steps 6,200, 7,500, 10,300 and 12,500 (planned for 2,400 steps first)",
    "shapes-linear-vit": "The shipped weights saw smaller shapes too in their first 2,300 steps, and their batches were not moved",
}

LINEAR = """
## Its attention

Each layer computes φ(Q)(φ(K)ᵀV), divided by φ(Q) times the mean of φ(K), with the focused function φ(x) = ‖x⁺‖ / ‖x⁺ ³‖ · x⁺ ³, x⁺ = ReLU(x), for every head by itself. No matrix of weights exists in it. The equivalent matrix, φ(Q)φ(K)ᵀ with each row divided by its sum, is derived in the graph and labelled as derived. A depthwise 5 × 5 convolution of V over the patches is added to the result, as in the paper; that part is not in the matrix. The class token attends and is attended to like every token; it has no place in the picture and takes no part in the convolution. As in the authors' code, features have a learnt scale and keys learnt positions.
"""


def percent(value):
    return f"{100 * value:.1f} %"


def on_shape(measured):
    best = max((value, layer, head) for layer, row in enumerate(measured["on shape"]) for head, value in enumerate(row))
    lines = ["| layer | " + " | ".join(f"head {head}" for head in range(CONFIGURATION["num_attention_heads"])) + " |", "|---|" + "--:|" * CONFIGURATION["num_attention_heads"]]
    for layer, row in enumerate(measured["on shape"]):
        lines.append(f"| {layer} | " + " | ".join(percent(value) for value in row) + " |")
    return best, "\n".join(lines)


def write_card(name, out, measured):
    (value, layer, head), table = on_shape(measured)
    side, patch = CONFIGURATION["image_size"], CONFIGURATION["patch_size"]
    tokens = (side // patch) ** 2
    rows = [("this model, as shipped", "shipped"), ("the same weights in full precision", "full"), ("logistic regression on pixels (16 × 16)", "logistic regression"), ("nearest colour histogram", "nearest histogram")]
    accuracy = "\n".join(f"| {title} | " + " | ".join(percent(share) for share in measured[key]) + " |" for title, key in rows)
    text = f"""# {name}

Tells the shape and the colour of the one shape in a picture, as one of {len(SHAPES) * len(COLOURS)} labels such as "red circle": {", ".join(SHAPES)}; {", ".join(COLOURS)}. It is made to be looked at: open a picture and see what the class token attends to.

* Architecture: {ARCHITECTURE[name]}, {CONFIGURATION["num_hidden_layers"]} layers × {CONFIGURATION["num_attention_heads"]} heads, width {CONFIGURATION["hidden_size"]}, {measured["parameters"] / 1e6:.2f} million parameters. A picture of {side} × {side} is {tokens} patches of {patch} × {patch} and the class token.
* Files: `model.onnx` ({(out / "model.onnx").stat().st_size / 1e6:.2f} MB; input `pixel_values` [batch, 3, {side}, {side}], output `logits`, no attention outputs; torch's ONNX exporter, opset 17), `config.json`, `preprocessor_config.json` (any picture is made {side} × {side}, bilinear){", `samples/` (pictures of several sizes, for both models)" if name == "shapes-vit" else ""}.

## How good it is

On {measured["held_out"]:,} pictures that training never saw, {measured["held_out"] // len(COLOURS) // len(SHAPES)} of each label (the baselines learn from 8,000 of the training pictures):

| | label | colour | shape |
|---|--:|--:|--:|
{accuracy}

Weights are stored in half precision and cast back in the graph; the shipped file gives the same label as full precision on {100 * measured["agree"]:.2f} % of them.

| {" | ".join(measured["by shape"])} | | {" | ".join(measured["by colour"])} |
|{"--:|" * len(SHAPES)}---|{"--:|" * len(COLOURS)}
| {" | ".join(percent(share) for share in measured["by shape"].values())} | | {" | ".join(percent(share) for share in measured["by colour"].values())} |

By size of the shape: {"; ".join(f"{percent(share)} where it shows in {f'{low} to {high - 1}' if high < tokens else f'{low} or more'} patches" for (low, high), share in measured["by size"].items())}.

## What the class token looks at

![Attention of the class token](attention.png)

The share of the class token's attention that lies on the shape, held-out pictures; {percent(measured["area"])} of the patches show it. Most: layer {layer}, head {head}, {percent(value)}.

{table}
{LINEAR if name == "shapes-linear-vit" else ""}
## Training

{measured["step"]:,} steps of {BATCH} pictures, {measured["seconds"] / 60:.0f} minutes on one thread of a crowded machine of two CPU cores. Muon on the matrices of the layers, Adam on the rest. Besides the class token, patches that show the shape were asked for the label through the same classifier (token labelling, Jiang et al. 2021); no loss was put on attention. Each batch was turned by quarters, mirrored and moved by up to four pixels at random. {HISTORY[name]}.

![Loss](loss.png)

## Data

{measured["training"]:,} training and {measured["held_out"]:,} held-out pictures, drawn by `scripts/models/shapes_models/pictures.py` from seeds of their own: one shape of radius {100 * RADII[0]:.0f} to {100 * RADII[1]:.0f} % of the shorter side, at any place and angle, half of them a little stretched, on a pale, dark or grey gradient, among thin lines and dots of any colour, some over the shape, half with grain; half of the pictures square, the others up to half again as wide as high or as high as wide. Pictures whose shape shows in fewer than {SMALLEST} patches are left out.

Made by `python scripts/models/build.py {name}`.
"""
    (out / "README.md").write_text(text)
