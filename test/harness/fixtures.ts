// Fixture files for tests that run both in Node and in a browser.

const isNode =
  typeof process !== 'undefined' && process.versions?.node !== undefined && typeof document === 'undefined';

/** The bytes of a file below test/fixtures, e.g. `zoo/bert.sdpa.legacy/model.onnx`. */
export async function readFixture(path: string): Promise<Uint8Array> {
  if (isNode) {
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(`${process.cwd()}/test/fixtures/${path}`));
  }
  const response = await fetch(fixtureUrl(path));
  if (!response.ok) throw new Error(`test/fixtures/${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The text of a file below test/fixtures. */
export async function readFixtureText(path: string): Promise<string> {
  return new TextDecoder().decode(await readFixture(path));
}

/** The address of a fixture: of the tests' server in a browser, a `file:` one in Node. */
export function fixtureUrl(path: string): string {
  return isNode
    ? `file://${process.cwd()}/test/fixtures/${path}`
    : new URL(`/fixtures/${path}`, self.location.origin).href;
}

/** The names of the files and folders in a folder below test/fixtures, sorted. */
export async function listFixtures(folder: string): Promise<string[]> {
  if (isNode) {
    const { readdir } = await import('node:fs/promises');
    return (await readdir(`${process.cwd()}/test/fixtures/${folder}`)).sort();
  }
  const response = await fetch(`${fixtureUrl(folder)}/`);
  if (!response.ok) throw new Error(`test/fixtures/${folder}: ${response.status}`);
  return (await response.json()) as string[]; // the tests' server answers a folder with its names
}
