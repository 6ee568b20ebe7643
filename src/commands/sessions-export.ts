import { clientOptions } from "../cli/options.ts";
import { listAt, numberAt, stringAt } from "../cli/pick.ts";
import { withGateway } from "../cli/reach.ts";
import { count } from "../cli/format.ts";
import { clean } from "../cli/layout.ts";
import type { Client } from "../client/client.ts";
import type { Host } from "../host/host.ts";
import { absolute, tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { randomHex } from "../kit/ids.ts";
import { command } from "./command.ts";

/** Writes what was said in a session as JSON Lines, a message each, oldest first. */
export const sessionsExport = command({
  path: ["sessions", "export"],
  summary: "Write what was said in a session as JSON Lines, a message each.",
  positionals: [{ name: "key", description: "The session, such as main or agent:main:work." }],
  options: {
    output: { value: "<file>", description: "Where to; standard output when left out." },
    force: { description: "Replace the file when there is one." },
    ...clientOptions,
  },
  examples: [
    { command: "sessions export main --output main.jsonl", description: "Into a file that only you can read." },
    { command: "sessions export work | grep cake", description: "Into another program." },
  ],
  run: (context) =>
    withGateway(context, ["operator.read"], async (client) => {
      const { args, host, options, output, program } = context;
      const [key = ""] = args;
      const lines = linesOf(client, key, program);
      if (options.output === undefined) {
        for await (const line of lines) output.raw(line);
        return exit.ok;
      }
      const path = absolute(host, options.output);
      const written = await writeLines(host, lines, { path, force: options.force });
      if (output.json) output.data({ path, messages: written });
      else output.print(`✓ Wrote ${count(written, "message")} to ${clean(tildify(host, path))}.`);
      return exit.ok;
    }),
});

const pageSize = 200;
/** The most that the gateway shows of one text. */
const maxChars = 500_000;

/**
 * The messages oldest first, page by page. The gateway counts pages from the newest message, so a page moves when
 * something is said meanwhile; where it really begins is seen from the total in each answer.
 */
async function* linesOf(client: Client, sessionKey: string, program: string): AsyncGenerator<string> {
  const page = (limit: number, offset: number) => client.call("chat.history", { sessionKey, limit, offset, maxChars });
  const newest = await page(1, 0);
  const sessionId = stringAt(newest, "sessionId");
  if (sessionId === undefined)
    throw new Failure("not-found", `No session found: ${clean(sessionKey)}`, { hints: [`See: ${program} sessions`] });
  let total = numberAt(newest, "totalMessages") ?? 0;
  let limit = pageSize;
  for (let done = 0; done < total;) {
    const wanted = Math.min(limit, total - done);
    const offset = total - done - wanted;
    const answer = await page(wanted, offset);
    if (stringAt(answer, "sessionId") !== sessionId)
      throw new Failure("conflict", `${clean(sessionKey)} began anew meanwhile: export it again`);
    const messages = listAt(answer, "messages");
    total = numberAt(answer, "totalMessages") ?? total;
    const begin = total - offset - messages.length;
    if (messages.length === 0 || (begin > done && limit === 1))
      throw new Failure(
        "failed",
        `the gateway left out messages from ${done + 1} on: export ${clean(sessionKey)} again`,
      );
    // Too large for one answer, which then has the newest of them; or moved on.
    if (begin > done) limit = Math.max(1, Math.min(messages.length, Math.floor(limit / 2)));
    else {
      for (const message of messages.slice(done - begin)) yield `${JSON.stringify(message)}\n`;
      done = begin + messages.length;
    }
  }
}

/** The file is whole, or as it was before; it is the owner's alone. Answers how many lines were written. */
async function writeLines(
  { files }: Pick<Host, "files">,
  lines: AsyncIterable<string>,
  { path, force }: { path: string; force: boolean },
): Promise<number> {
  // The name is taken first, so that nothing which comes into being meanwhile is overwritten.
  const made = await taken(files.create(path, "", { mode: 0o600 }), path);
  if (!made && !force)
    throw new Failure("conflict", `${clean(path)} exists: give another name, or --force to replace it`);
  const part = `${path}.${randomHex(4)}.part`;
  try {
    const file = await files.open(part);
    let written = 0;
    try {
      for await (const line of lines) {
        await file.append(line);
        written += 1;
      }
      await file.append("", { flush: true });
    } finally {
      await file.close();
    }
    await files.rename(part, path);
    return written;
  } catch (error) {
    await files.remove(part);
    if (made) await files.remove(path);
    throw error;
  }
}

async function taken(work: Promise<boolean>, path: string): Promise<boolean> {
  try {
    return await work;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure("failed", `cannot write ${clean(path)}: ${reason}`, { cause: error });
  }
}
