import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { method } from "./method.ts";

export const identityMethods = [
  method({
    name: "gateway.identity.get",
    scope: "operator.read",
    summary: "The gateway's own device id and public key.",
    params: () => v.object({}),
    result: () => v.object({ deviceId: v.string(), publicKey: v.string() }),
    run: ({ app: { identity } }) => ({ deviceId: identity.deviceId, publicKey: identity.publicKey }),
  }),
  method({
    name: "users.self",
    scope: "operator.write",
    summary: "The profile of the person who is signed in. A shared secret or a device is nobody in particular.",
    params: () => v.object({}),
    result: () => v.never(),
    run() {
      throw new Failure("forbidden", "users.self requires an authenticated user");
    },
  }),
  method({
    name: "users.prefs.get",
    scope: "operator.read",
    summary: "Preferences kept for the person who is signed in: none, as nobody has a profile.",
    params: () => v.object({ keys: v.optional(v.pipe(v.array(v.string()), v.maxLength(200))) }),
    result: () => v.object({ status: v.string(), entries: v.object({}) }),
    run: () => ({ status: "ok", entries: {} }),
  }),
] as const;
