/** What is attacked: any gateway that speaks the protocol. What is not known of it, is not tried. */
export interface Target {
  /** `ws://host:port`. */
  readonly url: string;
  /** The shared secret, which makes a client on this machine an administrator. */
  readonly token?: string | undefined;
  /** The gateway's process on this machine, whose memory is watched. */
  readonly pid?: number | undefined;
  readonly runtime?: Runtime | undefined;
  /** It was started for this: its configuration may be changed, and it has been given secrets that must not show. */
  readonly own?: Own | undefined;
}

export interface Own {
  readonly canaries: readonly string[];
  readonly logs: () => readonly string[];
}

export type Runtime = "bun" | "deno" | "node";

export interface Attack {
  /** Begins with the threat's class (SECURITY.md). */
  readonly name: string;
  /** What a gateway that withstands it does, as `run` tells it. */
  readonly expected: string | RegExp;
  readonly needs?: readonly ("token" | "pid" | "own")[];
  /** Runtimes on which the gateway cannot withstand it, and why. */
  readonly gaps?: Readonly<Partial<Record<Runtime, string>>>;
  /** Attacks, and says in a line what happened. */
  run(target: Target): Promise<string>;
}

/** Why an attack is not tried on a target; undefined when it is. */
export function reasonToSkip({ needs = [], gaps = {} }: Attack, target: Target): string | undefined {
  const missing = needs.find((need) => target[need] === undefined);
  if (missing) return `needs ${what[missing]}`;
  return target.runtime && gaps[target.runtime];
}

const what = {
  token: "the gateway's token",
  pid: "the gateway's process on this machine",
  own: "a gateway of its own, whose configuration it may change",
} as const;

export function withstood({ expected }: Attack, seen: string): boolean {
  return typeof expected === "string" ? seen === expected : expected.test(seen);
}
