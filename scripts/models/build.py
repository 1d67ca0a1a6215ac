"""Builds one bundled model from nothing: python scripts/models/build.py code-decoder [--step data|train|export|evaluate|restore]"""

import argparse
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))


def build_code_model(arguments):
    def step_of(name):
        return importlib.import_module(f"{arguments.model.replace('-', '_')}.{name}")

    work = arguments.work / arguments.model
    out = ROOT / "media" / "models" / arguments.model
    steps = {
        "data": lambda: step_of("data").main(work, ROOT / "node_modules", arguments.seed),
        "train": lambda: step_of("train").main(work, arguments.seed, arguments.minutes, arguments.device, arguments.steps or 3000),
        "export": lambda: step_of("export").main(work, out),
        "evaluate": lambda: step_of("evaluate").main(work, out),
    }
    if arguments.step == "restore":
        # Not a part of the whole: it goes back from the shipped file to a checkpoint.
        step_of("restore").main(work, out)
    for name, step in steps.items():
        if arguments.step in (None, name):
            step()


def build_date_model(arguments):
    def step_of(name):
        return importlib.import_module(f"date_models.{name}")

    kind = step_of({"date-transformer": "transformer", "date-seq2seq": "seq2seq"}[arguments.model])
    work = arguments.work / arguments.model
    out = ROOT / "media" / "models" / arguments.model
    # Training makes its data as it goes; there is no step for it.
    steps = {
        "train": lambda: step_of("train").main(kind, work, arguments.seed, arguments.minutes, arguments.steps),
        "export": lambda: step_of("export").main(kind, work, out),
        "evaluate": lambda: step_of("evaluate").main(kind, work, out, ROOT / "test" / "fixtures" / "dates"),
    }
    for name, step in steps.items():
        if arguments.step in (None, name):
            step()


def build_shapes_model(arguments):
    def step_of(name):
        return importlib.import_module(f"shapes_models.{name}")

    # Both models learn from the same pictures.
    work, name = arguments.work / "shapes", arguments.model
    out = ROOT / "media" / "models" / name
    steps = {
        "data": lambda: step_of("data").main(work, arguments.seed),
        "train": lambda: step_of("train").main(name, work, arguments.seed, arguments.minutes, arguments.steps),
        "export": lambda: step_of("export").main(name, work, out),
        "evaluate": lambda: step_of("evaluate").main(name, work, out),
        "samples": lambda: step_of("samples").main(name, work, out),
    }
    for step_name, step in steps.items():
        if arguments.step in (None, step_name):
            step()


def build_teaching_model(arguments):
    importlib.import_module(f"teaching_models.{arguments.model.replace('-', '_')}").main(ROOT / "media" / "models" / arguments.model)


MODELS = {
    "code-decoder": build_code_model, "code-encoder": build_code_model,
    "date-transformer": build_date_model, "date-seq2seq": build_date_model,
    "shapes-vit": build_shapes_model, "shapes-linear-vit": build_shapes_model,
    "worked-example": build_teaching_model, "thinking-machines": build_teaching_model,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--step", help="only this step; the steps before it must have been run")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "out" / "models", help="folder for data and checkpoints")
    parser.add_argument("--minutes", type=float, default=60, help="minutes of training in this call; a later call resumes")
    parser.add_argument("--steps", type=int, help="steps of training in all, which the schedule of the learning rate follows; if not given, as many as suit the model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    MODELS[chosen.model](chosen)
