import type { Target } from "../client/target.ts";
import { planHere } from "../cli/gateway-plan.ts";
import { clientOptions } from "../cli/options.ts";
import { withGateway } from "../cli/reach.ts";
import { Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

/** Says where the web page is, with what it needs to let one in. No browser is opened: its arguments are everybody's to see. */
export const dashboard = command({
  path: ["dashboard"],
  summary: "Show the address of the web page, with the token in it.",
  options: {
    ...clientOptions,
    "no-token": { description: "Leave the token out: the page asks for it." },
    "no-open": { description: "Accepted: this command opens no browser." },
  },
  examples: [
    { command: "dashboard", description: "An address to open, and to show nobody." },
    { command: "dashboard --no-token", description: "One that may be shown." },
    { command: "dashboard --json", description: "For programs." },
  ],
  guides: ["webchat", "remote"],
  run: (context) =>
    withGateway(context, [], async (_, target) => {
      const { output, options } = context;
      const page = await pageOf(context, target);
      const { token } = target.credentials;
      const hasToken = token !== undefined && !options["no-token"];
      // Behind `#`, it stays in the browser: no server and no proxy is sent it.
      const url = hasToken ? `${page}#${new URLSearchParams({ token })}` : page;
      if (output.json) output.data({ url, hasToken });
      else {
        output.print(url);
        if (hasToken) output.warn("The address has the gateway's token in it: whoever sees it may come in.");
      }
      return 0;
    }),
});

/** The page of this profile's gateway is where the configuration says; of any other, only the usual place is known. */
async function pageOf(context: CommandContext, target: Target): Promise<string> {
  const address = target.url.replace(/^ws/, "http");
  if (target.kind !== "local") return new URL("/", address).href;
  const { dashboard: known, paths } = await planHere(context);
  if (known !== undefined) return new URL(new URL(known).pathname, address).href;
  throw new Failure("config", "the web page is switched off: gateway.controlUi.enabled is false", {
    hints: [`Config: ${paths.config}`],
  });
}
