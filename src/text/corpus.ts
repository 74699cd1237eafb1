/** A sentence and its translation. */
export interface SentencePair {
  source: string;
  target: string;
  /** Line of the file (of both files), from 1. */
  line: number;
}
