import { codes, type Failure } from "../kit/error.ts";
import { redact } from "../kit/redact.ts";
import { clean } from "./layout.ts";
import type { Output } from "./output.ts";

/**
 * Tells a failure and answers the exit status of its code: text and what to do on stderr, or with `--json` one object on
 * stdout. The stack is for those who ask (`--verbose`), and for a fault of our own.
 */
export function report(failure: Failure, output: Output, options: { verbose: boolean }): number {
  const message = redact(failure.message);
  const hints = failure.hints.map((hint) => redact(hint));
  if (output.json) {
    const error = { code: failure.code, message, ...(hints.length > 0 ? { hints } : {}) };
    output.data({ ok: false, error });
  } else {
    for (const [index, line] of message.split("\n").entries())
      output.warn(index === 0 ? output.errorStyle.red(clean(line)) : clean(line));
    for (const hint of hints) output.warn(clean(hint));
  }
  if (options.verbose || failure.code === "internal") output.warn(redact(failure.stack ?? ""));
  return codes[failure.code].exit;
}
