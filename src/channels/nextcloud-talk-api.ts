import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { toBase64 } from "../kit/base64.ts";
import { randomHex, sha256Hex } from "../kit/ids.ts";
import type { ChannelContext, Self, SendOptions, Sent } from "./channel.ts";
import { understood } from "./channel-answer.ts";
import { createRecent } from "./channel-recent.ts";
import { ask } from "./channel-request.ts";
import { signature } from "./channel-signature.ts";

/** What is asked of a Nextcloud. */
export interface Talk {
  whoami(signal: AbortSignal): Promise<Self>;
  say(
    room: string,
    message: { readonly text: string; readonly replyTo: string | undefined },
    options: SendOptions,
  ): Promise<Sent>;
  react(
    room: string,
    message: string,
    options: { readonly emoji: string; readonly method: "POST" | "DELETE"; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Whether only one person is in the room with us; nobody can know without an API user. Rejects when it cannot be known now. */
  isDirect(room: string, signal: AbortSignal): Promise<boolean>;
}

export interface TalkSignIn {
  /** The Nextcloud's address, without a slash at its end. */
  readonly home: string;
  readonly botSecret: string;
  /** Who may look rooms up. */
  readonly reader: { readonly user: string; readonly password: string } | undefined;
}

const label = "Nextcloud";
const ROOMS_KEPT = 500;
/** Kinds of rooms: with one other person, and what is left of it when he is gone. */
const ONE_TO_ONE: ReadonlySet<number> = new Set([1, 5]);

export function createTalk(
  context: Pick<ChannelContext, "fetch" | "clock" | "log">,
  { home, botSecret, reader }: TalkSignIn,
): Talk {
  const rooms = createRecent<boolean>(ROOMS_KEPT);
  const spreed = `${home}/ocs/v2.php/apps/spreed/api`;
  const ocs = { "ocs-apirequest": "true", accept: "application/json" };

  /** What is signed is the text alone, not the body that has it. */
  async function signed(text: string): Promise<Readonly<Record<string, string>>> {
    const random = randomHex(32);
    const mark = await signature(botSecret, { data: random + text, form: "hex" });
    return { ...ocs, "x-nextcloud-talk-bot-random": random, "x-nextcloud-talk-bot-signature": mark };
  }

  return {
    async whoami(signal) {
      const answer = await ask(context, { label, url: `${home}/status.php`, signal });
      const { productname, maintenance } = understood(statusSchema, { label, answer });
      if (maintenance) throw new Failure("unavailable", "the Nextcloud is being maintained");
      return { id: new URL(home).host, name: productname };
    },
    async say(room, { text: written, replyTo }, { key, signal }) {
      // Whoever made the text up: it does not call everybody in the room.
      const text = written.replaceAll(/@(?="?(?:all|here)\b)/gi, "@\u200b");
      // It does not keep a message from being sent twice; it lets those who read the room tell.
      const referenceId = await sha256Hex(`${room}\n${key}`);
      const answered = replyTo !== undefined && /^\d+$/.test(replyTo) ? { replyTo: Number(replyTo) } : {};
      const json = { message: text, referenceId, ...answered };
      const url = `${spreed}/v1/bot/${encodeURIComponent(room)}/message`;
      await ask(context, { label, url, json, headers: await signed(text), signal, refusal });
      // The answer is empty: Talk does not tell a bot the numbers of its messages.
      return { id: referenceId };
    },
    async react(room, message, { emoji, method, signal }) {
      const url = `${spreed}/v1/bot/${encodeURIComponent(room)}/reaction/${encodeURIComponent(message)}`;
      await ask(context, {
        label,
        url,
        method,
        json: { reaction: emoji },
        headers: await signed(emoji),
        signal,
        refusal,
      });
    },
    async isDirect(room, signal) {
      const known = rooms.get(room);
      if (known !== undefined || !reader) return known ?? false;
      const basic = toBase64(new TextEncoder().encode(`${reader.user}:${reader.password}`));
      const headers = { ...ocs, authorization: `Basic ${basic}` };
      const url = `${spreed}/v4/room/${encodeURIComponent(room)}`;
      const answer = await ask(context, { label, url, headers, signal }).catch((error: unknown) => {
        if (!(error instanceof Failure) || error.retryable) throw error;
        // Asking again would not help, and a group has the narrower rules.
        context.log.warn("a room cannot be looked up: it counts as a group", { reason: error.message });
        return undefined;
      });
      if (answer === undefined) return false;
      const isDirect = ONE_TO_ONE.has(understood(roomSchema, { label, answer }).ocs.data.type);
      rooms.set(room, isDirect);
      return isDirect;
    },
  };
}

/** Talk answers 401 for a room that the bot is not in as well: the account itself may be all right. */
function refusal(status: number): Failure | undefined {
  if (status !== 401) return undefined;
  const what = "the bot is not enabled there, or channels.nextcloud-talk.botSecret is not its secret";
  return new Failure("forbidden", `Nextcloud Talk does not take the bot's word in this room: ${what}`);
}

const statusSchema = v.looseObject({
  productname: v.optional(v.string()),
  maintenance: v.optional(v.boolean(), false),
});
const roomSchema = v.looseObject({ ocs: v.looseObject({ data: v.looseObject({ type: v.number() }) }) });
