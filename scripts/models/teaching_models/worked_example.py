"""media/models/worked-example: self-attention over three inputs of width 4, with integers that can be followed by hand."""

import numpy as np

from .files import foot, node, softmax, table, write_config, write_model, write_tokenizer

NAME = "worked-example"
WORDS = ("x1", "x2", "x3")
INPUTS = np.float32([[1, 0, 1, 0], [0, 2, 0, 2], [1, 1, 1, 1]])
W_QUERY = np.float32([[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 1]])
W_KEY = np.float32([[0, 0, 1], [1, 1, 0], [0, 1, 0], [1, 1, 0]])
W_VALUE = np.float32([[0, 2, 0], [0, 3, 0], [1, 0, 3], [1, 1, 0]])


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    nodes = [
        node("Gather", ["embed.weight", "input_ids"], "x", "/embed/Gather"),
        node("MatMul", ["x", "attention.query.weight"], "q", "/attention/query/MatMul"),
        node("MatMul", ["x", "attention.key.weight"], "k", "/attention/key/MatMul"),
        node("MatMul", ["x", "attention.value.weight"], "v", "/attention/value/MatMul"),
        node("Transpose", ["k"], "k_turned", "/attention/Transpose", perm=[0, 2, 1]),
        node("MatMul", ["q", "k_turned"], "scores", "/attention/MatMul"),
        node("Softmax", ["scores"], "weights", "/attention/Softmax", axis=-1),
        node("MatMul", ["weights", "v"], "last_hidden_state", "/attention/MatMul_1"),
    ]
    write_model(out, NAME, nodes, {
        "embed.weight": np.concatenate([np.zeros((1, 4), np.float32), INPUTS]),
        "attention.query.weight": W_QUERY, "attention.key.weight": W_KEY, "attention.value.weight": W_VALUE,
    }, W_VALUE.shape[1])
    write_tokenizer(out, WORDS)
    write_config(out, "WorkedExample", 1 + len(WORDS), INPUTS.shape[1], W_QUERY.shape[1])
    write_card(out)


def write_card(out):
    queries, keys, values = (INPUTS.astype(np.float64) @ weight for weight in (W_QUERY, W_KEY, W_VALUE))
    scores = queries @ keys.T
    weights = softmax(scores)
    outputs = weights @ values
    names = [f"`{word}`" for word in WORDS]
    (out / "README.md").write_text(f"""# {NAME}

Self-attention worked out by hand: three inputs of width 4, one head of width 3, matrices of small integers, as in the step-by-step texts that teach it. What such a text writes on paper, the view **How** shows in the graph, number by number. Scores are not scaled, nothing is masked, there are no positions and there is no output projection: what the head gives is the model's output.

* Inputs: {', '.join(f'{name} = {[int(value) for value in row]}' for name, row in zip(names, INPUTS))}.
* Queries {[[int(value) for value in row] for row in queries]}, keys {[[int(value) for value in row] for row in keys]}, values {[[int(value) for value in row] for row in values]}.
{foot(NAME, out).rsplit(chr(10) * 2, 1)[0]}

## Its numbers, on `{' '.join(WORDS)}`

Scores, a row per query, a column per key:

{table(names, names, scores)}

Weights, the true softmax of each row; texts round the first to 0.0, 0.5, 0.5:

{table(names, names, weights, '{:.4f}')}

What the head gives:

{table(names, ['0', '1', '2'], outputs, '{:.4f}')}

The weights are under the licence of this project.
""")
