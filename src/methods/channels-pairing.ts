import * as v from "valibot";
import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { LIFETIME_MS, type SenderRequest } from "../pairing/sender-request.ts";
import { MOST_WAITING } from "../pairing/senders.ts";
import { allows } from "../protocol/scope.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty(), v.maxLength(128));
const requestId = v.pipe(text, v.description("The code that the sender was told."));
const account = {
  channel: v.string(),
  channelLabel: v.string(),
  accountId: v.string(),
  notifySupported: v.boolean(),
};

/** The methods that decide who may write to the agents through a channel. A request's id is its code. */
export const channelPairingMethods = [
  method({
    name: "channels.pairing.list",
    scope: "operator.pairing",
    summary: "Who wrote through a channel and waits to be let in.",
    params: v.object({ channel: v.optional(text), accountId: v.optional(text) }),
    result: v.object({
      accounts: v.array(v.object(account)),
      requests: v.array(
        v.object({
          ...account,
          requestId: v.string(),
          senderId: v.string(),
          senderLabel: v.string(),
          metadata: v.optional(v.record(v.string(), v.string())),
          createdAt: v.string(),
          lastSeenAt: v.string(),
          expiresAt: v.string(),
        }),
      ),
      commandOwnerConfigured: v.boolean(),
      limits: v.object({ pendingPerAccount: v.number(), ttlMs: v.number() }),
    }),
    async run({ app, params }) {
      const waiting = await app.senders.waiting(params);
      const accounts = new Map(
        waiting.map((request) => [`${request.channel} ${request.accountId}`, placeRow(request)]),
      );
      return {
        accounts: [...accounts.values()],
        requests: waiting.map(requestRow),
        commandOwnerConfigured: hasCommandOwner(app),
        limits: { pendingPerAccount: MOST_WAITING, ttlMs: LIFETIME_MS },
      };
    },
  }),
  method({
    name: "channels.pairing.approve",
    scope: "operator.pairing",
    summary: "Lets a sender in who waits. Nobody is told: no channel runs here.",
    params: v.object({
      channel: text,
      accountId: text,
      requestId,
      notify: v.optional(v.boolean(), false),
      bootstrapCommandOwner: v.optional(v.boolean(), false),
    }),
    result: v.object({
      requestId: v.string(),
      senderId: v.string(),
      notification: v.picklist(["not-requested", "unsupported"]),
      commandOwnerBootstrap: v.picklist(["not-requested", "already-configured", "unavailable"]),
    }),
    async run({ app, params, caller }) {
      const { channel, accountId, notify, bootstrapCommandOwner: wantsOwner } = params;
      // More than letting somebody in: an owner changes the configuration from his chat.
      if (wantsOwner && !allows(caller.scopes, "operator.admin"))
        throw new Failure("forbidden", "missing scope: operator.admin", {
          details: { code: "MISSING_SCOPE", missingScope: "operator.admin", requiredScopes: ["operator.admin"] },
        });
      const { sender } = await app.senders.approve(channel, accountId, params.requestId);
      const owner = hasCommandOwner(app) ? ("already-configured" as const) : ("unavailable" as const);
      return {
        requestId: params.requestId,
        senderId: sender,
        notification: notify ? ("unsupported" as const) : ("not-requested" as const),
        commandOwnerBootstrap: wantsOwner ? owner : ("not-requested" as const),
      };
    },
  }),
  method({
    name: "channels.pairing.dismiss",
    scope: "operator.pairing",
    summary: "Takes a sender off the list of those who wait, without letting him in.",
    params: v.object({ channel: text, accountId: text, requestId }),
    result: v.object({ requestId: v.string(), senderId: v.string() }),
    async run({ app, params }) {
      const { sender } = await app.senders.dismiss(params.channel, params.accountId, params.requestId);
      return { requestId: params.requestId, senderId: sender };
    },
  }),
] as const;

function placeRow({ channel, accountId }: SenderRequest) {
  return { channel, channelLabel: channel, accountId, notifySupported: false };
}

function requestRow(request: SenderRequest) {
  const { about, createdAtMs, lastSeenAtMs, expiresAtMs } = request;
  return {
    ...placeRow(request),
    requestId: request.code,
    senderId: request.sender,
    senderLabel: "sender",
    ...(Object.keys(about).length > 0 ? { metadata: about } : {}),
    createdAt: new Date(createdAtMs).toISOString(),
    lastSeenAt: new Date(lastSeenAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
  };
}

function hasCommandOwner({ config }: App): boolean {
  const owners = config.current().value.commands["ownerAllowFrom"];
  return Array.isArray(owners) && owners.length > 0;
}
