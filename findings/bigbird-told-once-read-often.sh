#!/usr/bin/env bash
# BigBird's block-sparse attention reads the first block several times when it is evaluated, and tells of it once.
#
# Version: transformers 5.18.0, torch 2.13.0 (processor).
# Source: BigBird, `attention_type="block_sparse"`, `num_random_blocks`, and what `output_attentions=True` returns.
# One would guess: the random blocks of a row are others than those that it reads anyway, and the attentions that are returned, times
#   the values, are what the layer gives.
# What happens: outside training every random block is the first one. Its keys then stand 1 + num_random_blocks times in an inner row's
#   softmax, and the returned matrix has one of these shares: rows sum to less than one, and give the layer's result only where the
#   first block's columns are multiplied again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.13.0 transformers==5.18.0 numpy==2.4.6
cat > check.py <<'PY'
import torch
from transformers import BigBirdConfig, BigBirdModel

torch.manual_seed(0)
block, length, random_blocks = 8, 80, 2
model = BigBirdModel(
    BigBirdConfig(
        vocab_size=99, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=37,
        max_position_embeddings=128, block_size=block, num_random_blocks=random_blocks, attention_type="block_sparse",
    )
).eval()
seen = {}
attention = model.encoder.layer[0].attention.self
attention.register_forward_hook(lambda module, inputs, output: seen.update(context=output[0]))
attention.value.register_forward_hook(lambda module, inputs, output: seen.update(values=output))
with torch.no_grad():
    told = model(torch.randint(5, 99, (1, length)), output_attentions=True).attentions[0][0]
values, context = (seen[name][0].view(length, 2, 16).transpose(0, 1) for name in ("values", "context"))
inner = slice(2 * block, length - 2 * block)
for times in range(1, random_blocks + 2):
    weights = told[:, inner].clone()
    weights[:, :, :block] *= times
    is_given = torch.allclose(weights @ values, context[:, inner], atol=1e-5)
    print(f"first block {times} times: rows sum to {weights.sum(-1).mean():.2f}, times the values they are the result: {is_given}")
PY
env/bin/python check.py 2> /dev/null | tee output
grep -q '^first block 1 times: rows sum to 0.*: False$' output
grep -q '^first block 3 times: rows sum to 1.00, .*: True$' output
# Output seen:
# first block 1 times: rows sum to 0.71, times the values they are the result: False
# first block 2 times: rows sum to 0.86, times the values they are the result: False
# first block 3 times: rows sum to 1.00, times the values they are the result: True
