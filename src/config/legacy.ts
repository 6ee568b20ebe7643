import { isObject, type JsonObject } from "../kit/json.ts";

/** A configuration with the keys of older versions put where they belong now, and what was moved, such as `a → b`. */
export interface Migrated {
  readonly value: unknown;
  readonly moved: readonly string[];
}

/**
 * Moves what older versions wrote to where it is read now (cli.md 2.12). Works on the file's own value, before
 * `$include` and `${NAME}`. What a new key holds already stays, and the old key goes; an old key whose new place is not
 * known stays where it is.
 */
export function migrateLegacy(written: unknown): Migrated {
  if (!isObject(written)) return { value: written, moved: [] };
  const root = structuredClone(written);
  const moved: string[] = [];
  const say = (from: string, to: string): void => void moved.push(`${from} → ${to}`);
  for (const [from, to] of moves) if (put(root, to, take(root, from))) say(from, to);
  for (const [, , migration] of migrations) migration(root, say);
  return { value: root, moved };
}

/** The paths of every key of older versions, and where its value belongs now. */
export function legacyPaths(): readonly (readonly [from: string, to: string])[] {
  return [...moves, ...migrations.flatMap(([olds, to]) => olds.map((from) => [from, to] as const))];
}

type Say = (from: string, to: string) => void;

const moves: readonly (readonly [from: string, to: string])[] = [
  ["gateway.token", "gateway.auth.token"],
  ["routing.allowFrom", "channels.whatsapp.allowFrom"],
  ["routing.groupChat.mentionPatterns", "messages.groupChat.mentionPatterns"],
  ["routing.groupChat.historyLimit", "messages.groupChat.historyLimit"],
  ["routing.queue", "messages.queue"],
  ["routing.bindings", "bindings"],
  ["routing.agentToAgent", "tools.agentToAgent"],
  ["agent.tools.allow", "tools.allow"],
  ["agent.tools.deny", "tools.deny"],
  ["agent.elevated", "tools.elevated"],
  ["agent.bash", "tools.exec"],
  ["agent.sandbox.tools", "tools.sandbox.tools"],
  ["agent.subagents.tools", "tools.subagents.tools"],
];

/** Those that do more than give a value another place, in this order: each looks at what the ones before it left. */
const migrations: readonly (readonly [
  from: readonly string[],
  to: string,
  run: (root: JsonObject, say: Say) => void,
])[] = [
  [["routing.groupChat.requireMention"], 'channels.*.groups."*".requireMention', requireMention],
  [["routing.agents", "routing.defaultAgentId"], "agents.list", listedAgents],
  [["routing.transcribeAudio"], "tools.media.audio.models", transcription],
  [["bindings[].match.accountID"], "bindings[].match.accountId", accountIds],
  [["identity"], "agents.list[].identity", identity],
  [["agent.model", "agent.imageModel"], "agents.defaults.model", agentModels],
  [["agent.*"], "agents.defaults", agentDefaults],
  [["messages.tts.enabled"], "messages.tts.auto", speech],
];

/** One switch for all chat networks became one for each, for all of its groups. */
function requireMention(root: JsonObject, say: Say): void {
  const channels = ["whatsapp", "telegram", "imessage"].filter((id) => at(root, `channels.${id}`) !== undefined);
  if (channels.length === 0) return;
  const value = take(root, "routing.groupChat.requireMention");
  if (value === undefined) return;
  for (const id of channels) put(root, `channels.${id}.groups.*.requireMention`, value);
  say("routing.groupChat.requireMention", channels.map((id) => `channels.${id}.groups."*".requireMention`).join(", "));
}

/** Agents by name became a list, in which one is marked as the default. */
function listedAgents(root: JsonObject, say: Say): void {
  const named = take(root, "routing.agents");
  const chosen = take(root, "routing.defaultAgentId");
  if (named === undefined && chosen === undefined) return;
  const list = agentList(root);
  const rowOf = (id: string): JsonObject => {
    const row = list.find((each) => each["id"] === id) ?? { id };
    if (!list.includes(row)) list.push(row);
    return row;
  };
  for (const [id, fields] of Object.entries(isObject(named) ? named : {}))
    if (isObject(fields)) Object.assign(rowOf(id), { ...fields, ...rowOf(id) });
  if (typeof chosen === "string" && !list.some((row) => row["default"] === true)) rowOf(chosen)["default"] = true;
  set(root, "agents.list", list);
  if (named !== undefined) say("routing.agents", "agents.list");
  if (chosen !== undefined) say("routing.defaultAgentId", "agents.list");
}

