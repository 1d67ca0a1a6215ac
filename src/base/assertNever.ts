/** Fails to compile where a union is not exhausted, and throws where a value from outside is not of it. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
