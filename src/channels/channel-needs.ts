import { Failure } from "../kit/error.ts";

/** The values that an account cannot do without. Throws `config` with the keys of those that are blank. */
export function needed<const K extends string>(
  settings: { readonly [key in K]?: string | undefined },
  keys: readonly K[],
  { id, label, hint }: { readonly id: string; readonly label: string; readonly hint?: string },
): Record<K, string> {
  const missing = keys.filter((key) => (settings[key] ?? "").trim() === "");
  if (missing.length > 0) {
    const names = missing.map((key) => `channels.${id}.${key}`).join(", ");
    throw new Failure("config", `${label} needs ${names}: ${hint ?? `run \`clawlet channels add --channel ${id}\``}`);
  }
  const values = keys.map((key) => [key, settings[key] ?? ""] as const);
  return Object.fromEntries(values) as Record<K, string>; // every key of `keys`, and no other
}
