import { DragomanError, excerpt } from '../errors.js';
import type { NBestFormat } from './nbest.js';
import { looksLikeNumber, parseScore } from './nbest-fields.js';

const SEPARATOR = ' ||| ';

/** Pharaoh's form, which may be empty. */
const ALIGNMENT = /^(?:\d+-\d+(?: \d+-\d+)*)?$/;

/**
 * Lists without ids, as OpenNMT writes them: the same number of lines for every source line, one after the other.
 *
 * - OpenNMT-py: the hypothesis, with `--report_align` its alignment after ` ||| `, with `--with_score` a tab and its
 *   score behind all that;
 * - OpenNMT-tf: the hypothesis, with `with_scores` its score (`%f`) and ` ||| ` before it, token scores and
 *   alignments behind it after ` ||| ` each.
 *
 * The score is the total. There is no place for features: of what reranking computes only the new total is written.
 */
export const opennmtFormat: NBestFormat = {
  idsByPosition: true,

  reader: ({ perSource }) => {
    if (perSource === undefined) {
      throw new DragomanError(
        'usage',
        'expected the number of hypotheses a source line for an n-best list in the format opennmt, got none',
      );
    }
    let lines = 0;
    return (line, where) => {
      const id = Math.floor(lines++ / perSource);
      const entry = { features: new Map<string, number[]>() };
      const fields = line.split(SEPARATOR);
      const [first = '', text = '', ...after] = fields;
      if (fields.length > 1 && looksLikeNumber(first) && !/^\d+$/.test(first)) {
        const total = parseScore(first, 'the score', where);
        const rest = { opennmt: { scoreFirst: true, after } };
        return { id, entries: [{ ...entry, text, total, rest }], whole: false };
      }
      const tab = line.lastIndexOf('\t');
      const scored = tab >= 0 && looksLikeNumber(line.slice(tab + 1));
      const total = scored ? parseScore(line.slice(tab + 1), 'the score', where) : null;
      const [hypothesis = '', ...behind] = (scored ? line.slice(0, tab) : line).split(SEPARATOR);
      if (behind.length === 1 && ALIGNMENT.test(behind[0]!)) {
        const rest = { opennmt: { scoreFirst: false, after: behind } };
        return { id, entries: [{ ...entry, text: hypothesis, total, rest }], whole: false };
      }
      if (behind.length > 0 && /^\d+$/.test(hypothesis)) {
        throw new DragomanError(
          'input',
          `${where}: expected a hypothesis of an OpenNMT list, got a line of a Moses list (format moses): ${excerpt(line)}`,
        );
      }
      const rest = { opennmt: { scoreFirst: false, after: [] } };
      return {
        id,
        entries: [{ ...entry, text: [hypothesis, ...behind].join(SEPARATOR), total, rest }],
        whole: false,
      };
    };
  },

  writer:
    () =>
    ({ entries }) =>
      entries.map(({ text, total, rest }) => {
        const { scoreFirst, after } = rest.opennmt ?? { scoreFirst: false, after: [] };
        const line = text.replaceAll(/[\r\n]+/g, ' ');
        if (scoreFirst) return [(total ?? 0).toFixed(6), line, ...after].join(SEPARATOR);
        const hypothesis = [line, ...after].join(SEPARATOR);
        return total === null ? hypothesis : `${hypothesis}\t${total}`;
      }),
};
