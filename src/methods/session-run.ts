import * as v from "valibot";
import { addressOf } from "../flow/address.ts";
import { acceptChat } from "../flow/chat-input.ts";
import { acceptedResult, agentParam, attachmentsParam, countParam, keyParam, runIdParam } from "../flow/params.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { method } from "./method.ts";

const said = {
  message: v.pipe(v.string(), v.description("What is said.")),
  thinking: v.pipe(
    v.optional(v.string()),
    v.description("How hard the model is to think about it; as the session has it when absent."),
  ),
  attachments: v.pipe(v.optional(attachmentsParam), v.description("Pictures.")),
  timeoutMs: v.pipe(
    v.optional(countParam),
    v.description("When the run is ended; agents.defaults.timeoutSeconds when absent."),
  ),
};

export const sessionRunMethods = [
  method({
    name: "sessions.send",
    scope: "operator.write",
    summary: "Says something in a session that there is.",
    params: () => v.object({ key: keyParam, agentId: agentParam, ...said, idempotencyKey: v.optional(runIdParam) }),
    result: () => v.object(acceptedResult),
    async run({ app, caller, params }) {
      const { key, agentId, idempotencyKey = uuid(), ...rest } = params;
      if (!app.sessions.get(addressOf(app, key, agentId).key)) {
        throw new Failure("not-found", `No session found: ${key}`);
      }
      const input = { ...rest, sessionKey: key, agentId, runId: idempotencyKey, commands: true };
      const { runId, status } = await acceptChat(app, caller, input);
      return { runId, status };
    },
  }),
  method({
    name: "sessions.steer",
    scope: "operator.write",
    unlisted: true,
    summary: "Says something to the run that goes on: it is taken up after the next round of tools.",
    params: () => v.object({ sessionKey: keyParam, agentId: agentParam, ...said, idempotencyKey: runIdParam }),
    result: () => v.object(acceptedResult),
    async run({ app, caller, params: { idempotencyKey, ...rest } }) {
      const input = { ...rest, runId: idempotencyKey, commands: true, queueMode: "steer" as const };
      const { runId, status } = await acceptChat(app, caller, input);
      return { runId, status };
    },
  }),
  method({
    name: "sessions.abort",
    scope: "operator.write",
    summary: "Stops the run of a session, or one run wherever it is.",
    params: () =>
      v.object({
        key: v.optional(keyParam),
        runId: v.optional(runIdParam),
        agentId: agentParam,
        clearQueued: v.pipe(v.optional(v.boolean(), false), v.description("What waits behind it is dropped too.")),
      }),
    result: () =>
      v.object({
        ok: v.literal(true),
        abortedRunId: v.nullable(v.string()),
        status: v.picklist(["aborted", "no-active-run"]),
      }),
    async run({ app, params: { key, runId, agentId, clearQueued } }) {
      if (key === undefined && runId === undefined) {
        throw new Failure("invalid-request", "give the key of a session or the id of a run");
      }
      const sessionKey = key === undefined ? undefined : addressOf(app, key, agentId).key;
      // Whoever names a run means it wherever it is, in the queue too.
      const keepQueued = runId === undefined && !clearQueued;
      const [abortedRunId = null] = await app.turns.abort({ sessionKey, runId, keepQueued });
      const status = abortedRunId === null ? ("no-active-run" as const) : ("aborted" as const);
      return { ok: true as const, abortedRunId, status };
    },
  }),
] as const;
