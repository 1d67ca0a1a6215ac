"""Training rows: windows of real code, repeated random tokens, brackets that must be matched, code with its brackets labelled."""

import numpy as np

from .data import END_OF_TEXT

IGNORED = -100
KINDS = "()[]{}"


class Rows:
    """Draws rows (input ids, targets), each of which begins with <|endoftext|>."""

    def __init__(self, ids, tokenizer, seed):
        self.ids = ids
        self.random = np.random.default_rng(seed)
        vocabulary = tokenizer.get_vocab()
        self.end = vocabulary[END_OF_TEXT]
        self.starts = np.flatnonzero(ids == self.end)[:-1] + 1
        by_id = {number: token.replace("Ġ", "").replace("Ċ", "") for token, number in vocabulary.items()}
        self.kind = np.array([KINDS.find(by_id[number]) if len(by_id[number]) == 1 else -1 for number in range(len(vocabulary))])
        self.words = np.array([number for token, number in vocabulary.items() if token.removeprefix("Ġ").isalpha()])
        self.openers = [[vocabulary[prefix + KINDS[2 * kind]] for prefix in ("", "Ġ") if prefix + KINDS[2 * kind] in vocabulary] for kind in range(3)]
        self.closers = [vocabulary[KINDS[2 * kind + 1]] for kind in range(3)]
        self.separators = [vocabulary[token] for token in (",", ".", ";", "Ċ", "Ġ=", "Ġ+", ":") if token in vocabulary]
        self.size = len(vocabulary)

    def code(self, length):
        """A window of the corpus: half of them from a file's first token on."""
        if self.random.random() < 0.5:
            start = int(self.starts[self.random.integers(len(self.starts))])
            start = min(start, len(self.ids) - length - 1)
        else:
            start = int(self.random.integers(len(self.ids) - length - 1))
        window = self.ids[start:start + length].astype(np.int64)
        row = np.concatenate([[self.end], window])
        return row[:-1], row[1:]

    def repeats(self, length):
        """Random tokens that come again, as one segment over and over or as phrases in any order; what is new carries no loss."""
        if self.random.random() < 0.5:
            size = int(np.exp(self.random.uniform(np.log(4), np.log(length / 2))))
            row = np.concatenate([[self.end], np.resize(self.random.integers(1, self.size, size), length)])
            known = np.arange(length + 1) > size + 1
        else:
            phrases = [self.random.integers(1, self.size, self.random.integers(3, 12)) for _ in range(self.random.integers(2, 10))]
            parts, counted, seen = [[self.end]], [[False]], set()
            while sum(map(len, parts)) < length + 1:
                drawn = int(self.random.integers(len(phrases)))
                parts.append(phrases[drawn])
                counted.append([False] + [drawn in seen] * (len(phrases[drawn]) - 1))
                seen.add(drawn)
            row, known = np.concatenate(parts)[:length + 1], np.concatenate(counted)[:length + 1]
        return row[:-1], np.where(known[1:], row[1:], IGNORED)

    def brackets(self, length):
        """Nested groups `name ( … ) name`: the closer's kind and the name after it come from the matching opener."""
        row, counted, stack = [self.end], [False], []
        deepest = int(self.random.integers(2, 8))
        closing = float(self.random.uniform(0.25, 0.5))
        while len(row) < length + 1:
            if stack and self.random.random() < (closing if len(stack) < deepest else 0.6):
                name, kind = stack.pop()
                row += [self.closers[kind], name]
                counted += [True, True]
            elif len(stack) < deepest and self.random.random() < 0.5:
                name, kind = int(self.random.choice(self.words)), int(self.random.integers(3))
                row += [name, int(self.random.choice(self.openers[kind]))]
                counted += [False, False]
                stack.append((name, kind))
            else:
                many = int(self.random.integers(1, 6))
                for _ in range(many):
                    row += [int(self.random.choice(self.words)), int(self.random.choice(self.separators))]
                    counted += [False, False]
        row, counted = np.array(row[:length + 1]), np.array(counted[:length + 1])
        return row[:-1], np.where(counted[1:], row[1:], IGNORED)

    def labelled(self, length):
        """Real code in which every closing bracket is followed by a copy of the token before its opener."""
        window, _ = self.code(length)
        row, stack = [], []
        for token in window.tolist():
            row.append(token)
            kind = self.kind[token]
            if token == self.end:
                stack.clear()
            elif kind >= 0 and kind % 2 == 0:
                stack.append((kind, row[-2]))
            elif kind >= 0 and stack and stack[-1][0] == kind - 1:
                row.append(stack.pop()[1])
        row = np.array(row[:length + 1])
        if len(row) <= length:
            row = np.concatenate([row, window[:length + 1 - len(row)]])
        return row[:-1], row[1:]

    def batch(self, rows, length, shares):
        """`rows` rows of `length` tokens: synthetic kinds with the given shares, the rest real code."""
        kinds = [self.repeats, self.brackets, self.labelled, self.code]
        shares = [*shares, 1 - sum(shares)]
        drawn = [kinds[self.random.choice(4, p=shares)](length) for _ in range(rows)]
        return np.stack([ids for ids, _ in drawn]), np.stack([targets for _, targets in drawn])