/** A command that writes down what is said became one of the models for it. */
function transcription(root: JsonObject, say: Say): void {
  const old = at(root, "routing.transcribeAudio");
  const [command, ...args] = isObject(old) && Array.isArray(old["command"]) ? (old["command"] as unknown[]) : [];
  if (!isObject(old) || typeof command !== "string") return;
  take(root, "routing.transcribeAudio");
  const { timeoutSeconds } = old;
  const model = { type: "cli", command, args, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) };
  put(root, "tools.media.audio.models", [model]);
  say("routing.transcribeAudio", "tools.media.audio.models");
}

function accountIds(root: JsonObject, say: Say): void {
  const bindings = at(root, "bindings");
  for (const [index, binding] of (Array.isArray(bindings) ? bindings : []).entries()) {
    const match: unknown = isObject(binding) ? binding["match"] : undefined;
    if (!isObject(match) || !put(match, "accountId", take(match, "accountID"))) continue;
    say(`bindings[${index}].match.accountID`, "accountId");
  }
}

function identity(root: JsonObject, say: Say): void {
  const old = take(root, "identity");
  if (old === undefined) return;
  const list = agentList(root);
  const row = list.find((each) => each["default"] === true) ?? list[0] ?? { id: "main", default: true };
  if (!list.includes(row)) list.push(row);
  row["identity"] ??= old;
  set(root, "agents.list", list);
  say("identity", "agents.list[].identity");
}

/** A model, its stand-ins and the short names became `model` with `fallbacks`, and `models` with aliases. */
function agentModels(root: JsonObject, say: Say): void {
  for (const name of ["model", "imageModel"]) {
    const primary = at(root, `agent.${name}`);
    const fallbacks = take(root, `agent.${name}Fallbacks`);
    if (typeof primary === "string" || fallbacks !== undefined) {
      take(root, `agent.${name}`);
      const choice = {
        ...(primary === undefined ? {} : { primary }),
        ...(fallbacks === undefined ? {} : { fallbacks }),
      };
      put(root, `agents.defaults.${name}`, choice);
      say(`agent.${name}`, `agents.defaults.${name}`);
    }
  }
  const allowed = take(root, "agent.allowedModels");
  const aliases = take(root, "agent.modelAliases");
  if (allowed === undefined && aliases === undefined) return;
  const present = at(root, "agents.defaults.models");
  const models: JsonObject = isObject(present) ? present : {};
  for (const reference of Array.isArray(allowed) ? allowed : [])
    if (typeof reference === "string") models[reference] ??= {};
  for (const [alias, reference] of Object.entries(isObject(aliases) ? aliases : {})) {
    if (typeof reference !== "string") continue;
    const known = models[reference];
    models[reference] = { alias, ...(isObject(known) ? known : {}) };
  }
  set(root, "agents.defaults.models", models);
  say("agent.allowedModels, agent.modelAliases", "agents.defaults.models");
}

function agentDefaults(root: JsonObject, say: Say): void {
  for (const key of Object.keys(objectAt(root, "agent")))
    if (put(root, `agents.defaults.${key}`, take(root, `agent.${key}`))) say(`agent.${key}`, `agents.defaults.${key}`);
}

function speech(root: JsonObject, say: Say): void {
  const enabled = at(root, "messages.tts.enabled");
  if (typeof enabled !== "boolean") return;
  take(root, "messages.tts.enabled");
  put(root, "messages.tts.auto", enabled ? "always" : "off");
  say("messages.tts.enabled", "messages.tts.auto");
}

function agentList(root: JsonObject): JsonObject[] {
  const list = at(root, "agents.list");
  return Array.isArray(list) ? list.filter(isObject) : [];
}

// Paths here are ours: plain words joined by points.

function at(root: JsonObject, path: string): unknown {
  let value: unknown = root;
  for (const key of path.split(".")) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

function objectAt(root: JsonObject, path: string): JsonObject {
  const value = at(root, path);
  return isObject(value) ? value : {};
}

/** Removes what is there, and the objects on the way that hold nothing else; answers it. */
function take(root: JsonObject, path: string): unknown {
  const value = at(root, path);
  if (value === undefined) return undefined;
  const keys = path.split(".");
  for (let depth = keys.length - 1; depth >= 0; depth--) {
    const holder = depth === 0 ? root : objectAt(root, keys.slice(0, depth).join("."));
    const key = keys[depth] ?? "";
    if (depth < keys.length - 1 && Object.keys(objectAt(holder, key)).length > 0) break;
    delete holder[key];
  }
  return value;
}

/** Puts a value where nothing is yet; answers whether there was a value at all. */
function put(root: JsonObject, path: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (at(root, path) === undefined) set(root, path, value);
  return true;
}

function set(root: JsonObject, path: string, value: unknown): void {
  const keys = path.split(".");
  let holder = root;
  for (const key of keys.slice(0, -1)) {
    const next = holder[key];
    const below: JsonObject = isObject(next) ? next : {};
    holder[key] = below;
    holder = below;
  }
  holder[keys.at(-1) ?? ""] = value;
}
