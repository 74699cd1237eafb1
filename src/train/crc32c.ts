/** Reversed polynomial of CRC-32C (Castagnoli et al. 1993; RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/** For each k, what a byte does to the checksum of k bytes that follow it (Kounavis & Berry 2005, "slicing by 4"). */
const TABLES = makeTables(4);

function makeTables(count: number): Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
  const tables = [first];
  while (tables.length < count) {
    tables.push(tables.at(-1)!.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!));
  }
  return tables;
}

/**
 * CRC-32C of some bytes, as an unsigned 32-bit integer.
 *
 * @param previous The checksum of the bytes before these, to go on from.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const [zero, one, two, three] = TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const { length } = bytes;
  let crc = ~previous;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = three[crc & 0xff]! ^ two[(crc >>> 8) & 0xff]! ^ one[(crc >>> 16) & 0xff]! ^ zero[crc >>> 24]!;
  }
  for (; i < length; i++) crc = zero[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
