import { z } from 'zod';

export const TASKS = ['translation', 'language-model'] as const;
export type Task = (typeof TASKS)[number];

export const seed = z.int().default(1).describe('Fixes initial weights, dropout and the order of the data.');
