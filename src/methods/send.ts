import * as v from "valibot";
import { runIdParam, textParam } from "../flow/params.ts";
import { Failure } from "../kit/error.ts";
import { method } from "./method.ts";

export const sendMethods = [
  method({
    name: "send",
    scope: "operator.write",
    idempotency: "required",
    summary: "Sends a message to somebody in a chat network. There is none yet, and the refusal says so.",
    params: v.object({
      to: textParam,
      message: v.optional(v.string()),
      mediaUrl: v.optional(v.string()),
      channel: v.optional(v.string()),
      accountId: v.optional(v.string()),
      idempotencyKey: runIdParam,
    }),
    result: v.object({ runId: v.string(), messageId: v.string(), channel: v.string() }),
    run({ params: { channel = "", message = "", mediaUrl = "" } }): never {
      if (message.trim() === "" && mediaUrl === "") {
        throw new Failure("invalid-request", "invalid send params: text or media is required");
      }
      if (channel.trim() !== "") throw new Failure("invalid-request", `unsupported channel: ${channel.trim()}`);
      throw new Failure("invalid-request", "Channel is required (no configured channels detected).");
    },
  }),
] as const;
