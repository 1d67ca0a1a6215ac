/** A text to start with, where a person has none at hand: two names that come back, and a nested structure. */
export const sampleText = `def fibonacci(count):
    """Return the first numbers of the Fibonacci sequence."""
    numbers = []
    current, following = 0, 1
    while len(numbers) < count:
        numbers.append(current)
        current, following = following, current + following
    return numbers


for number in fibonacci(10):
    print(number)
`;

/** The language of {@link sampleText}. */
export const sampleLanguage = 'python';
