import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import type { NodeRequest, NodeRow, PairedNode } from "../nodes/registry.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty());
const requestId = v.pipe(text, v.maxLength(128), v.description("The id shown by node.pair.list."));
const nodeId = v.pipe(text, v.description("The node's device id."));
const displayName = v.pipe(
  text,
  v.trim(),
  v.nonEmpty(),
  v.maxLength(64),
  v.regex(/^\P{Cc}*$/u, "has control characters"),
);
const paired = v.object({ requestId: v.string(), node: v.custom<PairedNode>(isObject) });

/** The methods that decide what nodes may do, and that list them. */
export const nodeMethods = [
  method({
    name: "node.pair.list",
    scope: "operator.pairing",
    summary: "What nodes are approved for, and what they wait to be approved for.",
    params: () => v.object({}),
    result: () =>
      v.object({
        pending: v.array(v.custom<NodeRequest>(isObject)),
        paired: v.array(v.custom<PairedNode>(isObject)),
      }),
    run({ app }) {
      const { pending, paired } = app.nodes.pairing();
      return { pending: [...pending], paired: [...paired] };
    },
  }),
  method({
    name: "node.pair.approve",
    scope: "operator.pairing",
    summary: "Approves what a node offers; commands that run programs need an administrator.",
    params: () => v.object({ requestId }),
    result: () => paired,
    run: ({ app, params, caller }) => app.nodes.approve(params.requestId, caller),
  }),
  method({
    name: "node.pair.reject",
    scope: "operator.pairing",
    summary: "Refuses what a node offers; it stays connected without it.",
    params: () => v.object({ requestId }),
    result: () => v.object({ requestId: v.string(), nodeId: v.string() }),
    run: ({ app, params }) => app.nodes.reject(params.requestId),
  }),
  method({
    name: "node.pair.remove",
    scope: "operator.pairing",
    summary: "Takes a node's approval back: it offers nothing until approved again.",
    params: () => v.object({ nodeId }),
    result: () => v.object({ nodeId: v.string() }),
    run: ({ app, params }) => app.nodes.remove(params.nodeId),
  }),
  method({
    name: "node.rename",
    scope: "operator.pairing",
    summary: "Gives a node a name of your own.",
    params: () => v.object({ nodeId, displayName }),
    result: () => v.object({ nodeId: v.string(), displayName: v.string() }),
    run: ({ app, params }) => app.nodes.rename(params.nodeId, params.displayName),
  }),
  method({
    name: "node.list",
    scope: "operator.read",
    summary: "Every node, connected or not, with what it may do.",
    params: () => v.object({}),
    result: () => v.object({ ts: v.number(), nodes: v.array(v.custom<NodeRow>(isObject)) }),
    run: ({ app }) => ({ ts: app.clock.now(), nodes: [...app.nodes.list()] }),
  }),
  method({
    name: "node.describe",
    scope: "operator.read",
    summary: "One node as node.list shows it.",
    params: () => v.object({ nodeId }),
    result: () => v.custom<NodeRow & { readonly ts: number }>(isObject),
    run({ app, params }) {
      const row = app.nodes.get(params.nodeId);
      if (!row) throw new Failure("invalid-request", "unknown nodeId");
      return { ts: app.clock.now(), ...row };
    },
  }),
] as const;
