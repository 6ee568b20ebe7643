/** This release; test/version.test.ts holds package.json to it. */
export const VERSION = "0.1.0";
