import { join } from 'node:path';
import { DragomanError } from '../errors.js';

/**
 * Whether these folders are a language model: one of them, since several do not go together. A folder that cannot be
 * read is none; whoever loads it says what is wrong with it.
 */
export async function isLanguageModel(folders: readonly string[]): Promise<boolean> {
  const { loadConfig } = await import('../config.js');
  const { MODEL_FILES } = await import('../model/folder-names.js');
  for (const folder of folders) {
    const task = await loadConfig(join(folder, MODEL_FILES.config)).then(
      (config) => config.task,
      () => null,
    );
    if (task !== 'language-model') continue;
    if (folders.length === 1) return true;
    throw new DragomanError(
      'usage',
      `${folder}: expected a language model alone, got it among ${folders.length} models`,
    );
  }
  return false;
}
