"""Tries the product on a tiny model of every architecture that transformers can build offline, and prints a table.

    python scripts/sweep/sweep.py [NAME ...] [--shard I/N] [--forms 1] [--variants 1] [--exporter legacy] [--jobs 1] [--write]

Each architecture is exported in `--forms` of four ways (attention eager or by SDPA, PyTorch's older or newer exporter) and each
export also in `--variants` of four (8 bits, half precision, optimised by ONNX Runtime, a decoder that goes on from a past). What is drawn is compared with what was recorded
below PyTorch's operators. Results go to out/sweep/results.jsonl, a line a file; what stands there is not tried again. `--write`
puts them in the place of what test/SWEEP.jsonl has of the same architectures, and makes test/SWEEP.md of that. Needs torch, transformers, onnx, onnxscript, onnxruntime and safetensors.
"""

import argparse
import contextlib
import hashlib
import io
import json
import logging
import multiprocessing
import os
import re
import resource
import shutil
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import onnxruntime  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

from exported import FORMS, VARIANTS, check_loads, check_runs, export, vary  # noqa: E402
from judge import ROOT, Commands, Verdict, judge  # noqa: E402
from past import going_on
from placed import wholes
from tiny import architectures, build, example  # noqa: E402
from truth import constants, record, rounding  # noqa: E402

STATE = ROOT / "out/sweep/results.jsonl"
TABLE, KEPT = ROOT / "test/SWEEP.md", ROOT / "test/SWEEP.jsonl"
EARLIER = "right or rightly refused"
SECONDS = 900
# A runtime's memory only grows, so its process is made anew after so many exports.
EXPORTS_A_PROCESS = 60


def try_one(model_type: str, form: str, variants: int, commands: Commands, answers: multiprocessing.SimpleQueue) -> None:
    """Builds, records, exports and judges one architecture in one form; puts a line for each file."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    torch.set_num_threads(1)
    attention, exporter = form.split(".")
    chance = int(hashlib.sha256(f"{model_type} {form}".encode()).hexdigest(), 16)
    folder = Path(tempfile.mkdtemp(prefix="sweep-"))

    def say(what: str, verdict: Verdict) -> None:
        answers.put({"model": model_type, "form": form, "variant": what, **vars(verdict)})

    try:
        stage = "not built"
        try:
            model = build(model_type, attention)
            feeds = example(model, padded=chance % 2 == 0)
            stage = "not run"
            sites = record(build(model_type, attention), feeds)
            rounded = rounding(build(model_type, attention), feeds, sites)
            whole = wholes(build(model_type, attention), feeds, sites)
            stage = "not exported"
            plain = folder / "model.onnx"
            export(model, feeds, exporter, plain)
            stage = "not runnable"
            check_runs(plain, feeds, model)
        except Exception as error:
            say("", Verdict(stage, f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"))
            return
        # What depends on no input is computed by the newer exporter, as by the optimiser: no file has it.
        computed = frozenset[int](constants(build(model_type, attention), feeds, sites) if exporter == "dynamo" else ())
        say("", judge(commands, plain, feeds, sites, "", None, rounded, computed, wholes=whole))
        made = 0
        for variant in (VARIANTS[(chance + i) % len(VARIANTS)] for i in range(len(VARIANTS))):
            varied = folder / f"{variant}.onnx"
            try:
                fed, recorded, folded = feeds, sites, computed
                if variant == "past":
                    if exporter != "legacy" or (pair := going_on(build(model_type, attention), feeds)) is None:
                        continue
                    further, fed = pair
                    recorded = record(further, fed)
                    export(further, fed, exporter, varied)
                    check_runs(varied, fed, further)
                else:
                    vary(plain, variant, varied)
                    if variant == "optimized":
                        folded = frozenset(constants(build(model_type, attention), feeds, sites))
                    check_loads(varied)
            except Exception as error:
                say(variant, Verdict("not varied", f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"))
                continue
            say(variant, judge(commands, varied, fed, recorded, variant, plain if variant in ("int8", "fp16") else None, rounded, folded, [] if variant == "past" else whole))
            made += 1
            if made == variants:
                break
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_in_jobs(names: list[str], jobs: int, forms: int, variants: int, exporter: str) -> None:
    """As `sweep`, in so many processes, which share what was imported."""
    STATE.parent.mkdir(parents=True, exist_ok=True)
    Commands.bundle()
    _warm_up(exporter)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=sweep, args=(names[i::jobs], forms, variants, exporter)) for i in range(jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def sweep(names: list[str], forms: int, variants: int, exporter: str) -> None:
    """Tries what is not there yet, each export in a process of its own."""
    commands, asked = Commands(), 0
    for name in names:
        first = int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(FORMS)
        for i in range(len(FORMS)):
            form = FORMS[(first + (0, 2, 1, 3)[i]) % len(FORMS)]
            tried = [r for r in results() if r["model"] == name and r["form"].endswith(exporter)]
            worked = {r["form"] for r in tried if not r["kind"].startswith("not ")}
            if len(worked) >= forms or any(r["kind"] in ("not built", "not run") and r["form"].startswith("eager") for r in tried):
                break
            if any(r["form"] == form for r in tried) or not form.endswith(exporter):
                continue
            asked += 1
            if asked % EXPORTS_A_PROCESS == 0 or not commands.is_alive():
                commands.end()
                commands = Commands()
            began = time.monotonic()
            lines, is_over = _in_a_fork(name, form, variants, commands)
            if is_over or any(r["kind"] == "crashed" for r in lines):  # an answer may still be under way
                commands.end()
            with STATE.open("a") as state:
                for line in lines:
                    state.write(json.dumps(line) + "\n")
                    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
                    print(f"{time.monotonic() - began:4.0f} s {used:5.0f} {line['model']:28} {line['form']:12} {line['variant']:10} {line['kind']:16} {line['drawn']}/{line['real']} {line['detail'][:150]}", flush=True)
    commands.end()


def _in_a_fork(name: str, form: str, variants: int, commands: Commands) -> tuple[list[dict], bool]:
    """The lines of one export, and whether it had to be ended."""
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=try_one, args=(name, form, variants, commands, answers))
    began = time.monotonic()
    process.start()
    lines = []
    while process.is_alive() and time.monotonic() - began < SECONDS:
        process.join(0.05)
        while not answers.empty():
            lines.append(answers.get())
    while not answers.empty():
        lines.append(answers.get())
    is_over = process.is_alive()
    if is_over:
        process.kill()
        process.join()
    if not lines:
        lines = [{"model": name, "form": form, "variant": "", "kind": "not exported", "detail": f"ended by {process.exitcode} after {time.monotonic() - began:.0f} s", "drawn": 0, "real": 0}]
    return lines, is_over


def _warm_up(exporter: str) -> None:
    """Imports what every export needs, once for all processes that are forked from here."""
    import onnxruntime.quantization
    import onnxruntime.transformers.float16  # noqa: F401

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for name, way in (("llama", "legacy"), ("clip", "dynamo")):
            model = build(name, "sdpa")
            if way.endswith(exporter):
                export(model, example(model, padded=True), way, Path(folder) / "model.onnx")


def results(path: Path = STATE) -> list[dict]:
    """All lines so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def is_judged(line: dict) -> bool:
    """Whether a line tells what became of a file, not why there is none."""
    return not line["kind"].startswith("not ")


