/**
 * Characters that have a script in Unicode, but none in the table of SentencePiece 0.2.2, which is that of Unicode 9:
 * ranges of code points. Found by asking its BPE trainer, for every character of Unicode 17, whether it may stand in a
 * piece with a digit, which has no script.
 */
const RANGES = `
  560 588-589 5ef 61c-61d 7fd-7ff 860-86a 870-891 897-89f 8b5 8be-8d3 9fc-9fe a76 afa-aff b55 c04 c3c c5c-c5d c77
  c84 cdc-cdd cf3 d00 d04 d3b-d3c d81 e86 e89 e8c e8e-e93 e98 ea0 ea8-ea9 eac eba ece 170d 1715 171f 180f 1878
  1b4c 1b4e-1b4f 1b7d-1b7f 1c89-1c8a 1c90-1cba 1cbd-1cbf 2c2f 2c5f 312e-312f 31bb-31bf 4db6-4dbf 9fd6-9fff a7af
  a7b8-a7dc a7f1-a7f6 a82c a8fe-a8ff ab66-ab69 fbc2-fbd2 fd40-fd4f fd90-fd91 fdc8-fdcf fdfe-fdff 1032d-1032f
  10570-1057a 1057c-1058a 1058c-10592 10594-10595 10597-105a1 105a3-105b1 105b3-105b9 105bb-105bc 10780-10785
  10787-107b0 107b2-107ba 10a34-10a35 10a48 10d00-10d27 10d30-10d39 10e80-10ea9 10eab-10ead 10eb0-10eb1
  10ec2-10ec7 10ed0-10ed8 10efa-10f27 10f30-10f59 10f70-10f89 10fb0-10fcb 10fe0-10ff6 11070-11075 110c2 110cd
  11144-11147 111ce-111cf 1123f-11241 1145a 1145e-11461 116b8-116b9 116d0-116e3 1171a 11740-11746 11800-1183b
  11900-11906 11909 1190c-11913 11915-11916 11918-11935 11937-11938 1193b-11946 11950-11959 119a0-119a7
  119aa-119d7 119da-119e4 11a00-11a47 11a50-11aa2 11ab0-11abf 11b00-11b09 11b60-11b67 11d00-11d06 11d08-11d09
  11d0b-11d36 11d3a 11d3c-11d3d 11d3f-11d47 11d50-11d59 11d60-11d65 11d67-11d68 11d6a-11d8e 11d90-11d91
  11d93-11d98 11da0-11da9 11ee0-11ef8 11fb0 11fc0-11ff1 11fff 12f90-12ff2 1342f-13455 13460-143fa 16a70-16abe
  16ac0-16ac9 16e40-16e9a 16f45-16f4a 16f4f 16f7f-16f87 16fe1-16fe4 16ff0-16ff6 187ed-187ff 18af3-18cd5
  18cff-18d1e 18d80-18df2 1aff0-1aff3 1aff5-1affb 1affd-1affe 1b002-1b122 1b132 1b150-1b152 1b155 1b164-1b167
  1b170-1b2fb 1df00-1df1e 1df25-1df2a 1e030-1e06d 1e08f 1e100-1e12c 1e130-1e13d 1e140-1e149 1e14e-1e14f
  1e290-1e2ae 1e2c0-1e2f9 1e2ff 1e7e0-1e7e6 1e7e8-1e7eb 1e7ed-1e7ee 1e7f0-1e7fe 1e94b 2a6d7-2a6df 2b735-2b73f
  2cea2-2cead 2ceb0-2ebe0 2ebf0-2ee5d 30000-3134a 31350-33479
`;

const bounds = RANGES.trim()
  .split(/\s+/)
  .map((range) => range.split('-').map((point) => Number.parseInt(point, 16)));
const starts = Int32Array.from(bounds, ([start]) => start!);
const ends = Int32Array.from(bounds, ([start, end]) => end ?? start!);

/** Whether SentencePiece knows no script of this character, though it has one. */
export function isNewerThanGoogle(codePoint: number): boolean {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! < codePoint) low = middle + 1;
    else high = middle;
  }
  return low < starts.length && starts[low]! <= codePoint;
}
