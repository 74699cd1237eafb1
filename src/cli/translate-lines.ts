import type { LoadOptions } from '../search/load-models.js';
import type { TranslateOptions } from '../search/translator.js';
import type { Terminal } from './terminal.js';

/** The best translation of each line, with progress on standard error. */
export async function translateLines(
  terminal: Terminal,
  folders: readonly string[],
  lines: readonly string[],
  options: TranslateOptions,
  load: LoadOptions = {},
): Promise<string[]> {
  const { Translator } = await import('../search/translator.js');
  const translator = await Translator.load(folders, load);
  const progress = terminal.progress('translating', lines.length);
  const translations: string[] = [];
  try {
    for await (const { text } of translator.translateStream(lines, options)) {
      translations.push(text);
      progress.update(translations.length);
    }
  } finally {
    progress.finish();
    translator.dispose();
  }
  return translations;
}
