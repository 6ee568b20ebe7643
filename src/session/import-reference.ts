import { isObject, parseJson, type JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { isKeyPart } from "../store/key.ts";
import type { Store } from "../store/store.ts";
import { sessionKey } from "./key.ts";
import { newRow } from "./row.ts";
import type { Rows } from "./rows.ts";
import type { RowChanges, SessionRow } from "./sessions.ts";

export interface ImportOptions {
  readonly store: Store;
  readonly log: Logger;
  /** The rows that are known: they stay. */
  readonly rows: Rows;
}

/** Rows out of `agents/<id>/sessions/sessions.json`, where other programs of this family keep them (cli.md 8.5). */
export async function importReference({ store, log, rows }: ImportOptions): Promise<readonly SessionRow[]> {
  const found = new Map<string, SessionRow>();
  let refused = 0;
  for (const file of await store.keys("agents/")) {
    const [, agentId] = /^agents\/([^/]+)\/sessions\/sessions\.json$/.exec(file) ?? [];
    if (agentId === undefined) continue;
    const entries = parseJson((await store.read(file)) ?? "");
    for (const [name, entry] of isObject(entries) ? Object.entries(entries) : []) {
      const row = isObject(entry) ? rowFrom(sessionKey(name, { agentId, mainKey: "main" }), agentId, entry) : undefined;
      if (!row) refused++;
      else if (!rows.get(row.key)) found.set(row.key, row);
    }
  }
  if (found.size + refused > 0) log.info("took over sessions of another program", { sessions: found.size, refused });
  return [...found.values()];
}

function rowFrom(key: string, agentId: string, entry: JsonObject): SessionRow | undefined {
  const sessionId = sessionIdOf(entry);
  if (sessionId === undefined || key.length > 512) return undefined;
  const updatedAt = count(entry["updatedAt"]) ?? 0;
  const row = newRow(key, { agentId, ...changesOf(entry) }, updatedAt);
  return { ...row, sessionId };
}

/** Threads have a file of their own, named after the session and the thread. An id becomes a path: it must be a name. */
function sessionIdOf({ sessionId, sessionFile }: JsonObject): string | undefined {
  if (typeof sessionId !== "string" || !isKeyPart(sessionId) || sessionId.length > 128) return undefined;
  const name = typeof sessionFile === "string" ? /([^/\\]+)\.jsonl$/.exec(sessionFile)?.[1] : undefined;
  return name?.startsWith(sessionId) && isKeyPart(name) && name.length <= 128 ? name : sessionId;
}

function changesOf(entry: JsonObject): RowChanges {
  const { deliveryContext } = entry;
  const chat = text(entry["chatType"]);
  const delivery = isObject(deliveryContext) ? deliveryContext : {};
  const channel = text(delivery["channel"]) ?? text(entry["lastChannel"]);
  const to = text(delivery["to"]) ?? text(entry["lastTo"]);
  const accountId = text(delivery["accountId"]);
  const sendPolicy = text(entry["sendPolicy"]);
  return {
    chatType: chat === "room" ? "channel" : chat === "direct" || chat === "group" ? chat : undefined,
    channel: text(entry["channel"]),
    displayName: text(entry["displayName"]),
    label: text(entry["label"]),
    thinkingLevel: text(entry["thinkingLevel"]),
    verboseLevel: text(entry["verboseLevel"]),
    reasoningLevel: text(entry["reasoningLevel"]),
    elevatedLevel: text(entry["elevatedLevel"]),
    sendPolicy: sendPolicy === "allow" || sendPolicy === "deny" ? sendPolicy : undefined,
    providerOverride: text(entry["providerOverride"]),
    modelOverride: text(entry["modelOverride"]),
    authProfileOverride: text(entry["authProfileOverride"]),
    inputTokens: count(entry["inputTokens"]) ?? 0,
    outputTokens: count(entry["outputTokens"]) ?? 0,
    totalTokens: count(entry["totalTokens"]) ?? 0,
    contextTokens: count(entry["contextTokens"]),
    compactionCount: count(entry["compactionCount"]) ?? 0,
    systemSent: entry["systemSent"] === true,
    abortedLastRun: entry["abortedLastRun"] === true,
    delivery: channel !== undefined && to !== undefined ? { channel, to, accountId } : undefined,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 1000 ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
