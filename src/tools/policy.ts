import type { Config } from "../config/schema.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import type { Tool } from "./tool.ts";

/** Tools by group, for `group:<id>` in lists; those that this gateway lacks are known by name all the same. */
export const toolGroups = {
  fs: { label: "Files", tools: ["read", "write", "edit", "apply_patch"] },
  runtime: { label: "Runtime", tools: ["exec", "bash", "process"] },
  sessions: {
    label: "Sessions",
    tools: ["sessions_list", "sessions_history", "sessions_send", "sessions_spawn", "session_status"],
  },
  memory: { label: "Memory", tools: ["memory_search", "memory_get"] },
  web: { label: "Web", tools: ["web_search", "web_fetch"] },
  ui: { label: "UI", tools: ["browser", "canvas"] },
  automation: { label: "Automation", tools: ["cron", "gateway"] },
  messaging: { label: "Messaging", tools: ["message"] },
  nodes: { label: "Nodes", tools: ["nodes"] },
  media: { label: "Media", tools: ["image", "tts"] },
  agents: { label: "Agents", tools: ["agents_list"] },
} as const satisfies Record<string, { label: string; tools: readonly string[] }>;

/** What `tools.profile` may be, and which tools each begins with (cli.md 8.7). */
export const toolProfiles = {
  minimal: { label: "Minimal", tools: ["session_status"] },
  coding: { label: "Coding", tools: ["group:fs", "group:runtime", "group:sessions", "group:memory", "image"] },
  messaging: {
    label: "Messaging",
    tools: ["group:messaging", "sessions_list", "sessions_history", "sessions_send", "session_status"],
  },
  full: { label: "Full", tools: ["*"] },
} as const satisfies Record<string, { label: string; tools: readonly string[] }>;

export type ProfileId = keyof typeof toolProfiles;

export interface PolicyInput {
  readonly agentId: string;
  /** The model that is asked, as `provider/id`, for `byProvider`. */
  readonly model?: string | undefined;
}

export interface Policy {
  readonly allowed: readonly Tool[];
  /** What is odd in the configuration, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * The tools that an agent may use with a model: those of its profile, then less what each allow and deny list takes
 * away, the gateway's and the agent's, in general and for the provider. No list gives back what an earlier one took.
 */
export function toolPolicy(tools: readonly Tool[], config: Config, { agentId, model }: PolicyInput): Policy {
  const warnings: string[] = [];
  const agent = config.agents.list?.find(({ id }) => id === agentId) ?? config.agents.entries?.[agentId];
  const scopes = [
    { path: "tools", rules: objectAt(config.tools) },
    { path: `tools of agent ${agentId}`, rules: objectAt(agent?.["tools"]) },
  ];
  const sections = scopes.flatMap(({ path, rules }) => [
    { path, rules, isGeneral: true },
    ...forProvider(rules, model).map(([name, rules]) => ({
      path: `${path}.byProvider.${name}`,
      rules,
      isGeneral: false,
    })),
  ]);
  // The nearest profile replaces the others of its kind.
  const general = sections.findLast((section) => section.isGeneral && hasProfile(section));
  const special = sections.findLast((section) => !section.isGeneral && hasProfile(section));
  const lists = [
    ...[general, special].map((section) => section && profileTools(section, warnings)),
    ...sections.map((section) => allowList(section, { tools, warnings })),
  ].filter((list) => list !== undefined);
  const denied = sections.flatMap((section) => textsAt(section, "deny", warnings));
  const allowed = tools.filter(({ name }) => lists.every((list) => names(list, name)) && !names(denied, name));
  return { allowed, warnings };
}

interface Section {
  readonly path: string;
  readonly rules: JsonObject;
}

function objectAt(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The rules for the model's provider, then those for the model itself. */
function forProvider(rules: JsonObject, model: string | undefined): readonly (readonly [string, JsonObject])[] {
  const provider = model?.split("/")[0];
  const matching = Object.entries(objectAt(rules["byProvider"])).filter(
    ([name]) => name === provider || name === model,
  );
  return matching.sort(([a], [b]) => a.length - b.length).map(([name, value]) => [name, objectAt(value)] as const);
}

function hasProfile({ rules }: Section): boolean {
  return rules["profile"] !== undefined;
}

/** The least there is for a profile that does not exist: what was meant may have been less than everything. */
function profileTools({ path, rules }: Section, warnings: string[]): readonly string[] {
  const id = String(rules["profile"]).trim().toLowerCase();
  if (Object.hasOwn(toolProfiles, id)) return toolProfiles[id as ProfileId].tools;
  const known = Object.keys(toolProfiles).join(", ");
  warnings.push(`${path}.profile is ${JSON.stringify(rules["profile"])}: minimal is used; use one of ${known}.`);
  return toolProfiles.minimal.tools;
}

/** A section's allow list; undefined when there is none, or none of its names is a tool's. */
function allowList(
  section: Section,
  { tools, warnings }: { tools: readonly Tool[]; warnings: string[] },
): readonly string[] | undefined {
  const list = textsAt(section, "allow", warnings);
  if (list.length === 0) return undefined;
  const grouped = Object.values(toolGroups).flatMap(({ tools }): readonly string[] => tools);
  const known = [...tools.map(({ name }) => name), ...grouped];
  if (known.some((name) => names(list, name))) return list;
  warnings.push(`${section.path}.allow names no tool that exists (${list.join(", ")}): it is ignored.`);
  return undefined;
}

function textsAt({ path, rules }: Section, key: "allow" | "deny", warnings: string[]): readonly string[] {
  const value = rules[key];
  const items: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const texts = items.filter((item) => typeof item === "string").map((item) => item.trim().toLowerCase());
  if (texts.length < items.length) warnings.push(`${path}.${key} is no list of names: what is no text is left out.`);
  return texts.filter((text) => text !== "");
}

/** The profiles other than `full` that a tool is in. */
export function profilesOf(tool: string): ProfileId[] {
  const ids = Object.keys(toolProfiles) as ProfileId[];
  return ids.filter((id) => id !== "full" && names(toolProfiles[id].tools, tool));
}

/** Whether a list names a tool: itself, through its group, or by a pattern with `*`. */
function names(list: readonly string[], tool: string): boolean {
  const name = tool.toLowerCase();
  return list.some((item) => {
    if (item === "group:openclaw" || item === "group:clawdbot") return true;
    const group = item.startsWith("group:") ? item.slice(6) : undefined;
    if (group !== undefined) {
      const members: readonly string[] = Object.hasOwn(toolGroups, group) ? toolGroups[group as GroupId].tools : [];
      return members.includes(name);
    }
    const pattern = item.split(/\*+/).map((text) => text.replace(/[^\w]/g, "\\$&"));
    return new RegExp(`^${pattern.join(".*")}$`).test(name);
  });
}

type GroupId = keyof typeof toolGroups;
