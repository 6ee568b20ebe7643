import * as v from "valibot";
import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { Caller } from "../protocol/caller.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty());
const amount = v.pipe(v.number(), v.minValue(0));
const owner = { nodeId: v.string() };
const nodeOnly = { scope: "none", roles: ["node"] } as const;

const hostStats = v.object({
  cpuCount: amount,
  loadAverage: v.optional(v.pipe(v.array(amount), v.maxLength(3))),
  memoryTotalBytes: amount,
  memoryFreeBytes: amount,
  diskTotalBytes: v.optional(amount),
  diskAvailableBytes: v.optional(amount),
});

const pluginTool = v.object({
  pluginId: text,
  name: v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/)),
  description: text,
  parameters: v.optional(v.record(v.string(), v.unknown())),
  command: v.optional(text),
  mcp: v.optional(v.object({ server: text, tool: text })),
});

const skill = v.object({
  name: v.pipe(v.string(), v.regex(/^(?!.*--)[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/)),
  description: v.pipe(text, v.maxLength(1024)),
  content: v.pipe(text, v.maxLength(65_536)),
});

const pendingItem = v.object({
  id: v.string(),
  type: v.literal("status.request"),
  priority: v.literal("default"),
  createdAtMs: v.number(),
  expiresAtMs: v.nullable(v.number()),
});

/** The methods that a node calls (protocol.md 8.1, 8.3, 8.4): what it reports of itself, and what waits for it. */
export const nodeHostMethods = [
  method({
    name: "node.event",
    ...nodeOnly,
    summary: "Something happened on the node.",
    params: () =>
      v.object({
        event: text,
        payload: v.optional(v.unknown()),
        payloadJSON: v.pipe(
          v.optional(v.string()),
          v.description("The payload as JSON text; counts before `payload`."),
        ),
      }),
    result: () => v.object({ ok: v.literal(true), event: v.string(), handled: v.boolean(), reason: v.string() }),
    run({ app, params: { event, payload, payloadJSON }, caller }) {
      const answer = (handled: boolean, reason: string) => ({ ok: true as const, event, handled, reason });
      const nodeId = nodeOf(caller);
      if (event === "node.presence.alive") {
        app.devices.seen(nodeId, event);
        return answer(true, "persisted");
      }
      if (event !== "node.host.stats") return answer(false, "unsupported_event");
      const stats = v.safeParse(hostStats, payloadJSON === undefined ? payload : parseJson(payloadJSON));
      if (!stats.success) return answer(false, "invalid_payload");
      const latest = { ...stats.output, updatedAtMs: app.clock.now() };
      app.nodes.setStats(nodeId, latest);
      app.broadcast("node.hostStats", { nodeId, hostStats: latest });
      return answer(true, "updated");
    },
  }),
  method({
    name: "node.skills.update",
    ...nodeOnly,
    summary: "The skills that the node brings along.",
    params: () => v.object({ skills: v.pipe(v.array(skill), v.maxLength(64)) }),
    result: () => v.object({ ...owner, skills: v.array(skill) }),
    run: ({ params, caller }) => ({ nodeId: nodeOf(caller), skills: params.skills }),
  }),
  method({
    name: "node.pluginTools.update",
    ...nodeOnly,
    summary: "The tools that the node's plugins offer.",
    params: () => v.object({ tools: v.pipe(v.array(pluginTool), v.maxLength(256)) }),
    result: () => v.object({ ...owner, tools: v.array(pluginTool) }),
    run({ app, params: { tools }, caller }) {
      const nodeId = nodeOf(caller);
      app.nodes.setPluginTools(nodeId, tools);
      return { nodeId, tools };
    },
  }),
  method({
    name: "node.runnerInventory.update",
    ...nodeOnly,
    unlisted: true,
    summary: "Which agent programs the node could run; taken only from an approved node.",
    params: () => v.object({}),
    result: () => v.object(owner),
    run({ app, caller }) {
      const nodeId = nodeOf(caller);
      if (!app.nodes.isApproved(nodeId)) throw awaitsApproval(app, nodeId);
      app.broadcast("node.runnerInventory.changed", { nodeId });
      return { nodeId };
    },
  }),
  method({
    name: "node.pending.pull",
    ...nodeOnly,
    summary: "The actions that wait for the node.",
    params: () => v.object({}),
    result: () => v.object({ ...owner, actions: v.array(v.unknown()) }),
    run: ({ caller }) => ({ nodeId: nodeOf(caller), actions: [] }),
  }),
  method({
    name: "node.pending.drain",
    ...nodeOnly,
    summary: "The questions that wait for the node: how it fares, always.",
    params: () => v.object({ maxItems: v.optional(v.number()) }),
    result: () => v.object({ ...owner, revision: v.number(), items: v.array(pendingItem), hasMore: v.boolean() }),
    run: ({ app, caller }) => ({
      nodeId: nodeOf(caller),
      revision: 0,
      items: [
        {
          id: "baseline-status",
          type: "status.request" as const,
          priority: "default" as const,
          createdAtMs: app.clock.now(),
          expiresAtMs: null,
        },
      ],
      hasMore: false,
    }),
  }),
  method({
    name: "node.pending.ack",
    ...nodeOnly,
    summary: "The node has done these.",
    params: () => v.object({ ids: v.pipe(v.array(text), v.minLength(1), v.maxLength(256)) }),
    result: () => v.object({ ...owner, ackedIds: v.array(v.string()), remainingCount: v.number() }),
    run: ({ params, caller }) => ({ nodeId: nodeOf(caller), ackedIds: params.ids, remainingCount: 0 }),
  }),
  method({
    name: "skills.bins",
    ...nodeOnly,
    summary: "The programs that skills may need on the node.",
    params: () => v.object({}),
    result: () => v.object({ bins: v.array(v.string()) }),
    run: () => ({ bins: [] }),
  }),
] as const;

function nodeOf(caller: Caller): string {
  if (caller.deviceId !== undefined) return caller.deviceId;
  throw new Failure("invalid-request", "this method is for nodes that proved their device key");
}

function awaitsApproval(app: App, nodeId: string): Failure {
  const requestId = app.nodes.get(nodeId)?.pendingRequestId;
  const approve = requestId
    ? `run \`${app.flavour.id} nodes approve ${requestId}\` (see \`${app.flavour.id} nodes pending\`)`
    : `see \`${app.flavour.id} nodes pending\``;
  return new Failure(
    "unavailable",
    `node capability surface is awaiting operator approval; ${approve}, then this node retries automatically`,
  );
}
