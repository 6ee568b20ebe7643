import type { DeviceRequest, SetupOutcome } from "../pairing/devices.ts";
import type { NodeRequest } from "../nodes/registry.ts";
import type { Scope } from "./scope.ts";

interface Payloads {
  "connect.challenge": { readonly nonce: string; readonly ts: number };
  tick: { readonly ts: number };
  health: Readonly<Record<string, unknown>>;
  heartbeat: Readonly<Record<string, unknown>>;
  cron: Readonly<Record<string, unknown>>;
  shutdown: { readonly reason: string; readonly restartExpectedMs?: number };
  presence: { readonly presence: readonly unknown[] };
  "config.changed": { readonly path: string; readonly hash: string; readonly ts: number };
  "device.pair.requested": DeviceRequest;
  "device.pair.resolved": {
    readonly requestId: string;
    readonly deviceId: string;
    readonly decision: "approved" | "rejected";
    readonly ts: number;
  };
  "device.pair.changed": Record<string, never>;
  "device.pair.setup.completed": SetupOutcome;
  "device.pair.setup.deliveryUncertain": SetupOutcome;
  "node.pair.requested": NodeRequest;
  "node.pair.resolved": {
    readonly requestId: string;
    readonly nodeId: string;
    readonly decision: "approved" | "rejected" | "removed";
    readonly ts: number;
  };
  "node.hostStats": { readonly nodeId: string; readonly hostStats: unknown };
  "node.runnerInventory.changed": { readonly nodeId: string };
  /** What a run does, as it happens (protocol.md 6.3). */
  agent: {
    readonly runId: string;
    readonly seq: number;
    readonly stream: string;
    readonly ts: number;
    readonly data: Readonly<Record<string, unknown>>;
    readonly [more: string]: unknown;
  };
  /** The same for chat windows (protocol.md 6.4). */
  chat: {
    readonly runId: string;
    readonly sessionKey: string;
    readonly seq: number;
    readonly state: "status" | "delta" | "final" | "aborted" | "error";
    readonly [more: string]: unknown;
  };
  "chat.metadata.changed": Record<string, never>;
  "sessions.changed": Readonly<Record<string, unknown>>;
  "session.message": Readonly<Record<string, unknown>>;
  "session.operation": Readonly<Record<string, unknown>>;
  "voicewake.changed": { readonly triggers: readonly string[] };
  "voicewake.routing.changed": { readonly config: unknown };
}

export type EventName = keyof Payloads;
export type EventPayload<N extends EventName> = Payloads[N];

export interface EventKind {
  /** Who receives it when broadcast (protocol.md 4.7); `none` needs no scope, nodes included. */
  readonly scope: Scope | "none";
  /** New in version 4: clients of version 3 are not sent it. */
  readonly modern?: true;
  /** Sent to one connection only, and without a sequence number. */
  readonly targeted?: boolean;
  /** May be left out for a client that reads slowly; the gap in `seq` tells it. */
  readonly droppable?: boolean;
  /** A sentence for the reference page. */
  readonly summary: string;
}

/** Every event the gateway sends, declared once. */
export const events: { readonly [N in EventName]: EventKind } = {
  "connect.challenge": {
    scope: "none",
    targeted: true,
    summary: "The first frame on a socket: the nonce that a device signs.",
  },
  tick: { scope: "none", droppable: true, summary: "The gateway lives; sent at the interval of `hello-ok`." },
  health: { scope: "none", droppable: true, summary: "How the gateway and its parts fare, when that changes." },
  heartbeat: {
    scope: "none",
    droppable: true,
    summary: "A heartbeat ran, or did not, and why.",
  },
  cron: {
    scope: "operator.read",
    summary: "A scheduled job was added, changed or removed, or a run of it began or ended.",
  },
  shutdown: { scope: "none", summary: "The gateway ends or restarts; with a restart, when to come back." },
  presence: { scope: "operator.read", droppable: true, summary: "Who is here: the whole list, when it changes." },
  "config.changed": { scope: "operator.read", modern: true, summary: "The configuration in force is another one." },
  "device.pair.requested": { scope: "operator.pairing", summary: "A device asks to be let in." },
  "device.pair.resolved": { scope: "operator.pairing", summary: "Somebody decided on a device that asked." },
  "device.pair.changed": { scope: "operator.pairing", modern: true, summary: "The list of devices is another one." },
  "device.pair.setup.completed": {
    scope: "operator.pairing",
    modern: true,
    summary: "A device came in by a setup code.",
  },
  "device.pair.setup.deliveryUncertain": {
    scope: "operator.pairing",
    modern: true,
    summary: "A device came in by a setup code and may not have got its tokens.",
  },
  "node.pair.requested": {
    scope: "operator.pairing",
    summary: "A node offers something that nobody has approved yet.",
  },
  "node.pair.resolved": { scope: "operator.pairing", summary: "Somebody decided on what a node offers." },
  "node.hostStats": { scope: "operator.read", droppable: true, modern: true, summary: "How a node's machine fares." },
  "node.runnerInventory.changed": {
    scope: "operator.read",
    modern: true,
    summary: "The agent programs that a node could run are others.",
  },
  agent: { scope: "operator.read", summary: "What a run does, as it happens." },
  chat: { scope: "operator.read", summary: "The same for chat windows: pieces of the answer, then its end." },
  "chat.metadata.changed": {
    scope: "operator.read",
    modern: true,
    summary: "The models or commands that a chat window offers are others. Not sent yet.",
  },
  "sessions.changed": {
    scope: "operator.read",
    modern: true,
    summary: "A session began, changed or went; to connections that subscribed.",
  },
  "session.message": {
    scope: "operator.read",
    modern: true,
    summary: "A message was added; to connections that subscribed to its session.",
  },
  "session.operation": {
    scope: "operator.read",
    modern: true,
    summary: "Something goes on with a session, such as a compaction; to connections that subscribed.",
  },
  "voicewake.changed": {
    scope: "operator.read",
    summary: "The words that wake voice control are others. Not sent yet.",
  },
  "voicewake.routing.changed": {
    scope: "operator.read",
    modern: true,
    summary: "Where voice control leads is another place. Not sent yet.",
  },
};
