"""Measures the shipped file on dates that were never trained on; writes the model card, its pictures and the tests' fixtures."""

import datetime
import json
import pathlib
import re
import subprocess
import warnings

import matplotlib
import numpy as np
import torch
from dateutil import parser

from .card import write_card
from .characters import source_rows, target_rows, text_of
from .export import Shipped
from .fixtures import write_fixtures
from .forms import Draws, SHORT_FIRST, WORDS, held_out, is_held_out_date

COUNT = 2000
# Each with the parts of the date marked, for the pictures.
EXAMPLES = (("3rd of May 1979", "1979-05-03"), ("Tuesday, July 14th, 1789", "1789-07-14"), ("31.12.99", "1999-12-31"))
KINDS = (
    ("only numbers", lambda text: not re.search(r"[A-Za-z]", text)),
    ("the day as a word", lambda text: re.search(rf"\b({'|'.join(WORDS)})\b", text, re.I)),
    ("a year of two digits", lambda text: not re.search(r"\d{4}", text)),
    ("with a weekday", lambda text: re.search(r"(?i)\b(mon|tue|wed|thu|fri|sat|sun)", text)),
    ("in upper case", lambda text: re.search(r"[A-Z]", text) and text.upper() == text),
)


def greedy_texts(shipped, texts, rows=250):
    return [text_of(row) for start in range(0, len(texts), rows) for row in shipped.greedy(texts[start:start + rows])]


@torch.no_grad()
def full_precision_texts(model, texts, rows=250):
    """Greedy generation of the checkpoint itself."""
    written = []
    for start in range(0, len(texts), rows):
        ids, mask = map(torch.from_numpy, source_rows(texts[start:start + rows]))
        given = torch.zeros(len(ids), 1, dtype=torch.long)
        for _ in range(11):
            given = torch.cat([given, model(ids, mask, given)[:, -1].argmax(-1, keepdim=True)], 1)
        written += [text_of(row) for row in given[:, 1:].tolist()]
    return written


class Rules(parser.parserinfo):
    """dateutil's settings with the rule of forms.py for years of two digits."""

    def convertyear(self, year, century_specified=False):
        return year if century_specified or year > 99 else SHORT_FIRST + (year - SHORT_FIRST) % 100


def by_dateutil(text, knows_rules):
    """What dateutil reads: as it comes, or with the rules of forms.py for order and years and without what stands around the date."""
    is_day_first = knows_rules and re.search(r"\d\.\s?\d|\d-\d", text) is not None and re.match(r"\D*\d{4}", text) is None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            settings = {"parserinfo": Rules(), "dayfirst": is_day_first} if knows_rules else {}
            read = parser.parse(text.strip(" \n().,;:!?") if knows_rules else text, fuzzy=True, default=datetime.datetime(1, 1, 1), **settings)
    except (ValueError, OverflowError):
        return ""
    return read.date().isoformat()


def share(written, pairs):
    return float(np.mean([each == date for each, (_, date) in zip(written, pairs)]))


def alignment(model, count=400):
    """Per layer and head of cross-attention: mean weight from the digits of a part of the date on that part of the source, and by chance."""
    draws, rows = Draws([11, 5]), []
    while len(rows) < count:
        form, date = draws.form(), draws.date()
        if form.suits(date) and is_held_out_date(date):
            rows.append((form.write(date), date.isoformat(), form.spans(date)))
    texts, dates, spans = zip(*rows)
    given = [torch.from_numpy(array) for array in (*source_rows(texts), target_rows(dates)[0])]
    weights = {name: each.numpy() for name, each in model.attention(*given).items() if name.startswith("cross")}
    digits = {"y": (0, 4), "m": (5, 7), "d": (8, 10)}
    chance = np.mean([(end - start) / (len(text) + 1) for text, _, parts in rows for start, end in parts.values()])
    shares = {
        name: np.mean([
            each[index, :, digits[part][0]:digits[part][1], start:end].sum(-1).mean(-1)
            for index, parts in enumerate(spans) for part, (start, end) in parts.items()
        ], 0).tolist()
        for name, each in weights.items()
    }
    return {"shares": shares, "chance": float(chance)}


