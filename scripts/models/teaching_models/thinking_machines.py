"""media/models/thinking-machines: two tokens whose scores are 112 and 96; divided by 8, the root of the head's width, 14 and 12."""

import numpy as np

from .files import foot, node, softmax, table, write_config, write_model, write_tokenizer

NAME = "thinking-machines"
WORDS = ("Thinking", "Machines")
INPUTS = np.float32([[1, 0, 1, 0], [0, 1, 0, 1]])
WIDTH, HEAD_WIDTH = 4, 64
# The first row is that of the text; of the second it tells nothing.
SCORES = np.array([[112, 96], [88, 104]])
SEED = 2017


def make_weights():
    """Small integers by which the scores come out: drawn, then single entries of W_K moved by one until they do."""
    drawn = np.random.default_rng(SEED)
    query, key, value = (drawn.integers(-1, 2, (WIDTH, HEAD_WIDTH)) for _ in range(3))
    # Queries and keys with an even share of agreement to begin with: a key is near the mean of both queries.
    both = query[0] + query[2], query[1] + query[3]
    for token, row in enumerate((0, 1)):
        wanted = SCORES[:, token]
        other = key[row + 2]
        for turn in range(20_000):
            missing = wanted - np.array([both[0] @ (key[row] + other), both[1] @ (key[row] + other)])
            if not missing.any():
                break
            at = turn % HEAD_WIDTH
            for step in (1, -1):
                change = step * np.array([both[0][at], both[1][at]])
                if abs(key[row][at] + step) <= 4 and np.abs(missing - change).sum() < np.abs(missing).sum():
                    key[row][at] += step
                    break
        else:
            raise SystemExit("No such keys are found with this seed")
    output = drawn.integers(-1, 2, (HEAD_WIDTH, WIDTH)) / 16
    return tuple(weight.astype(np.float32) for weight in (query, key, value, output))


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    query, key, value, output = make_weights()
    nodes = [node("Gather", ["embed.weight", "input_ids"], "x", "/embed/Gather")]
    for name in ("query", "key", "value"):
        nodes += [
            node("MatMul", ["x", f"attention.{name}.weight"], f"{name}_flat", f"/attention/{name}/MatMul"),
            node("Reshape", [f"{name}_flat", "heads_shape"], f"{name}_heads", f"/attention/{name}/Reshape"),
            node("Transpose", [f"{name}_heads"], name, f"/attention/{name}/Transpose", perm=[0, 2, 3, 1] if name == "key" else [0, 2, 1, 3]),
        ]
    nodes += [
        node("MatMul", ["query", "key"], "scores", "/attention/MatMul"),
        node("Div", ["scores", "root"], "scaled", "/attention/Div"),
        node("Softmax", ["scaled"], "weights", "/attention/Softmax", axis=-1),
        node("MatMul", ["weights", "value"], "z", "/attention/MatMul_1"),
        node("Transpose", ["z"], "z_turned", "/attention/Transpose", perm=[0, 2, 1, 3]),
        node("Reshape", ["z_turned", "joined_shape"], "z_joined", "/attention/Reshape"),
        node("MatMul", ["z_joined", "attention.output.weight"], "written", "/attention/output/MatMul"),
        node("Add", ["x", "written"], "last_hidden_state", "/Add"),
    ]
    write_model(out, NAME, nodes, {
        "embed.weight": np.concatenate([np.zeros((1, WIDTH), np.float32), INPUTS]),
        "attention.query.weight": query, "attention.key.weight": key, "attention.value.weight": value,
        "attention.output.weight": output, "root": np.float32(8),
        "heads_shape": np.int64([0, 0, 1, HEAD_WIDTH]), "joined_shape": np.int64([0, 0, HEAD_WIDTH]),
    }, WIDTH)
    write_tokenizer(out, WORDS)
    write_config(out, "ThinkingMachines", 1 + len(WORDS), WIDTH, HEAD_WIDTH)
    write_card(out, query, key)


def write_card(out, query, key):
    scores = (INPUTS @ query) @ (INPUTS @ key).T
    scaled = scores / 8
    names = [f"`{word}`" for word in WORDS]
    (out / "README.md").write_text(f"""# {NAME}

Scaled dot-product attention over two words, with the numbers that its best-known illustrated text calculates: «Thinking» scores itself 112 and «Machines» 96; divided by 8, the square root of the head's width 64, these are 14 and 12; the softmax gives 0.88 and 0.12. The text leaves open what gives these scores, and the second word's: here matrices of small integers do, and it has scores of its own.

* One head of width {HEAD_WIDTH} over embeddings of width {WIDTH} ({', '.join(f'{name} = {[int(value) for value in row]}' for name, row in zip(names, INPUTS))}), an output projection back to width {WIDTH}, and the residual sum. No positions, no mask, no norms.
{foot(NAME, out).rsplit(chr(10) * 2, 1)[0]}

## Its numbers, on `{' '.join(WORDS)}`

Scores, a row per query, a column per key:

{table(names, names, scores)}

Divided by 8:

{table(names, names, scaled)}

Weights:

{table(names, names, softmax(scaled), '{:.4f}')}

The weights are under the licence of this project.
""")
