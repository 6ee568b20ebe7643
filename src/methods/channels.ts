import * as v from "valibot";
import { method } from "./method.ts";

const texts = v.record(v.string(), v.string());

export const channelMethods = [
  method({
    name: "channels.status",
    scope: "operator.read",
    summary: "The chat networks that are running and how they fare. This gateway runs none.",
    params: v.object({
      probe: v.optional(v.boolean()),
      timeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      channel: v.optional(v.string()),
    }),
    result: v.object({
      ts: v.number(),
      channelOrder: v.array(v.string()),
      channelLabels: texts,
      channelDetailLabels: texts,
      channelSystemImages: texts,
      channelMeta: v.array(v.object({ id: v.string(), label: v.string(), detailLabel: v.string() })),
      channels: v.record(v.string(), v.looseObject({})),
      channelAccounts: v.record(v.string(), v.array(v.looseObject({ accountId: v.string() }))),
      channelDefaultAccountId: texts,
    }),
    run: ({ app }) => ({
      ts: app.clock.now(),
      channelOrder: [],
      channelLabels: {},
      channelDetailLabels: {},
      channelSystemImages: {},
      channelMeta: [],
      channels: {},
      channelAccounts: {},
      channelDefaultAccountId: {},
    }),
  }),
] as const;
