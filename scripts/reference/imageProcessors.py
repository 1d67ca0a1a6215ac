"""Compares what this project makes of pictures with what every image processor of the installed `transformers` makes of them that can
be constructed without a network, and prints a table: kinds × (equal, within a step of 8 bits, told, wrong).

    python scripts/reference/imageProcessors.py [--only=NAME]
    python scripts/reference/imageProcessors.py --fixture

Told is what the project refuses in words. `wrong` has to be 0: then the exit status is 0. `--fixture` makes and compares small cases
alone, and writes them into test/fixtures/images/processors, which the tests compare without Python. The reference is the Pillow backend; torchvision's is taken
for processors that have no other, where torchvision is installed.

Needs pillow, numpy, torch, transformers, and node with this project's packages; scipy, torchvision and timm for some processors.
"""

import collections
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import PIL
import transformers
from PIL import Image, ImageDraw

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity(50)

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "test/fixtures/images/processors"
MOST_KEPT = 3 * 160 * 160
FIXTURE_SIZES = [(61, 43), (31, 97)]
SIZES = [(61, 43), (43, 61), (97, 31), (31, 97), (64, 64), (13, 10), (150, 149), (33, 200)]


def processor_classes() -> dict[str, type]:
    """Every image processor by the name that settings have for it: the Pillow backend where there is one, else torchvision's."""
    found: dict[str, type] = {}
    for file in sorted((Path(transformers.__file__).parent / "models").glob("*/image_processing*.py")):
        if file.parent.name == "auto":
            continue
        try:
            module = importlib.import_module(f"transformers.models.{file.parent.name}.{file.stem}")
        except ImportError:
            continue
        for name in module.__all__:
            base = re.sub(r"Pil$", "", name)
            if name.endswith("Pil") or base not in found:
                found[base] = getattr(module, name)
    return found


