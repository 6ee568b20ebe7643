import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf, addressOfAgent, type Address } from "../flow/address.ts";
import { acceptChat } from "../flow/chat-input.ts";
import {
  acceptedResult,
  agentParam,
  attachmentsParam,
  countParam,
  keyParam,
  runIdParam,
  textParam,
} from "../flow/params.ts";
import { Failure } from "../kit/error.ts";
import { queueModes } from "../session/sessions.ts";
import { method } from "./method.ts";

const aborted = { ok: v.literal(true), aborted: v.boolean(), runIds: v.array(v.string()) };

export const chatMethods = [
  method({
    name: "chat.send",
    scope: "operator.write",
    summary: "Says something; it is on the disk when this answers, and is answered by events.",
    params: () =>
      v.object({
        sessionKey: keyParam,
        agentId: agentParam,
        sessionId: v.pipe(v.optional(textParam), v.description("Refused when the session is another one by now.")),
        message: v.pipe(v.string(), v.description("What is said.")),
        thinking: v.pipe(
          v.optional(v.string()),
          v.description("How hard the model is to think about it; as the session has it when absent."),
        ),
        queueMode: v.pipe(
          v.optional(v.picklist(queueModes)),
          v.description("What becomes of it during a run; as the session has it when absent."),
        ),
        attachments: v.pipe(v.optional(attachmentsParam), v.description("Pictures.")),
        timeoutMs: v.pipe(
          v.optional(countParam),
          v.description("When the run is ended; agents.defaults.timeoutSeconds when absent."),
        ),
        suppressCommandInterpretation: v.pipe(
          v.optional(v.boolean(), false),
          v.description("Give text that begins with a slash to the model."),
        ),
        expectedLeafEntryId: v.pipe(
          v.optional(v.nullable(textParam)),
          v.description("The newest entry that the client knows; refused when there is another one."),
        ),
        idempotencyKey: runIdParam,
      }),
    result: () =>
      v.union([
        v.object({
          ...acceptedResult,
          serverTiming: v.optional(v.object({ receivedToAckMs: v.number(), loadSessionMs: v.number() })),
        }),
        v.object(aborted),
      ]),
    async run({ app, caller, params }) {
      const { idempotencyKey: runId, suppressCommandInterpretation, sessionId, expectedLeafEntryId, ...said } = params;
      const receivedAt = app.clock.monotonic();
      const address = addressOfAgent(app, said.sessionKey, said.agentId);
      const commands = !suppressCommandInterpretation;
      if (commands && isStop(said.message)) return stop(app, { sessionKey: address.key });
      // A message that was sent before is answered as it was then, whatever became of the session since.
      if (!app.turns.run(runId)) await requireSame(app, address, { sessionId, expectedLeafEntryId });
      const loadedAt = app.clock.monotonic();
      const accepted = await acceptChat(app, caller, { ...said, runId, commands });
      const { mode } = caller.client;
      const timing = {
        receivedToAckMs: milliseconds(app.clock.monotonic() - receivedAt),
        loadSessionMs: milliseconds(loadedAt - receivedAt),
      };
      const shown = mode === "ui" || mode === "webchat" ? { serverTiming: timing } : {};
      return { runId: accepted.runId, status: accepted.status, ...shown };
    },
  }),
  method({
    name: "chat.abort",
    scope: "operator.write",
    summary: "Stops a session's run and what waits behind it, or one run alone.",
    params: () => v.object({ sessionKey: keyParam, agentId: agentParam, runId: v.optional(runIdParam) }),
    result: () => v.object(aborted),
    run({ app, params }) {
      const { key: sessionKey } = addressOf(app, params.sessionKey, params.agentId);
      return stop(app, { sessionKey, runId: params.runId });
    },
  }),
  method({
    name: "chat.inject",
    scope: "operator.admin",
    unlisted: true,
    summary: "Writes something into a conversation as if the assistant had said it, without asking a model.",
    params: () =>
      v.object({
        sessionKey: keyParam,
        agentId: agentParam,
        message: v.pipe(textParam, v.maxLength(100_000)),
        label: v.optional(v.pipe(v.string(), v.maxLength(100))),
      }),
    result: () => v.object({ ok: v.literal(true), messageId: v.string() }),
    async run({ app, params: { sessionKey, agentId, message, label = "" } }) {
      const { key } = addressOf(app, sessionKey, agentId);
      if (!app.sessions.get(key)) throw new Failure("not-found", `No session found: ${sessionKey}`);
      const text = label.trim() === "" ? message : `[${label.trim()}]\n\n${message}`;
      const { messageId } = await app.turns.inject({ sessionKey: key, text });
      return { ok: true as const, messageId };
    },
  }),
] as const;

/** `/stop` is not a message: it is answered at once, whatever goes on. */
function isStop(message: string): boolean {
  return /^\/stop:?$/i.test(message.trim());
}

async function stop(app: App, target: { sessionKey: string; runId?: string | undefined }) {
  const runIds = await app.turns.abort(target);
  return { ok: true as const, aborted: runIds.length > 0, runIds: [...runIds] };
}

interface Expected {
  readonly sessionId?: string | undefined;
  readonly expectedLeafEntryId?: string | null | undefined;
}

/** Throws `conflict` when the client speaks into a conversation that is not the one it shows. */
async function requireSame(app: App, { key }: Address, { sessionId, expectedLeafEntryId }: Expected): Promise<void> {
  const row = app.sessions.get(key);
  if (sessionId !== undefined && row && row.sessionId !== sessionId) {
    throw new Failure("conflict", `${key} is another conversation now (${row.sessionId}): load its history again`);
  }
  if (expectedLeafEntryId === undefined) return;
  const [leaf] = row ? await app.sessions.transcript(row).page({ limit: 1 }) : [];
  if ((leaf?.id ?? null) === expectedLeafEntryId) return;
  throw new Failure("conflict", `something was said in ${key} meanwhile: load its history again`);
}

function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
