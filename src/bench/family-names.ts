/** The tasks of the family's benchmark, in the order in which they run. Alone here, so that `--help` loads no engine. */
export const FAMILY_TASK_NAMES = [
  'addition',
  'reber',
  'tomita',
  'adding',
  'delay-line',
  'mackey-glass',
  'patterns',
  'transduction',
  'pronunciation',
] as const;
export type FamilyTaskName = (typeof FAMILY_TASK_NAMES)[number];
