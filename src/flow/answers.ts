import { agentsOf, workspaceOf, type Agent } from "../agent/roster.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Surroundings } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import type { Code, Failure } from "../kit/error.ts";
import type { Media } from "../session/media.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Delivery, Outbox } from "./outbox.ts";
import type { Reply } from "./reply.ts";
import { keepFiles } from "./reply-files.ts";
import { readReply } from "./reply-text.ts";
import type { TurnInput } from "./turns.ts";

/** Sends what became of a turn to the chat that its message came from. */
export interface Answers {
  /** Resolves when it is on its way for good, or when there is nothing to send. The same `id` again changes nothing. */
  send(id: string, input: TurnInput, said: Said): Promise<void>;
}

/** What became of a turn: the model's answer, what a command says, or why there is neither. */
export type Said =
  | { readonly kind: "answer"; readonly texts: readonly string[]; readonly by: { provider: string; model: string } }
  | { readonly kind: "command"; readonly text: string }
  | { readonly kind: "failure"; readonly failure: Pick<Failure, "code"> };

/** The id of the delivery that carries a run's answer. */
export function answerId(runId: string): string {
  return `run:${runId}`;
}

export interface AnswersOptions {
  readonly host: Surroundings;
  readonly paths: Paths;
  readonly config: ConfigStore;
  readonly sessions: Pick<Sessions, "get">;
  readonly media: Pick<Media, "save">;
  readonly outbox: Pick<Outbox, "plan">;
}

export function createAnswers(options: AnswersOptions): Answers {
  const { host, paths, config, sessions, media, outbox } = options;

  async function deliveryOf(id: string, input: TurnInput, to: Reply, said: Said): Promise<Delivery> {
    const { sessionKey, agentId } = input;
    if (said.kind === "command") return { id, to, sessionKey, text: said.text };
    if (said.kind === "failure") return { id, to, sessionKey, text: apology(said.failure) };
    const { by } = said;
    const { value } = config.current();
    const agent = agentsOf(value).find((each) => each.id === agentId);
    const replies = said.texts.map(readReply);
    const words = replies.flatMap(({ text }) => (text === "" ? [] : [text])).join("\n\n");
    const quotes = replies.find((reply) => reply.quotes !== undefined)?.quotes;
    const kept = await keepFiles(
      replies.flatMap((reply) => reply.files),
      {
        files: agent && host.files,
        workspace: agent ? workspaceOf(agent, value, { host, paths }) : "",
        closed: [paths.state, paths.config],
        media,
        maxBytes: value.agents.defaults.mediaMaxMb * 1024 * 1024,
      },
    );
    const thinkingLevel = input.thinking ?? sessions.get(sessionKey)?.thinkingLevel;
    const prefix = prefixOf(value.messages.responsePrefix, { agent, by, thinkingLevel });
    const text = [words.startsWith(prefix) ? words : `${prefix} ${words}`, ...kept.problems].join("\n");
    return {
      id,
      to,
      sessionKey,
      text: words === "" ? kept.problems.join("\n") : text,
      media: kept.media,
      quotes: quotes === "current" ? to.replyTo : quotes?.id,
    };
  }

  return {
    async send(id, input, said) {
      if (!input.reply) return;
      // `/send off` silences the model in a session, and what is said in its place.
      if (said.kind !== "command" && sessions.get(input.sessionKey)?.sendPolicy === "deny") return;
      const delivery = await deliveryOf(id, input, input.reply, said);
      if (delivery.text === "" && (delivery.media ?? []).length === 0) return;
      await outbox.plan(delivery);
    },
  };
}

/** What a sender is told in place of an answer: that there is none, and whether to try again. The log has the rest. */
function apology({ code }: Pick<Failure, "code">): string {
  return `⚠️ ${apologies[code] ?? "Something went wrong, and there is no answer. The gateway's log says what."}`;
}

const apologies: Partial<Record<Code, string>> = {
  "rate-limited": "The model is asked too much just now. Please try again in a few minutes.",
  unavailable: "The model does not answer just now. Please try again in a few minutes.",
  timeout: "This took too long and was ended without an answer.",
  unauthorized: "The model does not accept the gateway's credentials: its owner has to look at them.",
  config: "The gateway is not set up for this: its owner has to look at its settings.",
};

interface PrefixFacts {
  readonly agent: Agent | undefined;
  readonly by: { provider: string; model: string };
  readonly thinkingLevel: string | undefined;
}

/** `messages.responsePrefix` for one answer; what is in braces and not known is left as it stands. */
function prefixOf(template: string, { agent, by, thinkingLevel = "off" }: PrefixFacts): string {
  const { name } = agent?.identity ?? {};
  if (template === "auto") return name === undefined ? "" : `[${name}]`;
  const values: Readonly<Record<string, string | undefined>> = {
    model: by.model
      .split("/")
      .at(-1)
      ?.replace(/-(\d{8}|latest)$/, ""),
    modelFull: `${by.provider}/${by.model}`,
    provider: by.provider,
    thinkingLevel,
    "identity.name": name ?? "",
  };
  return template.replaceAll(/\{([\w.]+)\}/g, (whole, key: string) => values[key] ?? whole).trim();
}
