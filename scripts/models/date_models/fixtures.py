"""The tests' fixtures: held-out dates, and the attention that PyTorch gives for a few of them with the weights as shipped."""

import json

import torch
from safetensors.torch import save_file

from shared.onnx_files import HALF_FROM_ELEMENTS

from .characters import source_rows, target_rows
from .forms import held_out

# Of forms that were trained on, and of combinations that were not.
COUNTS = (300, 100)
SEED = 2024


def halved(state):
    """The weights as the exported file has them: large ones rounded to half precision."""
    return {
        name: tensor.half().float() if tensor.dtype == torch.float32 and tensor.numel() >= HALF_FROM_ELEMENTS else tensor
        for name, tensor in state.items()
    }


def write_fixtures(kind, state, out, fixtures):
    folder = fixtures / kind.NAME
    folder.mkdir(parents=True, exist_ok=True)
    known, unknown = (held_out(SEED, count, is_form_held_out) for count, is_form_held_out in zip(COUNTS, (False, True)))
    lists = {"knownForms": known, "unknownForms": unknown}
    lines = [f' "{name}": [\n' + ",\n".join(f"  {json.dumps(pair, ensure_ascii=False)}" for pair in pairs) + "\n ]" for name, pairs in lists.items()]
    (fixtures / "heldOut.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    model = kind.make("eager").eval()
    model.load_state_dict(halved(state))
    for index, (text, date) in enumerate((known[0], known[1], unknown[0])):
        ids, mask = map(torch.from_numpy, source_rows([text]))
        given = torch.from_numpy(target_rows([date])[0])
        tensors = {"in.input_ids": ids, "in.attention_mask": mask, "in.decoder_input_ids": given}
        tensors |= {f"attention.{name}": weights.contiguous() for name, weights in model.attention(ids, mask, given).items()}
        with torch.no_grad():
            tensors["output"] = model(ids, mask, given)
        save_file(tensors, str(folder / f"expected.{index}.safetensors"))
