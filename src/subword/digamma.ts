/** The digamma function, d/dx ln Γ(x), for x > 0: its recurrence up to 6, then its asymptotic series. */
export function digamma(x: number): number {
  let value = 0;
  for (; x < 6; x++) value -= 1 / x;
  const y = 1 / (x * x);
  return value + Math.log(x) - 1 / (2 * x) - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)));
}