def speed(out):
    """Milliseconds of greedy generation in onnxruntime-web on one thread, where Node and the package are at hand."""
    script = pathlib.Path(__file__).with_name("time.mjs")
    done = subprocess.run(["node", str(script), str(out / "model.onnx")], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def loss_picture(work, path):
    from matplotlib import pyplot

    log = [json.loads(line) for line in open(work / "log.jsonl", encoding="utf-8")]
    held = [entry for entry in log if "held_out" in entry]
    figure, axes = pyplot.subplots(figsize=(7, 3.2), dpi=90)
    axes.semilogy([entry["step"] for entry in log], [entry["loss"] for entry in log], lw=1, label="loss, training")
    axes.semilogy([entry["step"] for entry in held], [entry["held_out"] for entry in held], "o-", ms=3, label="loss, held-out dates")
    axes.set(xlabel="step", ylabel="nats a character")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    figure.tight_layout()
    figure.savefig(path)


def alignment_picture(model, head, path):
    """The pattern of one head of cross-attention on the examples: rows are what is written, columns what is read."""
    from matplotlib import pyplot

    figure, several = pyplot.subplots(1, len(EXAMPLES), figsize=(11, 3.4), dpi=90, width_ratios=[len(text) + 4 for text, _ in EXAMPLES])
    for axes, (text, date) in zip(several, EXAMPLES):
        given = [torch.from_numpy(array) for array in (*source_rows([text]), target_rows([date])[0])]
        name, index = head
        axes.imshow(model.attention(*given)[name][0, index].numpy(), cmap="viridis", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(text) + 1), [*text.replace(" ", "␣"), "end"], fontsize=8)
        axes.set_yticks(range(len(date) + 1), [*date, "end"], fontsize=8)
        axes.set_title(f"{text} → {date}", fontsize=9)
    figure.tight_layout()
    figure.savefig(path)


def best_head(shares):
    """(name of the layer, head) of the head that aligns best."""
    return max(((name, head) for name, values in shares.items() for head in range(len(values))), key=lambda each: shares[each[0]][each[1]])


def main(kind, work, out, fixtures):
    matplotlib.use("Agg")
    torch.set_num_threads(1)
    saved = torch.load(work / "checkpoint.pt")
    model = kind.make("eager").eval()
    model.load_state_dict(saved["model"])
    shipped = Shipped(out / "model.onnx")
    measured = {"bytes": (out / "model.onnx").stat().st_size, "step": saved["step"], "seconds": saved["seconds"], "sets": {}}
    measured["parameters"] = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    for name, is_form_held_out in (("forms that were trained on", False), ("combinations that were not", True)):
        pairs = held_out(7, COUNT, is_form_held_out)
        texts = [text for text, _ in pairs]
        written = greedy_texts(shipped, texts)
        measured["sets"][name] = {
            "count": len(pairs), "shipped": share(written, pairs), "full": share(full_precision_texts(model, texts), pairs),
            "dateutil": share([by_dateutil(text, False) for text in texts], pairs),
            "dateutil with the rules": share([by_dateutil(text, True) for text in texts], pairs),
            "kinds": {label: [share(*zip(*chosen)), len(chosen)] for label, chosen in chosen_by_kind(written, pairs).items()},
            "wrong": [[text, date, each] for each, (text, date) in zip(written, pairs) if each != date][:12],
        }
        print(name, {key: value for key, value in measured["sets"][name].items()}, flush=True)
    measured["alignment"] = alignment(model)
    measured["best head"] = best_head(measured["alignment"]["shares"])
    measured["speed"] = speed(out)
    print(measured["alignment"], measured["speed"])
    (work / "evaluation.json").write_text(json.dumps(measured, indent=1))
    loss_picture(work, out / "loss.png")
    alignment_picture(model, measured["best head"], out / "alignment.png")
    write_card(kind, out, measured)
    write_fixtures(kind, saved["model"], out, fixtures)


def chosen_by_kind(written, pairs):
    """For every kind, (what was written, the pair) of the texts of that kind."""
    return {label: [(each, pair) for each, pair in zip(written, pairs) if is_of(pair[0])] for label, is_of in KINDS}
