/** What stands where a model should, by the first bytes: what a download that went wrong leaves; undefined for all else. */
export function otherFormat(head: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(head.subarray(0, 64)).trimStart();
  if (text.startsWith('version https://git-lfs.github.com/spec/')) return 'it is a Git LFS pointer, which only stands for the file: get the file with "git lfs pull"';
  if (/^<(?:!doctype|html|\?xml|head|body)/i.test(text)) return 'it is a web page: download the file itself';
  return /^\{\s*"/.test(text) ? 'it is JSON, as a server answers that has no such file: download it again' : undefined;
}