def picture(width: int, height: int) -> Image.Image:
    """Shapes, a ramp and some noise: what shows filters, edges and mirrored places."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    image = Image.fromarray(np.dstack([x, y, 255 - (x + y) / 2]).astype("uint8"))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 8, height // 8, width // 2, height * 3 // 4), fill=(230, 30, 30))
    draw.polygon([(width // 2, height // 5), (width - 2, height - 3), (width // 3, height - 2)], fill=(20, 220, 60))
    noise = np.random.default_rng(width * 1000 + height).integers(-40, 41, (height, width, 3))
    return Image.fromarray((np.array(image).astype(int) + noise).clip(0, 255).astype("uint8"))


def variants(cls: type) -> list[dict]:
    """Settings to try: short ones, whole ones, and each step changed."""
    kwargs = getattr(cls, "valid_kwargs", None)
    names = set(kwargs.__annotations__) if kwargs is not None else set()
    if cls.__name__ == "TimmWrapperImageProcessor":
        base = {"input_size": [3, 32, 32], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "interpolation": "bicubic", "crop_pct": 0.9}
        changes = [{}, {"interpolation": "bilinear"}, {"interpolation": "nearest"}, {"interpolation": "lanczos"}, {"interpolation": "random"}, {"crop_pct": 1.0}, {"crop_pct": 0.875, "input_size": [3, 24, 40]}, {"crop_mode": "squash"}, {"crop_mode": "border"}, {"crop_mode": "center", "input_size": [3, 40, 40]}, {"input_size": [3, 48, 31], "crop_pct": 0.95}]
        made = [{"pretrained_cfg": {**base, **change}} for change in changes]
        return [*made, {"pretrained_cfg": {"input_size": [3, 32, 32]}}, {"pretrained_cfg": {**{key: value for key, value in base.items() if key != "crop_pct"}, "fixed_input_size": True}}]
    whole = json.loads(cls().to_json_string())
    whole = {key: value for key, value in whole.items() if value is not None}
    small = [{"size": {"height": 32, "width": 32}}, {"size": {"height": 40, "width": 24}}, {"size": {"shortest_edge": 30}}, {"size": {"shortest_edge": 30, "longest_edge": 50}}, {"size": {"longest_edge": 48}}, {"size": {"max_height": 40, "max_width": 50}}, {"size": 28}, {"size": [20, 36]}, {"size": {"shortest_edge": 43, "longest_edge": 100}}]
    made = [{}, whole, *small]
    base = small[2] if "shortest_edge" in dict(whole.get("size") or {}) else small[4] if "longest_edge" in dict(whole.get("size") or {}) else small[0]
    if dict(whole.get("size") or {}).keys() == {"shortest_edge", "longest_edge"}:
        base = small[3]
    crops = [{"do_center_crop": True, "crop_size": {"height": 24, "width": 33}}, {"do_center_crop": True, "crop_size": 50}, {"do_center_crop": False}, {"do_center_crop": True, "crop_size": {"shortest_edge": 27}}]
    pads = [{"do_pad": True, "pad_size": {"height": 150, "width": 160}}, {"do_pad": True}, {"do_pad": False}, {"do_pad": True, "size_divisor": 16}, {"pad_size": {"height": 64, "width": 64}}, {"pad_size": 16}]
    steps = [{"resample": filter} for filter in range(6)] + [{"do_normalize": False}, {"do_rescale": False}, {"do_rescale": False, "do_normalize": False}, {"rescale_factor": 1 / 127.5}, {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.9, 0.8, 0.7]}, {"do_resize": False}, {"do_resize": None, "image_mean": None, "resample": None}]
    made += [{**base, **change} for change in [*crops, *pads, *steps]]
    own = {
        "crop_pct": [0.5, 0.875, 0.9, 1.0], "size_divisor": [8, 14, 32], "ensure_multiple_of": [1, 14, 32], "keep_aspect_ratio": [True, False], "rescale_offset": [True], "include_top": [False], "do_flip_channel_order": [True, False],
        "do_thumbnail": [False], "do_align_long_axis": [True], "min_size": [20], "do_split_image": [True], "crop_to_patches": [True], "do_pan_and_scan": [True], "do_grayscale": [True], "patch_size": [7, {"height": 8, "width": 16}], "apply_ocr": [False], "do_reduce_labels": [True], "return_image_mask": [False], "do_crop_margin": [False], "do_image_splitting": [False],
    }
    for name, values in own.items():
        if name in names or hasattr(cls, name):
            made += [{**each, name: value} for value in values for each in [base, {**base, "size": {"height": 42, "width": 42}}]]
    if "crop_pct" in names:
        made += [{**base, "crop_pct": share, "crop_size": {"height": 40, "width": 36}} for share in (None, 0.5)]
    if "do_image_splitting" in names:
        made += [{**base, **change, "do_image_splitting": False, "max_image_size": {"longest_edge": 24}} for change in [{}, {"resample": 3}, {"do_normalize": False}]]
    if "keep_aspect_ratio" in names:
        made += [{"size": {"height": 70, "width": 56}, "ensure_multiple_of": 14, "keep_aspect_ratio": True, **change} for change in [{}, {"resample": 2}, {"do_pad": True, "size_divisor": 16}]]
    if "rescale_offset" in names:
        made += [{**base, "rescale_offset": True, "rescale_factor": 1 / 127.5}, {**base, "include_top": True, "do_normalize": False}]
    made += [{"size": {"shortest_edge": 40}, "crop_size": {"shortest_edge": 27}}]
    made += [{**base, "max_size": 40}, {"max_size": 60}, {"size": 30, "max_size": 44}, {"use_square_size": True}, {**base, "rescale": False}, {**base, "image_size": 20}, {**base, "pad_and_return_pixel_mask": False}, {**base, "default_to_square": True, "size": 28}, {**base, "default_to_square": False, "size": 28}]
    unique = {json.dumps(each, sort_keys=True): each for each in made}
    return list(unique.values())


def reference_of(cls: type, config: dict, image: Image.Image) -> np.ndarray | None:
    """What the library makes of a picture; None where it fails, or makes something that is no one picture."""
    try:
        processor = cls.from_dict(json.loads(json.dumps(config)))
        is_tensor = cls.__name__ == "TimmWrapperImageProcessor" or not cls.__name__.endswith("Pil")
        made = processor(image, return_tensors="pt" if is_tensor else "np")
        # One processor hands over the values themselves.
        values = np.ascontiguousarray(np.asarray(made if isinstance(made, np.ndarray) else made["pixel_values"]), dtype=np.float32)
    except Exception:
        return None
    if values.ndim == 5 and values.shape[1] == 1:  # one picture of several that there could be
        values = values[0]
    return values[0] if values.ndim == 4 and values.shape[0] == 1 and values.shape[1] == 3 else np.zeros((0,), np.float32)


def resizes_floats(name: str, cls: type) -> bool:
    return name in ("ZoeDepthImageProcessor", "Owlv2ImageProcessor") or not cls.__name__.endswith("Pil") and name != "TimmWrapperImageProcessor"


def known_names() -> set[str]:
    return set(re.findall(r"^  (\w+ImageProcessor): ", (ROOT / "src/engine/image/processors.ts").read_text(), re.M))


def make_cases(name: str, cls: type, for_fixture: bool) -> tuple[list[dict], list[np.ndarray]]:
    cases, expected = [], []
    for number, config in enumerate(variants(cls)):
        large = config == {} or "image_processor_type" in config
        if for_fixture and (large or cases and name not in known_names()):
            continue
        for index, size in enumerate(SIZES):
            if for_fixture and size not in FIXTURE_SIZES:
                continue
            # Whole sizes take long; each of the small ones sees three pictures.
            always = config.get("apply_ocr") is False or "shortest_edge" in dict(config["crop_size"] if isinstance(config.get("crop_size"), dict) else {})
            if large and index > 1 or not large and not always and (index + number) % 3 != 0:
                continue
            values = reference_of(cls, config, picture(*size))
            if values is None:
                continue
            cases.append({"name": name, "config": {"image_processor_type": name, **{key: value for key, value in config.items() if key != "image_processor_type"}}, "size": size, "shape": list(values.shape), "allowsStep": resizes_floats(name, cls)})
            expected.append(values)
    return cases, expected


def compare(cases: list[dict], expected: list[np.ndarray]) -> list[dict]:
    """What this project makes of the same, each case with `result` and, where something differs, by how much."""
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            (Path(folder) / f"{size[0]}x{size[1]}.rgb").write_bytes(np.array(picture(*size)).tobytes())
        with open(Path(folder) / "expected.bin", "wb") as file:
            for values in expected:
                file.write(values.tobytes())
        (Path(folder) / "cases.json").write_text(json.dumps(cases))
        output = subprocess.run(["node", str(ROOT / "scripts/reference/processPictures.mjs"), folder], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return [{**case, **result} for case, result in zip(cases, json.loads(output))]


def write_fixture(results: list[dict], expected: list[np.ndarray]) -> None:
    """A few small cases of each processor, as hashes of their values; values themselves where they are equal within a step alone."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    chosen: dict[str, list[dict]] = collections.defaultdict(list)
    for case, values in zip(results, expected):
        of_kind = chosen[case["name"]]
        if case["result"] in ("told", "unlike") or values.size == 0 or case["size"] not in FIXTURE_SIZES:
            continue
        if any(each["config"] == case["config"] for each in of_kind):
            continue
        entry = {"config": case["config"], "size": list(case["size"]), "shape": case["shape"]}
        if case["result"] == "equal":
            entry["sha256"] = hashlib.sha256(values.tobytes()).hexdigest()[:16]
        elif values.size <= 3 * 32 * 32:
            entry["values"] = [round(float(value), 4) for value in values.ravel()]
        else:
            continue
        of_kind.append(entry)
    # Of what is equal to the bit many cases, of the other few.
    kept = {name: [case for case in cases if "sha256" in case][:40] + [case for case in cases if "values" in case][:2] for name, cases in sorted(chosen.items()) if cases}
    for size in FIXTURE_SIZES:
        picture(*size).save(FIXTURES / f"{size[0]}x{size[1]}.png", optimize=True)
    refused = sorted({case["name"] for case in results} - kept.keys())
    versions = {"transformers": transformers.__version__, "pillow": PIL.__version__}
    lines = ",\n".join(f"  {json.dumps(name)}: [\n" + ",\n".join(f"   {json.dumps(case)}" for case in cases) + "\n  ]" for name, cases in kept.items())
    (FIXTURES / "cases.json").write_text(f'{{\n "versions": {json.dumps(versions)},\n "refused": {json.dumps(refused)},\n "cases": {{\n{lines}\n }}\n}}\n')
    for path in FIXTURES.iterdir():
        path.chmod(0o644)


