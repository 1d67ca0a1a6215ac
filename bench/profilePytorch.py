"""The metrics of every head of the bundled code decoder over chunks of texts, by PyTorch with output_attentions=True: what `profile` is compared with.

    profilePytorch.py CHUNKS.json THREADS          CHUNKS.json is a list of texts

Prints seconds, those of the processor, and the mean of each metric over the chunks. Metrics are whole tensors over all heads of a layer at once.
"""

import json
import sys
import time
from pathlib import Path

sys.modules["torchvision"] = None
ROOT = Path.cwd()
sys.path.insert(0, str(ROOT / "scripts" / "models"))

import torch
from code_decoder.restore import weights_of
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

MODEL = ROOT / "media" / "models" / "code-decoder"
DELIMITERS = set("()[]{}<>,;:.!?、。，；：！？（）「」")


def is_delimiter(text, is_special):
    return not is_special and (bool({"\n", "\r"} & set(text)) or (bool(text.strip()) and set(text.strip()) <= DELIMITERS))


def metrics_of(weights, ids, delimiters):
    """Metrics of one layer, weights[head, query, key], in double precision where sums are long."""
    n = weights.shape[-1]
    place = torch.arange(n)
    far = (place[:, None] - place[None, :]).abs().double()
    same = ids[:, None] == ids[None, :]
    earlier = same & (place[None, :] < place[:, None])
    followed = torch.zeros_like(same)
    followed[:, 1:] = earlier[:, :-1]
    repeated = earlier.any(dim=1)
    double = weights.double()
    entropies = -torch.special.xlogy(double, double).sum(dim=2)
    alphas = (double.sum(dim=1) / (n - place))[:, : max(1, n - 7)]
    distance = (double * far).sum(dim=(1, 2)) / n
    found = {
        "previousToken": double.diagonal(-1, 1, 2).sum(dim=1) / (n - 1),
        "self": double.diagonal(0, 1, 2).sum(dim=1) / n,
        "sinkMass": alphas.max(dim=1).values,
        "sinkKey": alphas.argmax(dim=1).double(),
        "entropy": (entropies[:, 1:] / torch.log(place[1:] + 1.0)).mean(dim=1),
        "entropyInNats": entropies.mean(dim=1),
        "distance": distance,
        "distanceVariance": (double * far**2).sum(dim=(1, 2)) / n - distance**2,
    }
    if repeated.sum() >= 8:
        on_followed = double * followed
        found["induction"] = on_followed.sum(dim=(1, 2)) / n
        found["repeatedInduction"] = torch.where(on_followed < 0.01, 0, on_followed)[:, repeated].sum(dim=(1, 2)) / repeated.sum()
        found["duplicateToken"] = (double * earlier).sum(dim=(1, 2)) / n
    if delimiters.any():
        found["delimiters"] = double[:, :, delimiters].sum(dim=2).mean(dim=1)
    return found


@torch.no_grad()
def main():
    texts = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(int(sys.argv[2]))
    config = LlamaConfig(**json.loads((MODEL / "config.json").read_text()))
    config._attn_implementation = "eager"
    model = LlamaForCausalLM(config).eval()
    model.model.load_state_dict(weights_of(MODEL / "model.onnx"), strict=False)
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special}

    def read(text):
        encoding = tokenizer.encode(text)
        ids = torch.tensor(encoding.ids)
        marks = [is_delimiter(text[start:stop], token in special) for (start, stop), token in zip(encoding.offsets, encoding.tokens)]
        attentions = model(ids[None], output_attentions=True).attentions
        layers = [metrics_of(layer[0], ids, torch.tensor(marks)) for layer in attentions]
        return {name: torch.cat([layer[name] for layer in layers]) for name in layers[0]}

    for text in texts[:3]:
        read(text)
    sums, counts = {}, {}
    started, begun = time.perf_counter(), time.process_time()
    for text in texts:
        for name, values in read(text).items():
            sums[name] = sums.get(name, 0) + values
            counts[name] = counts.get(name, 0) + 1
    took = {"seconds": time.perf_counter() - started, "processorSeconds": time.process_time() - begun}
    print(json.dumps({**took, "means": {name: (total / counts[name]).tolist() for name, total in sums.items()}}))


main()
