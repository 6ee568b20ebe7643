import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { sameSecret } from "../kit/secret.ts";
import type { Store } from "../store/store.ts";
import { readSenderFile, type SenderFile, type SenderGround } from "./sender-file.ts";
import {
  accountName,
  allowedKeys,
  channelName,
  channelsIn,
  FOLDER,
  isSenderId,
  type Place,
  placeOf,
  waitingKey,
} from "./sender-place.ts";
import {
  accountOf,
  clipped,
  idSchema,
  isWaiting,
  newCode,
  requestSchema,
  seenAt,
  shown,
  type SenderRequest,
  type StoredRequest,
} from "./sender-request.ts";

export interface Stranger {
  readonly channel: string;
  readonly accountId?: string | undefined;
  readonly sender: string;
  readonly about?: Readonly<Record<string, string | undefined>>;
}

/** `isNew` is when he is to be told the code: once per request. `full` is when he is told nothing. */
export type Asked =
  | { readonly outcome: "allowed" | "full" }
  | { readonly outcome: "waits"; readonly code: string; readonly isNew: boolean };

/** What can be asked about: everywhere, a channel, or one account of it. */
export type PlaceFilter = { readonly [K in keyof Place]?: string | undefined };

/**
 * The people who may write to the agents through a channel, and those who wait to be let in (cli.md 8.13). Each decision
 * is one critical section of its channel, from the reading of the files to their writing, and on the disk when it resolves.
 *
 * Wrong codes are not counted: whoever may give one (`operator.pairing`) may read those that are right. A code is no
 * secret that lets anybody in; it tells the owner which of the requests is the one of the person who told it to him.
 */
export interface Senders {
  /** Oldest first. */
  waiting(of?: PlaceFilter): Promise<readonly SenderRequest[]>;
  /** A stranger wrote. Rejects for what is no person's lasting id. */
  ask(stranger: Stranger): Promise<Asked>;
  /** Lets him in whose code it is. Rejects when nobody's is. */
  approve(channel: string, accountId: string, code: string): Promise<SenderRequest>;
  dismiss(channel: string, accountId: string, code: string): Promise<SenderRequest>;
  /** The ids of those who are let in, to be compared whole. */
  allowed(channel: string, accountId?: string): Promise<ReadonlySet<string>>;
}

/** Of one account. */
export const MOST_WAITING = 3;

/** The Senders of a store. One gateway at a time writes to a store; other programs may. */
export function openSenders(store: Store, clock: Clock, log: Logger): Senders {
  const ground: SenderGround = { store, clock, log: log.child("pairing") };
  const lanes = createLanes();

  async function waitingAt(channel: string): Promise<SenderFile<StoredRequest>> {
    const file = await readSenderFile(ground, { key: waitingKey(channel), list: "requests", entry: requestSchema });
    return { ...file, entries: file.entries.filter((request) => isWaiting(request, clock.now())) };
  }

  function allowedIn(key: string, place: Place): Promise<SenderFile<string>> {
    return readSenderFile(ground, { key, list: "allowFrom", entry: idSchema, place });
  }

  async function allowedAt(place: Place): Promise<ReadonlySet<string>> {
    const files = await Promise.all(allowedKeys(place).map((key) => allowedIn(key, place)));
    return new Set(files.flatMap(({ entries }) => entries).filter(isSenderId));
  }

  /** Takes the request with this code off the list: from then on the code counts no more. */
  async function take(place: Place, given: string, mayTake?: (request: StoredRequest) => void): Promise<StoredRequest> {
    const { entries, save } = await waitingAt(place.channel);
    const code = given.trim().toUpperCase();
    let found: StoredRequest | undefined;
    // Looks at all of them, so that how long it takes says nothing about any.
    for (const request of entries)
      if ((await sameSecret(code, request.code)) && accountOf(request) === place.accountId) found = request;
    if (!found)
      throw new Failure(
        "invalid-request",
        `nobody who waits at ${place.channel} (${place.accountId}) has this code: a code counts once, and for an hour`,
      );
    mayTake?.(found);
    await save(entries.filter((request) => request !== found));
    return found;
  }

  return {
    async waiting({ channel, accountId } = {}) {
      const named = channel === undefined ? undefined : channelName(channel);
      const account = accountId === undefined ? undefined : accountName(accountId);
      const channels = named === undefined ? channelsIn(await store.keys(FOLDER)) : [named];
      const found = await Promise.all(
        channels.map(async (each) =>
          (await waitingAt(each)).entries.filter(({ id }) => isSenderId(id)).map((request) => shown(each, request)),
        ),
      );
      return found
        .flat()
        .filter((request) => account === undefined || request.accountId === account)
        .toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    },

    async ask({ channel, accountId, sender, about = {} }) {
      const place = placeOf(channel, accountId);
      if (!isSenderId(sender))
        throw new Failure(
          "invalid-request",
          `${JSON.stringify(sender.slice(0, 80))} is not a person's lasting id at ${place.channel}: nobody is let in by it`,
        );
      return lanes.run(place.channel, async () => {
        if ((await allowedAt(place)).has(sender)) return { outcome: "allowed" };
        const { entries, save } = await waitingAt(place.channel);
        const now = clock.now();
        const here = entries.filter((request) => accountOf(request) === place.accountId);
        const same = here.find(({ id }) => id === sender);
        const lastSeenAt = new Date(now).toISOString();
        if (same) {
          // A stranger who goes on writing must not keep the disk busy.
          if (Math.abs(now - seenAt(same)) >= SEEN_EVERY_MS)
            await save(entries.map((request) => (request === same ? { ...same, lastSeenAt } : request)));
          return { outcome: "waits", code: same.code, isNew: false };
        }
        if (here.length >= MOST_WAITING) return { outcome: "full" };
        const code = newCode(new Set(entries.map((request) => request.code)));
        const meta = { ...clipped(about), accountId: place.accountId };
        await save([...entries, { id: sender, code, createdAt: lastSeenAt, lastSeenAt, meta }]);
        return { outcome: "waits", code, isNew: true };
      });
    },

    async approve(channel, accountId, code) {
      const place = placeOf(channel, accountId);
      return lanes.run(place.channel, async () => {
        const known = await allowedAt(place);
        const [key] = allowedKeys(place);
        const allowed = await allowedIn(key, place);
        // Off the list before he is let in: a crash between the two costs a new code, and no code counts twice.
        const request = await take(place, code, ({ id }) => {
          if (!isSenderId(id))
            throw new Failure("invalid-request", `${JSON.stringify(id.slice(0, 80))} is not a person's lasting id`);
          if (allowed.refusal) throw allowed.refusal;
          if (allowed.entries.length >= MOST_ALLOWED)
            throw new Failure(
              "conflict",
              `${key} has ${MOST_ALLOWED} senders: take out those who need not write any more`,
            );
        });
        if (!known.has(request.id)) await allowed.save([...allowed.entries, request.id]);
        return shown(place.channel, request);
      });
    },

    async dismiss(channel, accountId, code) {
      const place = placeOf(channel, accountId);
      return lanes.run(place.channel, async () => shown(place.channel, await take(place, code)));
    },

    allowed: async (channel, accountId) => allowedAt(placeOf(channel, accountId)),
  };
}

const SEEN_EVERY_MS = 60_000;
const MOST_ALLOWED = 10_000;
