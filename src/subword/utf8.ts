/** Bytes of the character that a lead byte announces; a byte that announces none stands alone. */
export function announcedLength(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Bytes of the character that begins at `start`; 0 where none does (overlong forms and surrogates are none). */
export function characterLength(bytes: ArrayLike<number>, start: number, end: number): number {
  const first = bytes[start]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = announcedLength(first);
  if (start + length > end) return 0;
  for (let i = 1; i < length; i++) if ((bytes[start + i]! & 0xc0) !== 0x80) return 0;
  const second = bytes[start + 1]!;
  const overlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90);
  const outside = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

/** UTF-8 as text, with U+FFFD for each byte that belongs to no character (a TextDecoder puts one for several). */
export function decodeBytes(bytes: Uint8Array): string {
  let text = '';
  let whole = 0; // start of a stretch of whole characters
  for (let i = 0; i < bytes.length; ) {
    const length = characterLength(bytes, i, bytes.length);
    if (length === 0) {
      text += `${decodeUtf8(bytes.subarray(whole, i))}\uFFFD`;
      whole = i + 1;
    }
    i += Math.max(length, 1);
  }
  return text + decodeUtf8(bytes.subarray(whole));
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Whole characters as text. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Text as UTF-8; half a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
