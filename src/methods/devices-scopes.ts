import * as v from "valibot";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty(), v.maxLength(128));

/** The methods by which a connected page asks the owner for more scopes. */
export const deviceScopeMethods = [
  method({
    name: "device.scopes.requestUpgrade",
    scope: "operator.read",
    summary: "Asks the owner for more scopes for the page's own device.",
    params: () => v.object({ scopes: v.pipe(v.array(text), v.minLength(1), v.maxLength(8)) }),
    result: () => v.object({ requestId: v.string() }),
    run: ({ app, params, caller }) => app.devices.upgrades.request(caller, params.scopes),
  }),
  method({
    name: "device.scopes.waitUpgrade",
    scope: "operator.read",
    summary: "Waits for the owner's decision; an approval brings the device's new token.",
    params: () => v.object({ requestId: text }),
    result: () =>
      v.variant("status", [
        v.object({
          status: v.literal("approved"),
          requestId: v.string(),
          deviceToken: v.string(),
          scopes: v.array(v.string()),
        }),
        v.object({ status: v.picklist(["rejected", "expired"]), requestId: v.string() }),
      ]),
    run: async ({ app, params, caller, signal }) => {
      const upgrade = await app.devices.upgrades.wait(caller, params.requestId, signal);
      return upgrade.status === "approved" ? { ...upgrade, scopes: [...upgrade.scopes] } : upgrade;
    },
  }),
] as const;
