/**
 * What differs between the names that this program is known by. Which one applies is decided once, by the name it was
 * called by; nothing else tests that name.
 */
export interface Flavour {
  /** The product's name in paths, units and texts. */
  readonly id: "openclaw" | "clawdbot";
  readonly title: string;
  /** The other flavour's environment variables are read too, after this one's. */
  readonly envPrefixes: readonly string[];
  readonly stateFolder: string;
  readonly configFile: string;
  /** The default workspace, under the home folder; `-<profile>` is added for a profile. */
  readonly workspace: string;
  readonly serviceType: string;
}

export const flavours = {
  openclaw: {
    id: "openclaw",
    title: "OpenClaw",
    envPrefixes: ["OPENCLAW_", "CLAWDBOT_"],
    stateFolder: ".openclaw",
    configFile: "openclaw.json",
    workspace: ".openclaw/workspace",
    serviceType: "_openclaw-gw._tcp",
  },
  clawdbot: {
    id: "clawdbot",
    title: "Clawdbot",
    envPrefixes: ["CLAWDBOT_", "OPENCLAW_"],
    stateFolder: ".clawdbot",
    configFile: "clawdbot.json",
    workspace: "clawd",
    serviceType: "_clawdbot-gw._tcp",
  },
} as const satisfies Record<string, Flavour>;

/**
 * The flavour of a program name. `clawdbot`, and `moltbot` as it was called for some days, is Clawdbot; `openclaw` and
 * `clawlet` are OpenClaw, except that `clawlet` follows an existing Clawdbot when that is the only one here (cli.md 10.7).
 */
export function flavourOf(program: string, onlyClawdbotExists: boolean): Flavour {
  if (program === "clawdbot" || program === "moltbot") return flavours.clawdbot;
  return program !== "openclaw" && onlyClawdbotExists ? flavours.clawdbot : flavours.openclaw;
}