def merged(kept: list[dict], new: list[dict]) -> list[dict]:
    """What was kept, by architecture, with the new lines in the place of its own: all of it where the new ones judge a file, or the old ones judge none."""
    lines = dict[str, list[dict]]()
    for line in kept:
        lines.setdefault(line["model"], []).append(line)
    for name in {line["model"] for line in new}:
        own = [line for line in new if line["model"] == name]
        if any(map(is_judged, own)) or not any(map(is_judged, lines.get(name, []))):
            lines[name] = own
    return [line for name in sorted(lines) for line in lines[name]]


def compact(line: dict) -> str:
    """A line without what is empty, nor the folders that its file and the libraries were in."""
    detail = re.sub(r"[^\s']*/(?:sweep-\w+|site-packages)/", "", line.get("detail", ""))
    return json.dumps({key: value for key, value in {**line, "detail": detail}.items() if value not in ("", 0)}, ensure_ascii=False)


def table(lines: list[dict]) -> str:
    """The results as Markdown: what was judged, then what is not right and why, then what could not be tried."""
    judged = [r for r in lines if is_judged(r)]
    names = sorted({r["model"] for r in judged})
    # Of an earlier run only which architectures were right, or rightly refused, is known, not by which files.
    files = [r for r in judged if r["kind"] != EARLIER]
    earlier = len(judged) - len(files)
    counts = Counter(r["kind"] for r in files)
    good = counts["right"] + counts["refused rightly"]
    versions = f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}, onnxruntime {onnxruntime.__version__}"
    parts = [
        "# Sweep over architectures",
        f"Made by `scripts/sweep/sweep.py --write` of `SWEEP.jsonl`, with {versions}: tiny models with random weights, exported by PyTorch, "
        "each drawn matrix compared with what was recorded below PyTorch's operators.",
        f"**{len(names)} architectures.** {len(files)} files of {len(names) - earlier}, {sum(r.get('drawn', 0) for r in files)} matrices drawn: "
        + ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        + f". Right or rightly refused: {100 * good / max(1, len(files)):.1f} %."
        + (f" All files of {earlier} more were right, or rightly refused, in an earlier run, of which no more is kept." if earlier > 0 else ""),
        "## Not right",
        _rows(["Architecture", "Export", "Variant", "Verdict", "Why"], [[r["model"], r["form"], r.get("variant", ""), r["kind"], r.get("detail", "")] for r in files if r["kind"] not in ("right", "refused rightly")]),
        "## Judged",
        ", ".join(f"`{name}`" for name in names) + ".",
        "## Not tried",
        "The installed libraries cannot make these offline, or PyTorch exports them in none of the ways tried:",
        _rows(["Architecture", "Stage", "Why"], [[name, last["kind"], last.get("detail", "")] for name in sorted({r["model"] for r in lines} - set(names)) for last in [[r for r in lines if r["model"] == name][-1]]]),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(head: list[str], rows: list[list[str]]) -> str:
    def cell(text: str) -> str:
        return re.sub(r"\x1b\[\d*m|https?://\S+", "", text).replace("|", "/").replace("<", "‹").strip()[:140]

    return "\n".join("| " + " | ".join(cell(c) for c in row) + " |" for row in [head, ["---"] * len(head), *rows])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("--forms", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--variants", type=int, default=1)
    parser.add_argument("--exporter", choices=("legacy", "dynamo", ""), default="")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    index, count = map(int, options.shard.split("/"))
    sweep_in_jobs(options.names or architectures()[index::count], options.jobs, options.forms, options.variants, options.exporter)
    if options.write:
        KEPT.write_text("".join(compact(line) + "\n" for line in merged(results(KEPT), results())))
        TABLE.write_text(table(results(KEPT)))
    print(dict(Counter(r["kind"] for r in results())))


if __name__ == "__main__":
    main()
