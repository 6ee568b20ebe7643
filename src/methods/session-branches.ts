import * as v from "valibot";
import { addressOf } from "../flow/address.ts";
import { agentParam, countParam, keyParam, textParam } from "../flow/params.ts";
import { redirect, refuseWhileAnswering, sessionOf } from "../flow/redirect.ts";
import { method } from "./method.ts";

export const sessionBranchesMethods = [
  method({
    name: "sessions.branches.list",
    scope: "operator.read",
    summary: "The conversation as it is, and those that rewinds and switches left behind in its file.",
    params: () => v.object({ sessionKey: keyParam, agentId: agentParam }),
    result: () =>
      v.object({
        branches: v.array(
          v.object({
            leafEntryId: v.string(),
            headline: v.pipe(v.string(), v.description("First words of what the person said last on it.")),
            messageCount: countParam,
            updatedAt: v.string(),
            active: v.boolean(),
          }),
        ),
      }),
    async run({ app, params }) {
      const row = app.sessions.get(addressOf(app, params.sessionKey, params.agentId).key);
      const branches = row ? await app.sessions.transcript(row).branches() : [];
      return {
        branches: branches.map(({ leafId, headline, messages, updatedAt, active }) => ({
          leafEntryId: leafId,
          headline,
          messageCount: messages,
          updatedAt,
          active,
        })),
      };
    },
  }),
  method({
    name: "sessions.branches.switch",
    scope: "operator.admin",
    summary: "Goes on with another branch; the conversation as it was stays one of them.",
    params: () =>
      v.object({
        sessionKey: keyParam,
        agentId: agentParam,
        leafEntryId: v.pipe(textParam, v.description("As sessions.branches.list names it.")),
      }),
    result: () => v.object({}),
    async run({ app, params }) {
      const { key } = sessionOf(app, params.sessionKey, params.agentId);
      refuseWhileAnswering(app, key);
      await redirect(app, key, {
        reason: "branch-switch",
        lead: (transcript) => transcript.switchTo(params.leafEntryId),
      });
      return {};
    },
  }),
] as const;
