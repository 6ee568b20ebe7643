import type { Config } from "../config/schema.ts";

/** Whether hooks are taken, or why not. */
export type HookSettings = { readonly state: "off" } | { readonly state: "refused"; readonly why: string } | HooksOn;

export interface HooksOn {
  readonly state: "on";
  readonly token: string;
  /** Without a slash at its end. */
  readonly path: string;
  readonly maxBodyBytes: number;
  readonly allowQueryToken: boolean;
  readonly allowRequestSessionKey: boolean;
  readonly presets: Config["hooks"]["presets"];
  readonly mappings: Config["hooks"]["mappings"];
}

/**
 * The `hooks` section, judged: without a secret that is its own and hard to guess there is no way in (threat K).
 * `gatewayToken` is the gateway's own, where the environment has it.
 */
export function hookSettings({ hooks, gateway }: Config, gatewayToken?: string): HookSettings {
  if (!hooks.enabled) return { state: "off" };
  const { token, path } = hooks;
  const refused = (why: string): HookSettings => ({ state: "refused", why });
  if (token === undefined || token.trim() === "")
    return refused("hooks.enabled is true and hooks.token is missing: without a secret no call is taken");
  if ([gateway.auth.token, gateway.auth.password, gatewayToken].includes(token))
    return refused("hooks.token is the gateway's own secret: whoever may call a hook would own the gateway");
  if (token.length < LEAST_CHARACTERS || new Set(token).size < LEAST_DIFFERENT)
    return refused(`hooks.token can be guessed: give it at least ${LEAST_CHARACTERS} random characters`);
  return { ...hooks, state: "on", token, path: path.replace(/\/$/, "") };
}

const LEAST_CHARACTERS = 16;
const LEAST_DIFFERENT = 6;
