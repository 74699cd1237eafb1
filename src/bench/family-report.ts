import { VERSION } from '../version.js';
import { wiringsOf } from '../wiring/pictures.js';
import { escapeXml } from '../xml.js';
import type { FamilyResult } from './family.js';
import { tableOf } from './family-table.js';
import { linePlot } from './line-plot.js';

const STYLE =
  'body{font:15px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#222}' +
  'table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:right}' +
  'td:first-child,th:first-child,td:nth-child(2),th:nth-child(2){text-align:left}.note{color:#555}';

/**
 * The results as one HTML page that needs no other file: a table and a plot for each task, and the members' wiring.
 * @param engine what computed
 */
export function familyReport(results: readonly FamilyResult[], engine: string): string {
  const sections = results.map((result) => {
    const { head, rows } = tableOf(result);
    const lines = result.rows.map(({ subject, setting, curve }) => ({
      label: [subject, setting].filter(Boolean).join(', '),
      points: curve,
    }));
    return [
      `<h2>${escapeXml(result.task)}</h2>`,
      `<p>${escapeXml(result.title)}</p>`,
      `<p class="note">${escapeXml(result.source)}. Seeds ${result.seeds.join(', ')}.</p>`,
      `<table><tr>${cells('th', head)}</tr>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</table>`,
      linePlot(lines, result.axes),
    ].join('\n');
  });
  const quick = results.some((result) => result.quick)
    ? '<p><b>A quick run: a fraction of the training. It shows that all works, not what the members can do.</b></p>'
    : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The recurrent family</title><style>${STYLE}</style></head>
<body><h1>The recurrent family</h1>
<p class="note">Dragoman ${VERSION}, engine ${escapeXml(engine)}.</p>${quick}
${sections.join('\n')}
${wirings(results)}
</body></html>
`;
}

/** How the members that took part are wired, those of which there is a picture. */
function wirings(results: readonly FamilyResult[]): string {
  const members = new Set(results.flatMap(({ rows }) => rows.map(({ member }) => member)));
  const pictures = [...members].flatMap((member) =>
    wiringsOf(member).map((svg) => `<h3>${escapeXml(member)}</h3>\n<p>${svg}</p>`),
  );
  return pictures.length === 0 ? '' : `<h2>How the members are wired</h2>\n${pictures.join('\n')}`;
}

function cells(tag: 'td' | 'th', values: readonly string[]): string {
  return values.map((value) => `<${tag}>${escapeXml(value)}</${tag}>`).join('');
}
