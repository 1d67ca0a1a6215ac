#!/usr/bin/env bash
# A bound on a list's length, put right behind the list in a valibot pipe, does not keep a long list's members from being checked.
#
# Version: valibot 1.5.0.
# Source: its `pipe` runs the schema whole, members and all, before the first action behind it.
# One would guess: `pipe(array(member), maxLength(3))` refuses a list of a million at once, as it reads like a guard.
# What happens: every member is checked, and an issue for each wrong one is made, before the length is looked at; with `abortEarly` too
#   where the members are right. A guard has to come before: `pipe(custom(isShort), array(member))`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts valibot@1.5.0 2>/dev/null
cat > check.mjs <<'JS'
import * as v from 'valibot';
const list = Array.from({ length: 100_000 }, (_, i) => i);
for (const [name, order] of [['the bound behind the list', (member) => v.pipe(v.array(member), v.maxLength(3))], ['the bound before the list', (member) => v.pipe(v.custom((value) => Array.isArray(value) && value.length <= 3), v.array(member))]]) {
  for (const abortEarly of [false, true]) {
    let checked = 0;
    const member = v.pipe(v.number(), v.check(() => ++checked > 0));
    const { success } = v.safeParse(order(member), list, { abortEarly });
    console.log(`${name}, abortEarly ${abortEarly}: accepted ${success}, members checked ${checked}`);
  }
}
JS
node check.mjs | tee output
diff output - <<'OUT'
the bound behind the list, abortEarly false: accepted false, members checked 100000
the bound behind the list, abortEarly true: accepted false, members checked 100000
the bound before the list, abortEarly false: accepted false, members checked 0
the bound before the list, abortEarly true: accepted false, members checked 0
OUT
# Output seen: the four lines above.
