"""An interpolated Kneser-Ney n-gram model over token ids, in sorted numpy arrays: the baseline of the model card."""

import numpy as np

BITS = 12
DISCOUNT = 0.75


class NGram:
    """P(w | h) = max(c(hw) − D, 0) / c(h) + D · N(h·) / c(h) · P(w | h'), lower orders by continuation counts (Chen & Goodman 1999)."""

    def __init__(self, ids, order, vocabulary_size):
        assert vocabulary_size <= 1 << BITS and order * BITS <= 63
        self.order, self.size = order, vocabulary_size
        self.grams, self.counts, self.contexts, self.totals, self.kinds = {}, {}, {}, {}, {}
        keys = packed(ids.astype(np.int64), order)
        grams, counts = np.unique(keys, return_counts=True)
        for n in range(order, 0, -1):
            if n < order:
                # How many different tokens stand before this shorter gram.
                grams, counts = np.unique(longer & ((1 << BITS * n) - 1), return_counts=True)
            longer = grams
            self.grams[n], self.counts[n] = grams, counts
            contexts, start = np.unique(grams >> BITS, return_index=True)
            self.contexts[n] = contexts
            self.totals[n] = np.add.reduceat(counts, start)
            self.kinds[n] = np.diff(np.append(start, len(grams)))

    def bits(self, ids):
        """−log₂ P of every token but the first, given what stands before it in `ids`."""
        ids = ids.astype(np.int64)
        probability = np.full(len(ids) - 1, 1 / self.size)
        for n in range(1, self.order + 1):
            keys = packed(ids, n)
            first = max(0, n - 2)
            targets = slice(first, None)
            keys = keys[1:] if n == 1 else keys
            counts = looked_up(self.grams[n], self.counts[n], keys)
            totals = looked_up(self.contexts[n], self.totals[n], keys >> BITS)
            kinds = looked_up(self.contexts[n], self.kinds[n], keys >> BITS)
            known = totals > 0
            lower = probability[targets]
            safe = np.maximum(totals, 1)
            mixed = np.maximum(counts - DISCOUNT, 0) / safe + DISCOUNT * kinds / safe * lower
            probability[targets] = np.where(known, mixed, lower)
        return -np.log2(probability)


def packed(ids, n):
    keys = np.zeros(len(ids) - n + 1, dtype=np.int64)
    for offset in range(n):
        keys = (keys << BITS) | ids[offset:len(ids) - n + 1 + offset]
    return keys


def looked_up(sorted_keys, values, keys):
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[at] == keys, values[at], 0)
