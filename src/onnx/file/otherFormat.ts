/** What stands where a file should, by its first bytes: what a download that went wrong leaves; undefined for all else. */
export function standIn(head: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(head.subarray(0, 256)).trimStart();
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    return 'it is a Git LFS pointer, which only stands for the file: get the file with "git lfs pull"';
  if (/^<(?:!doctype|html|\?xml|head|body|error)/i.test(text)) return 'it is a web page: download the file itself';
  // "Entry not found", "Invalid credentials in Authorization header": a whole file of words.
  return head.length < 256 && /^[A-Z][a-z]+(?:[ ,.:'"/-]+[\w-]+){1,30}[.!]?\s*$/.test(text)
    ? 'it is a line of text, as a server answers that does not give the file: download it again'
    : undefined;
}

/** The same where a file that is no JSON should stand. */
export function otherFormat(head: Uint8Array): string | undefined {
  const found = standIn(head);
  if (found !== undefined) return found;
  return /^\s*\{\s*"/.test(new TextDecoder().decode(head.subarray(0, 64)))
    ? 'it is JSON, as a server answers that has no such file: download it again'
    : undefined;
}
