import { clean } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, numberAt, stringAt, textAt } from "../cli/pick.ts";
import { withGateway } from "../cli/reach.ts";
import { createSpinner } from "../cli/spinner.ts";
import type { Client } from "../client/client.ts";
import type { Files } from "../host/host.ts";
import { absolute } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { utf8Length } from "../kit/text.ts";
import { limits } from "../protocol/version.ts";
import { command } from "./command.ts";

/** Makes a session of a conversation in a file, as `sessions export` or another program of this family writes it. */
export const sessionsImport = command({
  path: ["sessions", "import"],
  summary: "Make a session of a conversation that was exported.",
  positionals: [{ name: "file", description: "What sessions export wrote, or a transcript; - reads standard input." }],
  options: {
    key: { value: "<key>", description: "The session to be made, such as work or agent:main:work." },
    agent: { value: "<id>", description: "The agent it belongs to, where its key leaves that open." },
    ...clientOptions,
    // A long conversation is judged as a whole before the last answer.
    timeout: { ...clientOptions.timeout, default: 300_000 },
  },
  examples: [
    { command: "sessions import main.jsonl --key copy", description: "Under a name that is not taken." },
    { command: "sessions import - --key copy < main.jsonl", description: "From another program." },
  ],
  async run(context) {
    const { args, host, options, output } = context;
    const { key, agent: agentId } = options;
    if (key === undefined) throw new Failure("usage", "name the session to be made, such as work, with --key");
    const [name = ""] = args;
    const fromInput = name === "-";
    const source = fromInput ? "standard input" : clean(name);
    const path = absolute(host, name);
    if (!fromInput) await mustBeFile(host.files, path, source);
    const pieces = fromInput ? inputOf(host.terminal.readInput()) : piecesOf(host.files, path);
    const made = await withGateway(context, ["operator.admin"], async (client) => {
      const spinner = createSpinner(host, `Importing ${source}`);
      const onSent = (lines: number): void => spinner.label(`Importing ${source}: line ${lines}`);
      try {
        return await send(client, linesOf(pieces), { key, agentId, onSent });
      } catch (error) {
        throw placed(Failure.from(error), source);
      } finally {
        spinner.stop();
      }
    });
    if (output.json) output.data(made);
    else output.print(`✓ Imported ${entries(numberAt(made, "entries"))} into ${textAt(made, "key") ?? clean(key)}.`);
    return exit.ok;
  },
});

function entries(number = 0): string {
  return number === 1 ? "1 entry" : `${number} entries`;
}

/** Bytes that go into one request; a line that is longer has one of its own. */
const chunkSize = 4 * 1024 * 1024;
const chunkLines = 1000;
/** What a frame has beside its lines. */
const frameRest = 4096;
const readSize = 1024 * 1024;

async function mustBeFile(files: Files, path: string, shown: string): Promise<void> {
  const stat = await files.stat(path);
  if (!stat) throw new Failure("failed", `cannot read ${shown}: there is no such file`);
  if (stat.kind !== "file") throw new Failure("failed", `cannot read ${shown}: it is no file; pipe it into - instead`);
}

interface Sending {
  readonly key: string;
  readonly agentId: string | undefined;
  /** Told how many lines are with the gateway. */
  readonly onSent: (lines: number) => void;
}

/** Sends all lines in as many requests as they take; answers what was made of them. */
async function send(client: Client, lines: AsyncIterable<string>, { key, agentId, onSent }: Sending): Promise<unknown> {
  let uploadId: string | undefined;
  let [sent, size] = [0, 0];
  let chunk: string[] = [];
  const flush = async (done: boolean): Promise<unknown> => {
    const answer = await client.call("sessions.import", { key, agentId, lines: chunk, uploadId, done });
    uploadId = stringAt(answer, "uploadId") ?? uploadId;
    onSent((sent += chunk.length));
    [chunk, size] = [[], 0];
    return answer;
  };
  for await (const line of lines) {
    const bytes = utf8Length(JSON.stringify(line)) + 1;
    if (bytes + frameRest > limits.maxPayload)
      throw new Failure("failed", `line ${sent + chunk.length + 1} is too long to be sent: ${bytes} bytes`);
    if (chunk.length > 0 && (size + bytes > chunkSize || chunk.length >= chunkLines)) await flush(false);
    chunk.push(line);
    size += bytes;
  }
  const made = await flush(true);
  if (at(made, "sessionId") === undefined) throw new Failure("failed", "the gateway did not say what it imported");
  return made;
}

/** Lines without their ends; empty ones too, so that they can be counted. */
async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
    // More than this cannot be sent: that is said of it as it is.
    if (rest.length > limits.maxPayload) break;
  }
  if (rest !== "") yield rest;
}

async function* inputOf(input: Promise<string>): AsyncGenerator<string> {
  yield (await input).replace(/^\uFEFF/, "");
}

async function* piecesOf(files: Files, path: string): AsyncGenerator<string> {
  // Leaves a byte order mark out.
  const decoder = new TextDecoder();
  for (let at = 0; ;) {
    const bytes = await files.readRange(path, at, at + readSize);
    if (bytes.length === 0) break;
    at += bytes.length;
    yield decoder.decode(bytes, { stream: true });
  }
  yield decoder.decode();
}

/** What is wrong with a line says in which file. */
function placed(failure: Failure, source: string): Failure {
  if (!/^line \d+ /.test(failure.message)) return failure;
  return new Failure(failure.code, `${source}: ${failure.message}`, { details: failure.details, cause: failure });
}
