import * as v from "valibot";
import type { App } from "../app.ts";
import type { AccountStatus } from "../flow/networks.ts";
import { welcome } from "../flow/welcome.ts";
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
    params: () => v.object({ channel: v.optional(text), accountId: v.optional(text) }),
    result: () =>
      v.object({
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
        waiting.map((request) => [`${request.channel} ${request.accountId}`, placeRow(app, request)]),
      );
      return {
        accounts: [...accounts.values()],
        requests: waiting.map((request) => requestRow(app, request)),
        commandOwnerConfigured: hasCommandOwner(app),
        limits: { pendingPerAccount: MOST_WAITING, ttlMs: LIFETIME_MS },
      };
    },
  }),
  method({
    name: "channels.pairing.approve",
    scope: "operator.pairing",
    summary: "Lets a sender in who waits, and tells him where his channel runs.",
    params: () =>
      v.object({
        channel: text,
        accountId: text,
        requestId,
        notify: v.optional(v.boolean(), false),
        bootstrapCommandOwner: v.optional(v.boolean(), false),
      }),
    result: () =>
      v.object({
        requestId: v.string(),
        senderId: v.string(),
        notification: v.picklist(["not-requested", "sent", "unsupported", "failed"]),
        commandOwnerBootstrap: v.picklist(["not-requested", "configured", "already-configured", "unavailable"]),
      }),
    async run({ app, params, caller }) {
      const { channel, accountId, notify, bootstrapCommandOwner: wantsOwner } = params;
      // More than letting somebody in: an owner changes the configuration from his chat.
      if (wantsOwner && !allows(caller.scopes, "operator.admin"))
        throw new Failure("forbidden", "missing scope: operator.admin", {
          details: { code: "MISSING_SCOPE", missingScope: "operator.admin", requiredScopes: ["operator.admin"] },
        });
      const request = await app.senders.approve(channel, accountId, params.requestId);
      const owner = wantsOwner ? await makeOwner(app, request) : ("not-requested" as const);
      const isTold = notify && accountOf(app, request)?.running === true;
      return {
        requestId: params.requestId,
        senderId: request.sender,
        notification: isTold
          ? await welcome(app, request)
          : notify
            ? ("unsupported" as const)
            : ("not-requested" as const),
        commandOwnerBootstrap: owner,
      };
    },
  }),
  method({
    name: "channels.pairing.dismiss",
    scope: "operator.pairing",
    summary: "Takes a sender off the list of those who wait, without letting him in.",
    params: () => v.object({ channel: text, accountId: text, requestId }),
    result: () => v.object({ requestId: v.string(), senderId: v.string() }),
    async run({ app, params }) {
      const { sender } = await app.senders.dismiss(params.channel, params.accountId, params.requestId);
      return { requestId: params.requestId, senderId: sender };
    },
  }),
] as const;

function placeRow(app: App, request: SenderRequest) {
  const { channel, accountId } = request;
  const account = accountOf(app, request);
  return { channel, channelLabel: account?.label ?? channel, accountId, notifySupported: account?.running === true };
}

function accountOf({ networks }: App, { channel, accountId }: SenderRequest): AccountStatus | undefined {
  return networks.accounts().find((account) => account.channel === channel && account.accountId === accountId);
}

function requestRow(app: App, request: SenderRequest) {
  const { about, createdAtMs, lastSeenAtMs, expiresAtMs } = request;
  return {
    ...placeRow(app, request),
    requestId: request.code,
    senderId: request.sender,
    senderLabel: "sender",
    ...(Object.keys(about).length > 0 ? { metadata: about } : {}),
    createdAt: new Date(createdAtMs).toISOString(),
    lastSeenAt: new Date(lastSeenAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
  };
}

/** Makes the first owner. One that somebody else wrote into the configuration in this moment stays. */
async function makeOwner(app: App, { channel, sender }: SenderRequest) {
  if (hasCommandOwner(app)) return "already-configured" as const;
  const patch = { commands: { ownerAllowFrom: [`${channel}:${sender}`] } };
  try {
    await app.config.patch(patch, { by: "channels.pairing.approve", baseHash: app.config.current().hash });
    return "configured" as const;
  } catch (error) {
    app.log.warn("the owner of commands could not be written", { channel, error: Failure.from(error).message });
    return hasCommandOwner(app) ? ("already-configured" as const) : ("unavailable" as const);
  }
}

function hasCommandOwner({ config }: App): boolean {
  return config.current().value.commands.ownerAllowFrom.length > 0;
}
