/** A hash of a text to tell it from another (two 32-bit halves, in hexadecimal, and the length); not for secrets. */
export function textHash(text: string): string {
  // cyrb53 (public domain, by bryc): two multiplicative streams with a final mix.
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  return `${hex(high)}${hex(low)}-${text.length.toString(16)}`;
}
