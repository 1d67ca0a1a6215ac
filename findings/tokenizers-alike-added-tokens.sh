#!/usr/bin/env bash
# Of added tokens that are one text once they are normalised, tokenizers takes any, another each time the tokenizer is made.
#
# Version: tokenizers 0.23.2 (Python), with a Lowercase normalizer and the added tokens "Foo" and "foo", both normalized.
# Source: its added vocabulary keeps tokens in hash maps and builds the search over what they become from those, in their order.
# One would guess: the first, or the longest, or the one that the text spells; the same in each process at least.
# What happens: "foo" is one id here and the other there, in one process too. Tokens that differ by their case alone want `normalized=False`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv own
own/bin/pip install --quiet tokenizers==0.23.2
cat > check.py <<'PY'
from tokenizers import AddedToken, Tokenizer, models, normalizers

def ids_of(normalized):
    found = set()
    for _ in range(200):
        made = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
        made.normalizer = normalizers.Lowercase()
        made.add_tokens([AddedToken(content, normalized=normalized) for content in ("Foo", "foo")])
        found.add(made.encode("foo").ids[0])
    return sorted(found)

print("normalized:", ids_of(True))
print("not normalized:", ids_of(False))
PY
own/bin/python check.py | tee output
diff output - <<'OUT'
normalized: [1, 2]
not normalized: [2]
OUT
