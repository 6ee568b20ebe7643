import { clientOptions } from "../cli/options.ts";
import { toJson } from "../cli/output.ts";
import { askAny } from "../cli/reach.ts";
import { Failure } from "../kit/error.ts";
import { command } from "./command.ts";

/** Calls any method of a gateway. */
export const call = command({
  path: ["gateway", "call"],
  summary: "Call a method of the gateway and print what it answers.",
  positionals: [{ name: "method", description: "The method's name, such as status." }],
  options: {
    params: { value: "<json>", description: "Its parameters, a JSON object.", default: "{}" },
    "expect-final": { description: "Wait for the final answer of a method that first accepts (agent runs)." },
    ...clientOptions,
  },
  examples: [
    { command: "gateway call status", description: "A method without parameters." },
    { command: `gateway call logs.tail --params '{"sinceMs": 60000}'`, description: "One with parameters." },
  ],
  async run(context) {
    const { args, options, output } = context;
    const [method = ""] = args;
    try {
      const answer = await askAny(context, method, paramsOf(options.params), {
        scopes: ["operator.read"],
        call: { expectFinal: options["expect-final"] },
      });
      output.print(`Gateway call: ${method}`);
      if (output.json) output.data(answer);
      else output.print(toJson(answer, 2));
      return 0;
    } catch (error) {
      throw labelled(Failure.from(error));
    }
  },
});

function paramsOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure("invalid-request", `SyntaxError: --params is not JSON: ${reason}`);
  }
}

/** The words that scripts look for (cli.md 4.4). */
function labelled(failure: Failure): Failure {
  const kind = failure.message.startsWith("SyntaxError: ") ? "" : "Error: ";
  const { details, hints, retryable } = failure;
  const message = `Gateway call failed: ${kind}${failure.message}`;
  return new Failure(failure.code, message, { details, hints, retryable, cause: failure });
}
