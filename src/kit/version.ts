/** This release; test/version.test.ts holds package.json to it. */
export const VERSION = "0.1.0";

/** The commit that this was built from; undefined from source, where the repository says it better. */
export const COMMIT: string | undefined = typeof CLAWLET_COMMIT === "string" ? CLAWLET_COMMIT : undefined;

/** Put in by the build. */
declare const CLAWLET_COMMIT: string | undefined;
