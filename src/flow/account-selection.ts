import * as v from "valibot";

/** The form of `accountSelection`. */
export const accountSelectionResult = v.object({ kind: v.literal("automatic"), label: v.string() });

/** Which credential a session's runs are made with: the first that works, in the order of its provider. */
export const accountSelection = { kind: "automatic" as const, label: "Automatic account selection" };