def main() -> None:
    only = next((argument.split("=")[1] for argument in sys.argv if argument.startswith("--only=")), None)
    results, kept, unmade, pending, waiting = [], [], [], [], []
    for name, cls in processor_classes().items():
        if only is not None and only not in name:
            continue
        try:
            variants(cls)
        except Exception as error:
            unmade.append(f"{name}: {type(error).__name__}")
            continue
        cases, expected = make_cases(name, cls, "--fixture" in sys.argv)
        if "--fixture" in sys.argv:
            print(name, len(cases), file=sys.stderr)
        pending += cases
        waiting += expected
        if sum(values.nbytes for values in waiting) > 3e8:
            results += compare(pending, waiting)
            pending, waiting = [], []
        kept += [values if values.size <= MOST_KEPT else np.zeros((0,), np.float32) for values in expected]
    results += compare(pending, waiting)
    table: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for case in results:
        table[case["name"]][case["result"]] += 1
        if case["result"] == "wrong":
            print(f"WRONG {case['name']} {case['size']} {json.dumps(case['config'])}: {case['detail']}", file=sys.stderr)
    print(f"transformers {transformers.__version__}, Pillow {PIL.__version__}")
    print(f"{'image processor':36} {'equal':>6} {'step':>6} {'told':>6} {'wrong':>6}")
    for name, counts in sorted(table.items()):
        print(f"{name:36} {counts['equal']:6} {counts['step']:6} {counts['told']:6} {counts['wrong']:6}")
    total = sum(table.values(), collections.Counter())
    print(f"{'all ' + str(len(table)):36} {total['equal']:6} {total['step']:6} {total['told']:6} {total['wrong']:6}")
    if unmade:
        print("Not constructed: " + "; ".join(unmade))
    if "--fixture" in sys.argv:
        write_fixture(results, kept)
    sys.exit(1 if total["wrong"] > 0 else 0)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
