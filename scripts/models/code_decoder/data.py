"""Collects permissively licensed source code from the packages on this machine, trains the tokenizer, packs the tokens.

Writes to the work folder: corpus.json (what was taken, with licences), tokenizer.json, train.bin (uint16 ids, every file
followed by <|endoftext|>), heldout.jsonl (the files of the held-out packages, never trained on).
"""

import collections
import hashlib
import importlib.metadata
import json
import pathlib
import random
import re
import sysconfig

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

END_OF_TEXT = "<|endoftext|>"
VOCABULARY_SIZE = 3072

# A word with its underscores, a digit, a bracket, other punctuation (each may carry one space before it), a run of
# line ends, a run of blanks. Brackets stand alone, so that a bracket is always one token; a line's indentation is a
# token of its own. No lookaround and no \s, which engines of regular expressions do not agree on.
PRE_TOKEN = (
    r" ?[\p{L}\p{M}_]+| ?\p{N}| ?[\(\)\[\]\{\}]| ?[^ \t\r\n\p{L}\p{M}\p{N}_\(\)\[\]\{\}]+|[\r\n]+|[ \t]+"
)

LICENCES = {"MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "BSD", "Apache-2.0", "ISC", "PSF-2.0", "0BSD"}
LICENCE_NAMES = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "MIT license": "MIT",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
}

# Held out as whole packages: small ones that many people know, of every language.
HELD_OUT_PYTHON = {"httpx", "click", "attrs", "jsonpatch", "itsdangerous", "typer", "tomli"}
HELD_OUT_PYTHON_LIBRARY = {"json", "argparse.py", "dataclasses.py", "textwrap.py", "heapq.py", "statistics.py"}
HELD_OUT_NPM = {
    "flatbuffers", "tsconfig-paths", "exponential-backoff", "workerpool", "lit-html", "yargs", "commander", "semver",
    "chai", "fast-glob", "just-diff",
}

LANGUAGES = {
    ".py": "Python", ".ts": "TypeScript", ".mts": "TypeScript", ".tsx": "TypeScript", ".js": "JavaScript",
    ".mjs": "JavaScript", ".cjs": "JavaScript", ".json": "JSON", ".md": "Markdown",
}
# Bytes of each language in the training corpus at most, and of one package within one language.
LANGUAGE_BYTES = {
    "Python": 20_000_000, "TypeScript": 14_000_000, "JavaScript": 14_000_000, "JSON": 3_000_000, "Markdown": 5_000_000,
}
PACKAGE_BYTES = {
    "Python": 1_000_000, "TypeScript": 900_000, "JavaScript": 700_000, "JSON": 120_000, "Markdown": 150_000,
}
MIN_FILE_BYTES, MAX_FILE_BYTES = 200, 120_000
SKIPPED_PATH = re.compile(
    r"/(_vendor|vendor|vendored|test_data|testdata|fixtures|locale|locales|i18n|lib2to3|idlelib/Icons|__pycache__|"
    r"site-packages/.*node_modules)/|\.min\.|\.map$|generated|_pb2\.py$|package-lock\.json|diagnosticMessages|"
    r"/encodings/|/(umd|bundle|bundled)/"
)


