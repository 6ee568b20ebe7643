import { clean } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { targetOf } from "../cli/reach.ts";
import type { RunNews } from "../cli/run-news.ts";
import { deferred } from "../client/wait.ts";
import { exit, Failure } from "../kit/error.ts";
import type { Chat } from "./chat-link-history.ts";
import { openChatLink, type ChatEvents, type ChatLink } from "./chat-link.ts";
import { createChatScreen, type ChatScreen } from "./chat-screen.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  session: { value: "<key>", description: "The session, such as main or agent:main:work.", default: "main" },
  agent: { value: "<id>", description: "The agent; the default one when left out." },
  message: { value: "<text>", description: "Say this first." },
  thinking: { value: "<level>", description: "How hard to think: off, minimal, low, medium, high, xhigh." },
  deliver: { description: "Also send the answers to the chat that the session belongs to." },
  "history-limit": {
    value: "<n>",
    description: "How many messages of the history to show at first.",
    number: { min: 0, max: 1000 },
    default: 6,
  },
  ...clientOptions,
} as const;

type Context = CommandContext<typeof options>;

/** A conversation with an agent on a terminal. */
export const chat = command({
  path: ["chat"],
  summary: "Talk with the agent. A trailing \\ goes on with the message, Ctrl-C stops an answer, Ctrl-D leaves.",
  options,
  examples: [
    { command: "chat", description: "In the default agent's main session; /help shows what else can be said." },
    { command: "chat --session work --thinking high", description: "In another session." },
  ],
  ownsSignals: true,
  async run(context) {
    const { host, output, program } = context;
    if (!host.terminal.editLines || output.json)
      throw new Failure("usage", "chat is for a person at a terminal, and there is none here", {
        hints: [`For programs: ${program} agent --message <text>`],
      });
    return converse(context);
  },
});

/** Talks until the person leaves; answers the exit status. */
async function converse(context: Context): Promise<number> {
  const { host, options: given } = context;
  const screen = createChatScreen(context);
  const left = deferred<void>();
  const abort = new AbortController();
  const leave = (): void => left.resolve();
  const talk = createTalk(screen, leave);
  // Until there is an editor, Ctrl-C is a signal.
  const stop = (): void => (abort.signal.aborted ? host.processes.exit(exit.interrupted) : abort.abort());
  const undo = [host.processes.onSignal("SIGINT", stop), host.processes.onSignal("SIGTERM", stop)];
  abort.signal.addEventListener("abort", leave);
  try {
    const link = await openChatLink(
      { ...context, signal: abort.signal },
      {
        target: await targetOf(context),
        session: { sessionKey: given.session, agentId: given.agent },
        historyLimit: given["history-limit"],
        more: { deliver: given.deliver, ...(given.thinking === undefined ? {} : { thinking: given.thinking }) },
        events: { ...talk.events, ended: (reason) => left.reject(reason) },
      },
    );
    try {
      screen.attach(host.terminal.editLines?.({ ...talk.typed, end: leave }));
      talk.begin(link, given.message);
      await left.promise;
      return farewell(link, context);
    } finally {
      screen.close();
      link.close();
    }
  } finally {
    for (const each of undo) each();
  }
}

/** Who says what when: the state of the conversation between the person and the session. */
function createTalk(screen: ChatScreen, leave: () => void) {
  /** Runs that somebody waits for. */
  const active = new Set<string>();
  let draft: readonly string[] = [];
  let link: ChatLink | undefined;
  let stopping = false;
  let away = false;

  const settle = (): void => {
    if (active.size > 0) return;
    stopping = false;
    screen.ready(draft.length > 0);
  };
  const say = (text: string): void => {
    const message = link?.send(text);
    if (away) {
      screen.note("kept until the gateway is back");
      return settle();
    }
    if (message) active.add(message.id);
    screen.busy("waiting for the answer…");
  };
  const events: Omit<ChatEvents, "ended"> = {
    opened(chat: Chat) {
      away = false;
      active.clear();
      for (const id of [...chat.runIds, ...(link?.unsent ?? []).map((message) => message.id)]) active.add(id);
      if (link) screen.note("the gateway is back");
      else screen.header(chat);
      screen.said(chat);
      if (active.size > 0) screen.busy("waiting for the answer…");
      else if (link) settle();
    },
    news(news: RunNews) {
      if (news.kind === "ended") active.delete(news.runId);
      else if (!active.has(news.runId)) {
        active.add(news.runId);
        screen.busy("thinking…");
      }
      screen.news(news);
      settle();
    },
    heard: (text) => screen.quote(text),
    lost(reason) {
      away = true;
      active.clear();
      screen.note(`${reason.message}; waiting for the gateway to be back`);
      settle();
    },
    done(id) {
      active.delete(id);
      settle();
    },
    refused({ id, text }, reason) {
      active.delete(id);
      screen.trouble(`not sent: ${text}`, [reason.message, ...reason.hints]);
      settle();
    },
  };
  return {
    events,
    begin(opened: ChatLink, first: string | undefined): void {
      link = opened;
      if (first === undefined) return settle();
      screen.quote(first);
      say(first);
    },
    typed: {
      line(text: string): void {
        // What was typed meanwhile was not to be seen.
        if (!screen.entered()) screen.quote(text);
        if (text.endsWith("\\")) {
          draft = [...draft, text.slice(0, -1)];
          return settle();
        }
        const message = [...draft, text].join("\n").trim();
        draft = [];
        if (/^\/(exit|quit)$/.test(message)) return leave();
        if (message === "") return settle();
        say(message);
      },
      interrupt(): void {
        if (active.size === 0 || stopping) return leave();
        stopping = true;
        link?.stop().catch((error: unknown) => {
          stopping = false;
          screen.trouble(`could not stop: ${Failure.from(error).message}`);
        });
      },
    },
  };
}

/** What was typed and may not have arrived is given back. */
function farewell({ unsent }: ChatLink, { output }: Context): number {
  for (const { text } of unsent) output.warn(`not confirmed by the gateway: ${clean(text)}`);
  return unsent.length > 0 ? exit.temporary : exit.ok;
}
