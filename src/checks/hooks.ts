import { hookSettings } from "../routes/hooks-settings.ts";
import { isObject } from "../kit/json.ts";
import { hooks as known } from "../hooks/index.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** What other programs may tell the gateway, and what it does of its own: secrets, and entries that mean nothing. */
export const hooks: Check = {
  id: "hooks",
  title: "Hooks",
  security: true,
  look: async (context) => [...secret(context), ...mappings(context), ...internal(context)],
};

function secret({ config: { snapshot, environment }, program }: CheckContext): Finding[] {
  const own = environment["OPENCLAW_GATEWAY_TOKEN"] ?? environment["CLAWDBOT_GATEWAY_TOKEN"];
  const settings = hookSettings(snapshot.value, own);
  if (settings.state === "refused")
    return [
      {
        code: "hooks.token_weak",
        level: "error",
        message: `${settings.why}. Until then hooks are off.`,
        path: "hooks.token",
        command: `${program} config set hooks.token "$(openssl rand -hex 24)"`,
      },
    ];
  if (settings.state !== "on" || !settings.allowQueryToken) return [];
  return [
    {
      code: "hooks.query_token",
      level: "warning",
      message: "hooks.allowQueryToken is true: a token in an address ends up in the logs of whatever is on the way.",
      path: "hooks.allowQueryToken",
      command: `${program} config set hooks.allowQueryToken false`,
    },
  ];
}

function mappings({ config: { snapshot } }: CheckContext): Finding[] {
  return snapshot.value.hooks.mappings.flatMap((mapping, index): Finding[] => {
    const path = `hooks.mappings[${index}]`;
    if (mapping["transform"] !== undefined)
      return [
        {
          code: "hooks.mapping_transform",
          level: "warning",
          message: `${path} has a transform: this gateway loads no code, so the mapping means nothing. Use messageTemplate.`,
          path,
        },
      ];
    const { path: wanted, source } = mapping.match ?? {};
    if (wanted !== undefined || source !== undefined) return [];
    return [
      {
        code: "hooks.mapping_unmatched",
        level: "warning",
        message: `${path} has no match.path and no match.source: no call ever means it.`,
        path,
      },
    ];
  });
}

function internal({ config: { snapshot }, program }: CheckContext): Finding[] {
  const { internal: section } = snapshot.value.hooks;
  if (!section || section.enabled === false) return [];
  const names = Object.entries(section.entries).flatMap(([name, { enabled }]) =>
    enabled === false || known.some((hook) => hook.name === name) ? [] : [`hooks.internal.entries.${name}`],
  );
  const { handlers, load } = section;
  const legacy = Array.isArray(handlers) && handlers.length > 0 ? ["hooks.internal.handlers"] : [];
  const folders = isObject(load) && load["extraDirs"] !== undefined ? ["hooks.internal.load.extraDirs"] : [];
  return [...names, ...legacy, ...folders].map((path) => ({
    code: "hooks.internal_unknown",
    level: "warning",
    message: `${path} is for a hook that is code: this gateway loads none, so it does nothing.`,
    path,
    command: `${program} hooks list`,
  }));
}
