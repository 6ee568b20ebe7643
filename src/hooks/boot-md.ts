import type { Agent } from "../agent/roster.ts";
import { createWorkspaceFiles } from "../agent/workspace-files.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import type { Hook, HookContext } from "./hook.ts";

/**
 * Has each agent do what the BOOT.md of its workspace says, one after the other, in a session that is gone afterwards.
 * What the agent answers is sent to nobody.
 */
export const bootMd: Hook = {
  name: "boot-md",
  emoji: "🚀",
  summary: "Have agents do what BOOT.md says when the gateway starts",
  events: ["gateway:startup"],
  async run(_, context) {
    const seen = new Set<string>();
    for (const agent of context.agents) {
      const workspace = context.workspaceOf(agent);
      if (seen.has(workspace)) continue;
      seen.add(workspace);
      await forget(agent, context);
      const text = await bootText(workspace, context);
      if (context.signal.aborted) return;
      if (text !== undefined) await follow(agent, text, context);
    }
  },
};

/** Ends what an earlier start had begun, and a crash let go on: each start is followed once. */
async function forget({ id }: Agent, { sessions, turns }: HookContext): Promise<void> {
  const { rows } = sessions.list({ agentId: id, where: ({ key }) => key.startsWith(keyOf(id, "")) });
  for (const { key } of rows) {
    await turns.abort({ sessionKey: key });
    await turns.exclusive(key, () => sessions.delete(key).then(() => undefined));
  }
}

async function bootText(workspace: string, { files, log }: HookContext): Promise<string | undefined> {
  const [file] = await createWorkspaceFiles(files).load(workspace, ["BOOT.md"]);
  if (file?.problem !== undefined) log.warn(`BOOT.md cannot be read: ${file.problem}`, { workspace });
  const text = file?.text?.trim() ?? "";
  if (text.length > MOST_CHARS) log.warn("BOOT.md is cut", { workspace, chars: text.length, most: MOST_CHARS });
  return text === "" ? undefined : text.slice(0, MOST_CHARS);
}

async function follow({ id: agentId }: Agent, text: string, context: HookContext): Promise<void> {
  const { turns, sessions, log, signal } = context;
  const runId = `boot-${uuid()}`;
  const sessionKey = keyOf(agentId, uuid());
  await turns.accept({
    runId,
    sessionKey,
    agentId,
    content: [{ type: "text", text: `${PROMPT}\n\n${text}` }],
    commands: false,
    origin: { channel: "boot", sender: "boot-md", scopes: ["operator.read", "operator.write"] },
  });
  const state = await turns.wait(runId, undefined, signal);
  if (signal.aborted || !state) return;
  // The built-in echo stands in where no model can be asked.
  if (state.outcome?.provider === "clawlet")
    log.warn("BOOT.md was not followed: no model is set up", { agent: agentId });
  else if (state.status === "ok") log.info("BOOT.md was followed", { agent: agentId });
  else {
    const error = (state.error ?? new Failure("failed", state.status)).shown().message;
    log.error("BOOT.md was not followed", { agent: agentId, error });
  }
  await turns.exclusive(sessionKey, () => sessions.delete(sessionKey).then(() => undefined));
}

function keyOf(agentId: string, id: string): string {
  return `agent:${agentId.toLowerCase()}:boot:${id}`;
}

const MOST_CHARS = 20_000;
const PROMPT =
  "The gateway has just started. Do what BOOT.md, which follows, says. Your answer is sent to nobody: to tell somebody " +
  "something, send it with the message tool, to a channel and a target. When that is done, or nothing is to be done, " +
  "answer NO_REPLY.";
