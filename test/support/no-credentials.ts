import type { Credentials } from "../../src/model/accounts.ts";

/** Credentials of which there are none. */
export const noCredentials: Credentials = {
  providers: () => Promise.resolve([]),
  probe: () => Promise.resolve([]),
  remove: () => Promise.resolve([]),
};
