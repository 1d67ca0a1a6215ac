const reasons: Readonly<Record<string, string>> = {
  EACCES: 'it is not allowed',
  EPERM: 'it is not allowed',
  EROFS: 'nothing can be written there',
  ENOSPC: 'there is no room left',
  EDQUOT: 'there is no room left',
  EFBIG: 'it would be too large for this disk',
  EISDIR: 'it is a folder',
  EEXIST: 'something else stands there',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EBUSY: 'another program holds it',
  ETXTBSY: 'another program holds it',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk fails',
};

/** Why the system did not do something with a file, as words of a sentence, never as its code; `others` go before, where a code means more in one place. */
export function systemReason(error: unknown, others: Readonly<Record<string, string>> = {}): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  // The system's own words stand behind its code: `EACCES: permission denied, open 'a'`.
  return others[code] ?? reasons[code] ?? /^[A-Z]\w+: ([^,]+)/.exec(error.message)?.[1] ?? error.message;
}