def npm_packages(root):
    """Every package folder below node_modules that has a name and a licence, nested ones included."""
    for manifest in sorted(root.glob("**/package.json")):
        folder = manifest.parent
        if folder.parent.name != "node_modules" and not folder.parent.name.startswith("@"):
            continue
        try:
            described = json.loads(manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        licence = described.get("license")
        if isinstance(described.get("name"), str) and isinstance(licence, str):
            yield described["name"], str(described.get("version", "")), licence, folder


def python_licence(metadata):
    expression = metadata.get("License-Expression")
    if expression:
        return expression
    classified = [line.split("::")[-1].strip() for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    named = classified or [(metadata.get("License") or "").split("\n")[0].strip()]
    return " AND ".join(sorted({LICENCE_NAMES.get(name, name) for name in named}))


def is_permissive(licence):
    """True where every part of the expression, or for OR any part, is on the list."""
    return all(
        any(part.strip("() ") in LICENCES for part in clause.split(" OR ")) for clause in licence.split(" AND ")
    )


def candidates(node_modules):
    """(package, version, licence, held out?, path) of every file that might be taken."""
    library = pathlib.Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.glob("**/*.py")):
        inside = path.relative_to(library)
        if inside.parts[0] in {"site-packages", "test", "lib2to3", "idlelib"} or "test" in inside.parts or "tests" in inside.parts:
            continue
        version = sysconfig.get_python_version()
        yield "Python standard library", version, "PSF-2.0", inside.parts[0] in HELD_OUT_PYTHON_LIBRARY, path
    for distribution in sorted(importlib.metadata.distributions(), key=lambda each: each.metadata["Name"].lower()):
        licence = python_licence(distribution.metadata)
        if not is_permissive(licence):
            continue
        name = distribution.metadata["Name"]
        for file in distribution.files or []:
            if str(file).endswith((".py", ".md", ".json")) and ".." not in file.parts:
                yield name, distribution.version, licence, name.lower() in HELD_OUT_PYTHON, pathlib.Path(distribution.locate_file(file))
    for name, version, licence, folder in npm_packages(node_modules):
        if not is_permissive(licence):
            continue
        for path in sorted(folder.glob("**/*")):
            inside = path.relative_to(folder)
            if path.suffix in LANGUAGES and "node_modules" not in inside.parts and path.is_file():
                yield name, version, licence, name in HELD_OUT_NPM, path


def readable(path):
    """The file's text, or None where it is too small, too large, minified, generated, or not UTF-8."""
    if SKIPPED_PATH.search(path.as_posix()):
        return None
    try:
        size = path.stat().st_size
        if not MIN_FILE_BYTES <= size <= MAX_FILE_BYTES:
            return None
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n").removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError):
        return None
    lines = text.split("\n")
    longest = max(map(len, lines))
    mean = len(text) / len(lines)
    is_prose = path.suffix == ".md"
    if (longest > 400 and not is_prose) or (mean > 70 and not is_prose) or longest > 2000:
        return None
    head = text[:600].lower()
    if "sourcemappingurl=data" in text or "do not edit" in head or "auto-generated" in head or "autogenerated" in head:
        return None
    outside = sum(ord(character) > 127 for character in text)
    return text if outside < 0.02 * len(text) else None


def telling_lines(text):
    return {hash_line(line.strip()) for line in text.split("\n") if len(line.strip()) > 24}


def hash_line(line):
    return hashlib.blake2b(line.encode(), digest_size=8).digest()


def collect(node_modules, seed):
    """The training files and the held-out files, without near duplicates, as lists of dictionaries."""
    files, seen = [], set()
    for package, version, licence, is_held_out, path in candidates(node_modules):
        text = readable(path)
        digest = None if text is None else hashlib.sha256(text.encode()).digest()
        if text is None or digest in seen:
            continue
        seen.add(digest)
        files.append({
            "package": package, "version": version, "licence": licence, "held_out": is_held_out,
            "language": LANGUAGES[path.suffix], "name": path.name, "text": text,
        })
    random.Random(seed).shuffle(files)
    held_out = [file for file in files if file["held_out"]]
    known = set().union(*(telling_lines(file["text"]) for file in held_out))
    taken, by_language, by_package = [], collections.Counter(), collections.Counter()
    for file in files:
        if file["held_out"]:
            continue
        lines = telling_lines(file["text"])
        # Shared with what is held out, or mostly written before: licences, copied helpers, API listings.
        if len(lines & known) > 0.5 * len(lines):
            continue
        language, size = file["language"], len(file["text"].encode())
        package = (file["package"], language)
        limit = PACKAGE_BYTES[language] * (6 if file["package"] == "Python standard library" else 1)
        if by_language[language] + size > LANGUAGE_BYTES[language] or by_package[package] + size > limit:
            continue
        known |= lines
        by_language[language] += size
        by_package[package] += size
        taken.append(file)
    return taken, held_out


def train_tokenizer(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PRE_TOKEN), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE, special_tokens=[END_OF_TEXT], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=24,
    ))
    # Every text begins with <|endoftext|>: the model was trained so, and heads that find nothing rest on it.
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END_OF_TEXT} $A", pair=f"{END_OF_TEXT} $A $B", special_tokens=[(END_OF_TEXT, 0)],
    )
    return tokenizer


def main(work, node_modules, seed):
    work.mkdir(parents=True, exist_ok=True)
    taken, held_out = collect(node_modules, seed)
    sample = [file["text"] for index, file in enumerate(taken) if index % 3 == 0]
    tokenizer = train_tokenizer(sample)
    tokenizer.save(str(work / "tokenizer.json"), pretty=False)
    ids = []
    for start in range(0, len(taken), 256):
        batch = tokenizer.encode_batch_fast([file["text"] for file in taken[start:start + 256]], add_special_tokens=False)
        ids += [np.array(encoding.ids + [0], dtype=np.uint16) for encoding in batch]
    np.concatenate(ids).tofile(work / "train.bin")
    with open(work / "heldout.jsonl", "w", encoding="utf-8") as out:
        for file in held_out:
            out.write(json.dumps({key: value for key, value in file.items() if key != "held_out"}) + "\n")
    packages = {}
    for file in taken + held_out:
        key = (file["package"], file["version"], file["licence"], file["held_out"])
        packages.setdefault(key, collections.Counter())[file["language"]] += len(file["text"].encode())
    listed = [
        {"package": name, "version": version, "licence": licence, "held_out": is_held_out, "bytes": dict(sizes)}
        for (name, version, licence, is_held_out), sizes in sorted(packages.items())
    ]
    totals = {part: collections.Counter() for part in ("train", "held_out")}
    for file in taken:
        totals["train"][file["language"]] += len(file["text"].encode())
    for file in held_out:
        totals["held_out"][file["language"]] += len(file["text"].encode())
    summary = {"tokens": int(sum(map(len, ids))), "files": len(taken), "held_out_files": len(held_out), "bytes": totals, "packages": listed}
    (work / "corpus.json").write_text(json.dumps(summary, indent=1))
    print({key: value for key, value in summary.items() if key != "packages"})
