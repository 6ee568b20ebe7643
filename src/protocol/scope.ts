/** What a caller may do (protocol.md 4.6). A closed set: any other string grants nothing. */
export const scopes = [
  "operator.read",
  "operator.write",
  "operator.admin",
  "operator.approvals",
  "operator.questions",
  "operator.pairing",
  "operator.talk",
  "operator.talk.secrets",
] as const;

export type Scope = (typeof scopes)[number];

export const roles = ["operator", "node"] as const;
export type Role = (typeof roles)[number];

/** Whether `granted` holds `scope`, directly or by implication: admin has all, write has read and talk. */
export function allows(granted: ReadonlySet<string>, scope: Scope): boolean {
  if (granted.has(scope) || granted.has("operator.admin")) return true;
  return (scope === "operator.read" || scope === "operator.talk") && granted.has("operator.write");
}

/** The part of `asked` that `granted` allows, in the order asked, without repeats. */
export function intersect(asked: readonly string[], granted: Iterable<string>): readonly string[] {
  const held = new Set(granted);
  return [...new Set(asked)].filter((scope) => (isScope(scope) ? allows(held, scope) : held.has(scope)));
}

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
