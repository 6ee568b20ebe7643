import { count } from "../cli/format.ts";
import { clean } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { listAt, numberAt, stringAt } from "../cli/pick.ts";
import { withGateway } from "../cli/reach.ts";
import type { Client } from "../client/client.ts";
import type { Host } from "../host/host.ts";
import { absolute, tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { randomHex } from "../kit/ids.ts";
import { command } from "./command.ts";

/** Writes a session's conversation as JSON Lines, pictures included: what `sessions import` takes. */
export const sessionsExport = command({
  path: ["sessions", "export"],
  summary: "Write a session's conversation as JSON Lines, pictures included.",
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
    withGateway(context, ["operator.admin"], async (client) => {
      const { args, host, options, output, program } = context;
      const [key = ""] = args;
      const pages = pagesOf(client, key, program);
      if (options.output === undefined) {
        for await (const lines of pages) output.raw(textOf(lines));
        return exit.ok;
      }
      const path = absolute(host, options.output);
      const writing = writePages(host, pages, { path, force: options.force });
      const written = await output.progress(`Exporting ${key}`, writing);
      if (output.json) output.data({ path, lines: written });
      else output.print(`✓ Wrote ${count(written, "line")} to ${clean(tildify(host, path))}.`);
      return exit.ok;
    }),
});

/** The lines of the conversation page by page; each picture once. */
async function* pagesOf(client: Client, key: string, program: string): AsyncGenerator<readonly string[]> {
  const pictures = new Set<string>();
  let place: Place = {};
  for (;;) {
    const page = await pageAt(client, { key, program, place });
    const lines = listAt(page, "lines").filter((line) => typeof line === "string");
    yield lines.filter((line) => {
      const [, picture] = /^\{"type":"media","name":"([0-9a-f]{64})"/.exec(line) ?? [];
      if (picture === undefined) return true;
      const isNew = !pictures.has(picture);
      pictures.add(picture);
      return isNew;
    });
    const afterSeq = numberAt(page, "next");
    if (afterSeq === undefined) return;
    const next = { afterSeq, pictures: numberAt(page, "pictures") ?? 0, sessionId: stringAt(page, "sessionId") };
    if (!isBehind(next, place))
      throw new Failure("failed", `the gateway does not get on behind entry ${afterSeq} of ${clean(key)}`);
    place = next;
  }
}

/** Where a page begins; empty for the first one. */
interface Place {
  readonly afterSeq?: number;
  readonly pictures?: number;
  readonly sessionId?: string | undefined;
}

async function pageAt(client: Client, { key, program, place }: { key: string; program: string; place: Place }) {
  try {
    return await client.call("sessions.export", { key, ...place });
  } catch (error) {
    if (!Failure.from(error).message.startsWith("No session found")) throw error;
    const hints = [`See: ${program} sessions`];
    throw new Failure("not-found", `No session found: ${clean(key)}`, { hints, cause: error });
  }
}

function isBehind({ afterSeq = 0, pictures = 0 }: Place, place: Place): boolean {
  if (place.afterSeq === undefined || afterSeq > place.afterSeq) return true;
  return afterSeq === place.afterSeq && pictures > (place.pictures ?? 0);
}

/** The file is whole, or as it was before; it is the owner's alone. Answers how many lines were written. */
async function writePages(
  { files }: Pick<Host, "files">,
  pages: AsyncIterable<readonly string[]>,
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
      for await (const lines of pages) {
        await file.append(textOf(lines));
        written += lines.length;
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

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

async function taken(work: Promise<boolean>, path: string): Promise<boolean> {
  try {
    return await work;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure("failed", `cannot write ${clean(path)}: ${reason}`, { cause: error });
  }
}
