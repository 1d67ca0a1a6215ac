"""Four ways to compute Fibonacci numbers, from slow to fast."""

from functools import lru_cache


def fibonacci_slow(n: int) -> int:
    """Follow the definition: easy to read, exponential time."""
    if n < 2:
        return n
    return fibonacci_slow(n - 1) + fibonacci_slow(n - 2)


def fibonacci_memo(n: int, cache: dict[int, int] | None = None) -> int:
    """Remember each result in a cache: linear time, linear space."""
    if cache is None:
        cache = {0: 0, 1: 1}
    if n not in cache:
        cache[n] = fibonacci_memo(n - 1, cache) + fibonacci_memo(n - 2, cache)
    return cache[n]


@lru_cache(maxsize=None)
def fibonacci_cached(n: int) -> int:
    """Let the standard library remember."""
    return n if n < 2 else fibonacci_cached(n - 1) + fibonacci_cached(n - 2)


def fibonacci_fast(n: int) -> int:
    """Walk up from the start: linear time, constant space."""
    previous, current = 0, 1
    for _ in range(n):
        previous, current = current, previous + current
    return previous


def main() -> None:
    """Print the first numbers, and check that all four ways agree."""
    ways = (fibonacci_slow, fibonacci_memo, fibonacci_cached, fibonacci_fast)
    for n in range(15):
        results = {way(n) for way in ways}
        assert len(results) == 1, f"the ways disagree at {n}: {results}"
        print(f"fibonacci({n}) = {results.pop()}")


if __name__ == "__main__":
    main()
