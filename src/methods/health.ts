import * as v from "valibot";
import { method, Prepared } from "./method.ts";

export const healthMethods = [
  method({
    name: "health",
    scope: "none",
    roles: ["operator", "node"],
    summary: "How the gateway and its parts fare; made once per change, not per call.",
    params: () =>
      v.object({
        probe: v.pipe(
          v.optional(v.boolean()),
          v.description("Accepted; parts report by themselves, so there is nothing to ask."),
        ),
      }),
    result: () => v.looseObject({ ok: v.boolean(), ts: v.number() }),
    run: ({ app }) => new Prepared(app.health.json()),
  }),
] as const;
