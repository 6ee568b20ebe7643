/**
 * What a change of a key needs: `live` is read on the next use, `part` restarts the part that it configures, `restart`
 * the whole gateway, `none` nothing.
 */
export type Effect = "live" | "part" | "restart" | "none";

/** By prefix; the longest that fits decides, and what is not here needs a restart (cli.md 2.9). */
const effects: Readonly<Record<string, Effect>> = {
  "gateway.remote": "none",
  "gateway.reload": "none",
  "gateway.publicOrigin": "live",
  "gateway.auth.rateLimit": "live",
  "gateway.controlUi.allowedOrigins": "live",
  agents: "live",
  "agents.defaults.heartbeat": "part",
  approvals: "live",
  bindings: "live",
  broadcast: "live",
  browser: "part",
  channels: "part",
  commands: "live",
  cron: "part",
  hooks: "part",
  logging: "live",
  messages: "live",
  meta: "none",
  models: "live",
  session: "live",
  skills: "live",
  talk: "live",
  tools: "live",
  ui: "live",
  update: "live",
  web: "part",
  wizard: "none",
};

/** What a change at this written path needs. */
export function effectOf(path: string): Effect {
  let prefix = path.replace(/\[.*/, "");
  for (;;) {
    const effect = Object.hasOwn(effects, prefix) ? effects[prefix] : undefined;
    if (effect) return effect;
    if (!prefix.includes(".")) return "restart";
    prefix = prefix.slice(0, prefix.lastIndexOf("."));
  }
}

/** The same in the words of the protocol. */
export function reloadKind(path: string): "restart" | "hot" | "none" {
  const effect = effectOf(path);
  return effect === "live" || effect === "part" ? "hot" : effect;
}
