import * as v from "valibot";
import type { KeyMetadata } from "./section.ts";

/** The `tools` section: what agents may do. What its values mean, and what is odd in them, the tools' policy says. */
export const toolsSection = v.pipe(
  v.looseObject({
    profile: v.pipe(
      v.optional(v.unknown()),
      v.description("The tools to begin with: minimal, coding, messaging, full."),
    ),
    allow: v.pipe(
      v.optional(v.unknown()),
      v.description("Of those, the only ones that may be used; group:<name> and *."),
    ),
    deny: v.pipe(v.optional(v.unknown()), v.description("Tools that may not be used, whatever else says so.")),
    byProvider: v.pipe(v.optional(v.unknown()), v.description("The same for models of a provider, or one model.")),
  }),
  v.metadata({ reload: "live" } satisfies KeyMetadata),
);
