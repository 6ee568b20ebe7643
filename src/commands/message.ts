import { clientOptions } from "../cli/options.ts";
import { ask } from "../cli/reach.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { command } from "./command.ts";

/** A network that is slow, or asks for a pause, is waited for. */
const patienceMs = 75_000;

/** Sends a message to a chat, as the gateway's own account there. */
export const messageSend = command({
  path: ["message", "send"],
  summary: "Send a message to somebody in a chat network.",
  options: {
    to: { value: "<recipient>", description: "As the network writes it, such as -100123:topic:42 or +15551234567." },
    message: { value: "<text>", description: "What to say (-m); - reads it from standard input." },
    channel: { value: "<channel>", description: "Such as telegram; may be left out where one is set up." },
    account: { value: "<id>", description: "The account to send it from, where there are several." },
    thread: { value: "<id>", description: "A thread or topic there." },
    "reply-to": { value: "<id>", description: "The message that it answers." },
    ...clientOptions,
    timeout: { ...clientOptions.timeout, default: patienceMs },
  },
  examples: [
    { command: 'message send --channel telegram --to 123456789 -m "On my way"', description: "To a person." },
    { command: "message send --to channel:C0123 --message - < report.md", description: "A text from a file." },
  ],
  guides: ["channels"],
  async run(context) {
    const { output, host, options: given } = context;
    if (given.to === undefined) throw new Failure("usage", "--to is missing: say who is to get the message");
    if (given.message === undefined)
      throw new Failure("usage", "--message is missing: give the text, or - to read it from standard input");
    const message = given.message === "-" ? await host.terminal.readInput() : given.message;
    if (message.trim() === "")
      throw new Failure("usage", `${given.message === "-" ? "standard input" : "--message"} is empty: nothing to send`);
    const { to, channel, account: accountId, thread: threadId, "reply-to": replyToId } = given;
    const params = { to, message, channel, accountId, threadId, replyToId, idempotencyKey: uuid() };
    const sent = await ask(context, "send", params, { scopes: ["operator.write"] });
    if (output.json) output.data(sent);
    else output.print(`✓ Sent to ${to} by ${sent.channel} (message ${sent.messageId}).`);
    return 0;
  },
});
