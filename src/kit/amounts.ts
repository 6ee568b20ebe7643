/** A number, as of tokens, in a few characters: `950`, `1.2k`, `34k`, `1.5m`. */
export function short(count: number): string {
  if (count < 1000) return String(Math.round(count));
  const [amount, unit] = count < 999_500 ? [count / 1000, "k"] : [count / 1_000_000, "m"];
  return `${amount.toFixed(amount < 9.95 ? 1 : 0).replace(/\.0$/, "")}${unit}`;
}

/** US dollars, with more digits where there is little: `$0.0012`, `$3.40`. */
export function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`;
}

/** Bytes in a few characters: `512 B`, `3.4 KB`, `120 MB` (powers of 1024). */
export function bytesText(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"] as const;
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${amount.toFixed(power === 0 || amount >= 99.5 ? 0 : 1)} ${units[power]}`;
}
