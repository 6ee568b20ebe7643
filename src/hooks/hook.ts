import type { Agent } from "../agent/roster.ts";
import type { Config } from "../config/schema.ts";
import type { Turns } from "../flow/turns.ts";
import type { Clock, Files } from "../host/host.ts";
import type { Logger } from "../kit/log.ts";
import type { SessionRow, Sessions } from "../session/sessions.ts";

/** Something that the gateway does of its own at an event, where the configuration asks for it (cli.md 8.10). */
export interface Hook {
  /** As in `hooks.internal.entries`. */
  readonly name: string;
  readonly emoji: string;
  readonly summary: string;
  readonly events: readonly HookEvent["name"][];
  /** Does it. What is thrown is logged, and harms nobody. */
  run(event: HookEvent, context: HookContext): Promise<void>;
}

/** What happened, by the names of OpenClaw's own hooks. */
export type HookEvent =
  | { readonly name: "gateway:startup" }
  /** A session began anew; the row is that of the new one. */
  | { readonly name: "command:new" | "command:reset" | "session:auto-reset"; readonly row: SessionRow }
  /** Somebody gave a slash command that they may give. */
  | {
      readonly name: "command";
      readonly command: string;
      readonly sessionKey: string;
      readonly sender: string;
      readonly channel: string;
    };

export interface HookContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: Files;
  readonly stateFolder: string;
  readonly sessions: Sessions;
  readonly turns: Turns;
  /** The default one first. */
  readonly agents: readonly Agent[];
  workspaceOf(agent: Agent): string;
  /** The person's. */
  readonly timeZone: string;
  readonly settings: HookSettings;
  /** The gateway ends. */
  readonly signal: AbortSignal;
}

export type HookSettings = NonNullable<Config["hooks"]["internal"]>["entries"][string];

/** A hook's entry in the configuration; undefined while it is off. */
export function settingsOf({ hooks: { internal } }: Pick<Config, "hooks">, name: string): HookSettings | undefined {
  if (!internal || internal.enabled === false) return undefined;
  const entry = Object.hasOwn(internal.entries, name) ? internal.entries[name] : undefined;
  if (entry?.enabled === false) return undefined;
  return entry ?? (internal.enabled === true ? {} : undefined);
}
