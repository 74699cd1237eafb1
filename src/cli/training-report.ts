import type { TrainingEvents, Progress as TrainingProgress, ValidationReport } from '../train/events.js';
import type { Progress } from './progress.js';
import type { Terminal } from './terminal.js';

/** Shows a training: a bar, a line a validation with one of its sentences, and messages. */
export class TrainingReport implements TrainingEvents {
  #bar: Progress | null = null;

  constructor(private readonly terminal: Terminal) {}

  onProgress(at: TrainingProgress): void {
    this.#bar ??= this.terminal.share('training');
    const left = at.secondsLeft === null ? '' : `, ${clock(at.secondsLeft)} left`;
    const figures = `loss ${at.loss.toFixed(3)}, perplexity ${figure(at.perplexity)}, ${Math.round(at.tokensPerSecond)} tokens/s`;
    this.#bar.update(at.fraction, `epoch ${at.epoch}, step ${at.step}, ${figures}${left}`);
  }

  onValidation(report: ValidationReport): void {
    const bleu = report.bleu === null ? '' : `, BLEU ${report.bleu.toFixed(2)}`;
    const best = report.best ? ' (best so far)' : '';
    this.#note(
      `epoch ${report.epoch}, step ${report.step}, ${clock(report.seconds)}: validation perplexity ` +
        `${figure(report.perplexity)}${best}, accuracy ${(100 * report.accuracy).toFixed(1)} %${bleu}`,
    );
    const [example] = report.examples;
    if (!example) return;
    this.#note(`  source       ${example.source}`);
    this.#note(`  reference    ${example.reference}`);
    this.#note(`  translation  ${example.translation}`);
  }

  onMessage(message: string): void {
    this.#note(message);
  }

  /** Takes the bar away; call it however training ends. */
  finish(): void {
    this.#bar?.finish();
    this.#bar = null;
  }

  #note(line: string): void {
    if (this.#bar) this.#bar.note(line);
    else this.terminal.say(line);
  }
}

/** A perplexity: two digits after the point where they mean something. */
function figure(value: number): string {
  return value < 1000 ? value.toFixed(2) : value.toPrecision(4);
}

/** Seconds as `1:23:45` or `2:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
