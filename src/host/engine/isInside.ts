/** Whether a path with slashes is a folder itself or below it, once `.` and `..` are resolved. */
export function isInside(folder: string, path: string): boolean {
  const inner = resolved(path);
  const outer = resolved(folder);
  return (
    inner !== undefined && outer !== undefined && (outer === '' || inner === outer || inner.startsWith(`${outer}/`))
  );
}

/** The path without `.`, `..` and doubled slashes; undefined where it leads above the root. */
function resolved(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.map((part) => `/${part}`).join('');
}
