import * as v from "valibot";
import type { ClientInfo } from "../protocol/caller.ts";
import { allowedCommands } from "./policy.ts";
import type { NodeSurface } from "./registry.ts";

const text = v.string();
const time = v.number();

/** What a node is and offers, in the documents of both kinds. */
const facts = {
  nodeId: text,
  clientId: text,
  clientMode: text,
  displayName: v.optional(text),
  platform: text,
  version: text,
  deviceFamily: v.optional(text),
  modelIdentifier: v.optional(text),
  caps: v.array(text),
  commands: v.array(text),
  permissions: v.optional(v.record(text, v.boolean())),
};

/** An approved surface, as kept in `nodes/paired.json`. */
export const nodeSchema = v.object({
  ...facts,
  createdAtMs: time,
  approvedAtMs: time,
  lastSeenAtMs: time,
  lastSeenReason: text,
});

/** A surface that waits for approval, as kept in `nodes/pending.json`. */
export const nodeRequestSchema = v.object({
  ...facts,
  requestId: text,
  requiredApproveScopes: v.array(text),
  silent: v.boolean(),
  ts: time,
});

const factsSchema = v.object(facts);
export type NodeFacts = v.InferOutput<typeof factsSchema>;
export type NodeRecord = v.InferOutput<typeof nodeSchema>;
export type StoredNodeRequest = v.InferOutput<typeof nodeRequestSchema>;

/** What a node declared, cut to what its platform allows and to a sane size. */
export function factsOf(nodeId: string, client: ClientInfo, surface: NodeSurface): NodeFacts {
  const permissions = Object.entries(surface.permissions ?? {}).slice(0, MOST);
  return {
    nodeId,
    clientId: client.id,
    clientMode: client.mode,
    displayName: client.displayName?.slice(0, LONGEST),
    platform: client.platform.slice(0, LONGEST),
    version: client.version.slice(0, LONGEST),
    deviceFamily: client.deviceFamily?.slice(0, LONGEST),
    modelIdentifier: client.modelIdentifier?.slice(0, LONGEST),
    caps: [...new Set(surface.caps)].filter((cap) => cap.length <= LONGEST).slice(0, MOST),
    commands: [...allowedCommands(client.platform, surface.commands)],
    ...(permissions.length > 0 ? { permissions: Object.fromEntries(permissions) } : {}),
  };
}

/** Whether `declared` offers nothing beyond what was approved. */
export function within(declared: NodeFacts, approved: NodeFacts | undefined): boolean {
  if (!approved) return false;
  const more = Object.entries(declared.permissions ?? {}).some(
    ([name, given]) => given && !approved.permissions?.[name],
  );
  return !more && subset(declared.caps, approved.caps) && subset(declared.commands, approved.commands);
}

/** Whether two surfaces ask for the same. */
export function sameSurface(a: NodeFacts, b: NodeFacts): boolean {
  return a.platform === b.platform && within(a, b) && within(b, a);
}

/** The approved part of what a connected node declares now. */
export function effective(declared: NodeFacts, approved: NodeFacts): Pick<NodeFacts, "caps" | "commands"> {
  return {
    caps: declared.caps.filter((cap) => approved.caps.includes(cap)),
    commands: declared.commands.filter((command) => approved.commands.includes(command)),
  };
}

const LONGEST = 200;
const MOST = 128;

function subset(part: readonly string[], whole: readonly string[]): boolean {
  return part.every((item) => whole.includes(item));
}
