import { count } from "../cli/format.ts";
import { clientOptions } from "../cli/options.ts";
import { withGateway } from "../cli/reach.ts";
import { Failure } from "../kit/error.ts";
import { openIdentity } from "../pairing/identity.ts";
import { command } from "./command.ts";

/** Forgets every device, and with --pending turns away those that wait too. */
export const devicesClear = command({
  path: ["devices", "clear"],
  summary: "Forget every paired device and end their connections.",
  options: {
    yes: { description: "Really do it; without it nothing happens." },
    pending: { description: "Turn away those that ask to be paired, too." },
    ...clientOptions,
  },
  examples: [{ command: "devices clear --yes --pending", description: "Every device has to be paired again." }],
  async run(context) {
    const { options, output } = context;
    if (!options.yes) throw new Failure("usage", "every device would have to be paired again: pass --yes to do it");
    const done = await withGateway(context, ["operator.admin"], async (client) => {
      const { paired, pending } = await client.call("device.pair.list", {});
      const waiting = options.pending ? pending : [];
      for (const { requestId } of waiting) await unlessGone(client.call("device.pair.reject", { requestId }));
      // From another machine this command is a device too: it goes last, for its connection ends with it.
      const own = (await openIdentity(context.host, context.paths.state)).deviceId;
      const inOrder = paired.toSorted((a, b) => Number(a.deviceId === own) - Number(b.deviceId === own));
      for (const { deviceId } of inOrder) await unlessGone(client.call("device.pair.remove", { deviceId }));
      return { removed: paired.length, rejected: waiting.length };
    });
    if (output.json) output.data(done);
    else output.print(`✓ Removed ${count(done.removed, "device")}, turned away ${done.rejected}.`);
    return 0;
  },
});

/** Somebody else may have been faster, and the last removal may end the connection before it is answered. */
async function unlessGone(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    const { message } = Failure.from(error);
    if (!message.startsWith("unknown ") && !message.includes("device removed")) throw error;
  }
}
