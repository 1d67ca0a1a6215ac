"""Writes src/engine/image/processorDefaults.ts: what the image processors of `transformers` that src/engine/image/processors.ts
knows take where their settings say nothing, and which models' processors they are.

    python scripts/reference/processorDefaults.py

Needs transformers, pillow and torch; torchvision for those that have no other backend.
"""

import json
import re
from pathlib import Path

import transformers
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES

from imageProcessors import processor_classes

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "src/engine/image"

# What says nothing of a picture's values.
LEFT_OUT = {"default_to_square", "do_convert_rgb", "format", "do_convert_annotations", "do_reduce_labels", "data_format", "_processor_class", "image_processor_type", "background_color"}


def known() -> list[str]:
    return re.findall(r"^  (\w+ImageProcessor): ", (IMAGE / "processors.ts").read_text(), re.M)


def defaults_of(cls: type) -> dict:
    """The class's own settings as it takes them, not as it would write them."""
    made = cls()
    names = [*cls.valid_kwargs.__annotations__, "patch_size"]
    values = {}
    for name in names:
        value = getattr(made, name, None)
        if value is None or name in LEFT_OUT or callable(value):
            continue
        if isinstance(value, transformers.image_utils.SizeDict):
            value = {key: part for key, part in dict(value).items() if part is not None}
        if isinstance(value, tuple):
            value = list(value)
        if isinstance(value, (bool, int, float, list, dict)):
            values[name] = value
    if getattr(cls, "default_to_square", True) is False:
        values["default_to_square"] = False
    return values


def literal(value: object) -> str:
    if value == {}:
        return "{}"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key}: {literal(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if value == 1 / 255:
        return "1 / 255"
    return json.dumps(value)


def main() -> None:
    classes = processor_classes()
    lines = [
        "import type { Settings } from '../files/modelSettings';",
        "",
        f"// Made by scripts/reference/processorDefaults.py from transformers {transformers.__version__}: what image processors take where their settings say nothing.",
        "",
        "/** The library's version that all this is of. */",
        f"export const referenceVersion = '{transformers.__version__}';",
        "",
        "/** The settings of the classes. */",
        "export const processorDefaults: Readonly<Record<string, Settings>> = {",
    ]
    names = known()
    for name in names:
        lines.append(f"  {name}: {literal({} if name == 'TimmWrapperImageProcessor' else defaults_of(classes[name]))},")
    lines += ["};", "", "/** The classes by the kind of the model (`model_type`), for settings that do not name theirs. */", "export const processorOfModel: Readonly<Record<string, string>> = {"]
    for kind, backends in sorted(IMAGE_PROCESSOR_MAPPING_NAMES.items()):
        name = re.sub(r"Pil$", "", backends.get("pil") or backends.get("torchvision") or "")
        if name in names:
            key = kind if kind.isidentifier() else f"'{kind}'"
            lines.append(f"  {key}: '{name}',")
    lines += ["};", ""]
    (IMAGE / "processorDefaults.ts").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
