import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { createLanes } from "../kit/lanes.ts";
import { channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { keepConnected } from "./channel-connection.ts";
import { takeIn } from "./channel-inbox.ts";
import { plain, withMarks } from "./channel-marks.ts";
import { readImessage } from "./imessage-message.ts";
import { type ImessageProgram, startImessage } from "./imessage-program.ts";
import { imessagePolicy, imessageSettings, type ImessageSettings, imessageTarget } from "./imessage-settings.ts";

/**
 * iMessage and SMS, by the program imsg on a Mac (github.com/steipete/imsg). It reads the database of Messages, in which
 * every message has a place: it is told from which place on, so that none is lost over any number of ends of us or it.
 */
export const imessage = channel({
  id: "imessage",
  label: "iMessage",
  settings: imessageSettings,
  credentials: [
    {
      key: "cliPath",
      public: true,
      optional: true,
      help: "The program imsg, from `brew install steipete/tap/imsg`; it needs Full Disk Access, and Automation of Messages.",
    },
  ],
  abilities: { chats: ["direct", "group"], media: false, reactions: false, edit: false, typing: false },
  // Addresses are written in any way.
  ignoreCase: true,
  policy: imessagePolicy,
  target: imessageTarget,
  open: async (settings, context) => openAccount(settings, context),
});

const MAX_TEXT = 4000;
/** More that waits to be taken in: imsg is ended, and told later to go on from where we are. */
const MAX_WAITING = 1000;
const PLACE = "row";

function openAccount(settings: ImessageSettings, given: ChannelContext): Channel {
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const { signal, kept, log, clock } = context;
  const lanes = createLanes();
  let program: ImessageProgram | undefined;

  const running = keepConnected(context, async (attempt) => {
    let waiting = 0;
    let over = false;
    let failed: (error: unknown) => void = () => undefined;
    const broken = new Promise<never>((_, reject) => (failed = reject));
    broken.catch(() => undefined); // it is raced below, unless nothing broke

    async function take(params: unknown): Promise<void> {
      // What was told before the end is told again after it.
      if (over) return;
      const news = readImessage(params, clock.now());
      if (!news) return log.warn("a message that cannot be read was skipped");
      if (news.message) await takeIn(context, news.message);
      await kept.write(PLACE, String(news.row));
    }
    const started = startImessage(context, settings, (method, params) => {
      if (method === "error") return failed(new Failure("unavailable", "imsg cannot watch the messages any more"));
      if (method !== "message") return;
      if (++waiting > MAX_WAITING) return failed(new Failure("unavailable", "imsg tells more than can be taken in"));
      lanes
        .run("in", () => take(params))
        .then(() => waiting--)
        .catch(failed);
    });
    const stop = (): void => started.stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const since = Number((await kept.read(PLACE)) ?? (await lastRow(started, signal)));
      await kept.write(PLACE, String(since));
      await started.call("watch.subscribe", { since_rowid: since, attachments: true }, signal);
      program = started;
      attempt.ready();
      await Promise.race([started.ended, broken]);
    } finally {
      program = undefined;
      over = true;
      signal.removeEventListener("abort", stop);
      stop();
    }
  });

  const working = (): ImessageProgram => {
    if (program) return program;
    throw new Failure("unavailable", "imsg does not run at the moment");
  };
  return {
    maxText: MAX_TEXT,
    async send(to, message, options) {
      const text = withMarks(message.text, plain).trim();
      if (text === "") throw new Failure("invalid-request", "the message is empty: there is nothing to send");
      const { service, region } = settings;
      const params = { ...recipientOf(to), text, service, ...(region === undefined ? {} : { region }) };
      await lanes.run("out", async () => working().call("send", params, options.signal));
      return { id: uuid() };
    },
    async probe(until) {
      await working().call("chats.list", { limit: 1 }, until);
      return { id: "imessage" };
    },
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** The place of the newest message: what came before we were set up is not for us. */
async function lastRow(program: ImessageProgram, signal: AbortSignal): Promise<number> {
  const list = v.safeParse(
    v.looseObject({ chats: v.array(placed) }),
    await program.call("chats.list", { limit: 1 }, signal),
  );
  const [chat] = list.success ? list.output.chats : [];
  if (!chat) return 0;
  const answer = await program.call("messages.history", { chat_id: chat.id, limit: 1 }, signal);
  const history = v.safeParse(v.looseObject({ messages: v.array(placed) }), answer);
  return (history.success && history.output.messages[0]?.id) || 0;
}

const placed = v.looseObject({ id: v.pipe(v.number(), v.integer()) });

function recipientOf({ to }: Target): Readonly<Record<string, unknown>> {
  return to.startsWith("chat_id:") ? { chat_id: Number(to.slice("chat_id:".length)) } : { to };
}
