import type { DeviceRequest, SetupOutcome } from "../pairing/devices.ts";
import type { NodeRequest } from "../nodes/registry.ts";
import type { Scope } from "./scope.ts";

interface Payloads {
  "connect.challenge": { readonly nonce: string; readonly ts: number };
  tick: { readonly ts: number };
  health: Readonly<Record<string, unknown>>;
  heartbeat: Readonly<Record<string, unknown>>;
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
}

/** Every event the gateway sends, declared once. */
export const events: { readonly [N in EventName]: EventKind } = {
  "connect.challenge": { scope: "none", targeted: true },
  tick: { scope: "none", droppable: true },
  health: { scope: "none", droppable: true },
  heartbeat: { scope: "none", droppable: true },
  shutdown: { scope: "none" },
  presence: { scope: "operator.read", droppable: true },
  "config.changed": { scope: "operator.read", modern: true },
  "device.pair.requested": { scope: "operator.pairing" },
  "device.pair.resolved": { scope: "operator.pairing" },
  "device.pair.changed": { scope: "operator.pairing", modern: true },
  "device.pair.setup.completed": { scope: "operator.pairing", modern: true },
  "device.pair.setup.deliveryUncertain": { scope: "operator.pairing", modern: true },
  "node.pair.requested": { scope: "operator.pairing" },
  "node.pair.resolved": { scope: "operator.pairing" },
  "node.hostStats": { scope: "operator.read", droppable: true, modern: true },
  "node.runnerInventory.changed": { scope: "operator.read", modern: true },
  agent: { scope: "operator.read" },
  chat: { scope: "operator.read" },
  "chat.metadata.changed": { scope: "operator.read", modern: true },
  "sessions.changed": { scope: "operator.read", modern: true },
  "session.message": { scope: "operator.read", modern: true },
  "session.operation": { scope: "operator.read", modern: true },
  "voicewake.changed": { scope: "operator.read" },
  "voicewake.routing.changed": { scope: "operator.read", modern: true },
};
