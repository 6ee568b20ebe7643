import type { Presence, PresenceEntry } from "../app.ts";
import type { Surroundings } from "../host/host.ts";
import { uuid } from "../kit/ids.ts";
import { VERSION } from "../kit/version.ts";
import type { Caller } from "../protocol/caller.ts";

const maxEntries = 200;
const keepMs = 5 * 60_000;
/** Changes this close together are told once: a thousand nodes that come back must not cost a million entries. */
const settleMs = 50;

/**
 * Who is here: the gateway first, then clients, newest first, which stay listed for five minutes after they left.
 * `tell` gets the list soon after it changed.
 */
export function createPresence(host: Surroundings, tell: (entries: readonly PresenceEntry[]) => void): Presence {
  const { clock } = host;
  let own: PresenceEntry | undefined;
  const entries = new Map<string, { readonly entry: PresenceEntry; readonly connections: ReadonlySet<string> }>();
  let version = 1;
  let telling = false;

  function put(key: string, entry: PresenceEntry, connections: ReadonlySet<string>): void {
    entries.delete(key); // so that the map stays ordered by change
    entries.set(key, { entry, connections });
    dropOld();
    version += 1;
    if (telling) return;
    telling = true;
    clock.after(settleMs, () => {
      telling = false;
      tell(list());
    });
  }

  function list(): readonly PresenceEntry[] {
    dropOld();
    own ??= gatewayEntry(host);
    return [{ ...own, ts: clock.now() }, ...[...entries.values()].map(({ entry }) => entry).toReversed()];
  }

  function dropOld(): void {
    for (const [key, { entry, connections }] of entries)
      if (connections.size === 0 && entry.ts < clock.now() - keepMs) entries.delete(key);
    const excess = entries.size - maxEntries;
    if (excess <= 0) return;
    const oldestFirst = [...entries].sort(
      ([, a], [, b]) => Number(a.connections.size > 0) - Number(b.connections.size > 0),
    );
    for (const [key] of oldestFirst.slice(0, excess)) entries.delete(key);
  }

  return {
    get version() {
      return version;
    },
    list,
    set: (key, entry) => put(`said:${key}`, entryOf(entry, "Node", clock.now()), new Set()),
    client(caller, reason) {
      const key = keyOf(caller);
      const known = entries.get(key);
      const connections = new Set(known?.connections);
      if (reason === "connect") {
        const onlineSince = connections.size > 0 ? known?.entry.onlineSince : clock.now();
        connections.add(caller.connId);
        const facts = { ...factsOf(caller), reason, onlineSince };
        put(key, entryOf(facts, "Node", clock.now()), connections);
      } else if (known && connections.delete(caller.connId)) {
        // Another window of the same app may still be open.
        const facts = connections.size > 0 ? known.entry : { ...known.entry, reason };
        put(key, entryOf(facts, "Node", clock.now()), connections);
      }
    },
  };
}

function gatewayEntry(host: Surroundings): PresenceEntry {
  const ip = host.net?.interfaces().find(({ internal, family }) => !internal && family === 4)?.address;
  const deviceFamily = { darwin: "Mac", linux: "Linux", windows: "Windows", none: undefined }[host.os];
  const facts = { host: host.hostname, ip, version: VERSION, platform: host.osVersion, deviceFamily };
  return entryOf({ ...facts, mode: "gateway", reason: "self", instanceId: uuid() }, "Gateway", host.clock.now());
}

/** What a client calls itself counts only within its own device, or it could take the place of another. */
function keyOf({ connId, deviceId, client }: Caller): string {
  return deviceId === undefined ? `conn:${connId}` : `device:${deviceId}:${client.instanceId ?? ""}`;
}

function factsOf({ address, deviceId, role, scopes, client, user }: Caller): Omit<PresenceEntry, "ts" | "text"> {
  return {
    host: client.displayName ?? client.id,
    ip: address,
    version: client.version,
    platform: client.platform,
    deviceFamily: client.deviceFamily,
    modelIdentifier: client.modelIdentifier,
    timeZone: client.timeZone,
    mode: client.mode,
    deviceId,
    instanceId: client.instanceId,
    roles: [role],
    scopes: [...scopes],
    user: user && { id: printable(user.id), ...(user.name ? { name: printable(user.name) } : {}) },
  };
}

/** An entry with its line for people: `Gateway: host (ip) · app 1.0 · mode gateway · reason self`. */
function entryOf(facts: Partial<PresenceEntry>, kind: "Gateway" | "Node", ts: number): PresenceEntry {
  const clean = Object.fromEntries(
    Object.entries(facts)
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([key, value]) => [key, typeof value === "string" ? printable(value) : value]),
  ) as Partial<PresenceEntry>; // the same keys, each with a value of the same type
  const { host = "unknown", ip, version, mode, reason } = clean;
  const text = [
    `${kind}: ${host}${ip === undefined ? "" : ` (${ip})`}`,
    ...(version === undefined ? [] : [`app ${version}`]),
    ...(mode === undefined ? [] : [`mode ${mode}`]),
    ...(reason === undefined ? [] : [`reason ${reason}`]),
  ].join(" · ");
  return { ...clean, text, ts };
}

/** Names come from clients and end on other people's terminals: no control characters, no endless text. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").slice(0, 200);
}
