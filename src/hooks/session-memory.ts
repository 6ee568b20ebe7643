import { folderOf, inside } from "../host/inside.ts";
import { textOf } from "../session/message.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Entry, Transcript } from "../session/transcript.ts";
import type { Hook, HookContext } from "./hook.ts";

/** Writes the end of a conversation into the agent's `memory` folder when the session begins anew. */
export const sessionMemory: Hook = {
  name: "session-memory",
  emoji: "💾",
  summary: "Save the end of a conversation to the memory folder when a new one begins",
  events: ["command:new", "command:reset", "session:auto-reset"],
  async run(event, context) {
    if (!("row" in event)) return;
    const { row } = event;
    const agent = context.agents.find(({ id }) => id === row.agentId);
    if (!agent || row.previousSessionId === undefined) return;
    const transcript = context.sessions.transcript({ sessionId: row.previousSessionId, agentId: row.agentId });
    const said = await lastWords(transcript, context.settings.messages ?? MESSAGES);
    if (said.length > 0) await save(context.workspaceOf(agent), row, said, context);
  },
};

interface Word {
  readonly role: "user" | "assistant";
  readonly text: string;
}

/** What people and the assistant said last, oldest first; neither commands nor what tools answered. */
async function lastWords(transcript: Transcript, most: number): Promise<readonly Word[]> {
  let words: readonly Word[] = [];
  for (let offset = 0; words.length < most && offset < MOST_ENTRIES; offset += PAGE) {
    const page = await transcript.page({ limit: PAGE, offset, kinds: ["message"] });
    words = [...page.flatMap(wordOf), ...words];
    if (page.length < PAGE) break;
  }
  return words.slice(-most);
}

function wordOf(entry: Entry): readonly Word[] {
  if (entry.type !== "message" || entry.aside || entry.message.role === "toolResult") return [];
  const { role } = entry.message;
  const text = textOf(entry.message).trim();
  return text === "" || text.startsWith("/") ? [] : [{ role, text: text.slice(0, MOST_CHARS) }];
}

async function save(workspace: string, row: SessionRow, said: readonly Word[], context: HookContext): Promise<void> {
  const { clock, files, timeZone, log } = context;
  const [day = "", time = ""] = stamp(clock.now(), timeZone).split(" ");
  const slug = slugOf(said) ?? time.slice(0, 5).replace(":", "");
  const text = [
    `# Session: ${day} ${time} ${timeZone}`,
    "",
    `- **Session Key**: ${row.key}`,
    `- **Session ID**: ${row.previousSessionId ?? ""}`,
    `- **Source**: ${row.channel ?? "webchat"}`,
    "",
    "## Conversation Summary",
    "",
    ...said.map((word) => `${word.role}: ${word.text}`),
    "",
  ].join("\n");
  for (let copy = 1; copy <= MOST_COPIES; copy++) {
    const name = `memory/${day}-${slug}${copy === 1 ? "" : `-${copy}`}.md`;
    const place = await inside(files, workspace, name);
    await folderOf(files, place);
    // What is there is somebody's: it is never written over.
    if (await files.create(place.path, text)) return log.info("saved the end of a conversation", { file: name });
  }
  log.warn("a conversation was not saved: there are too many of its name", { session: row.key });
}

/** Date and time as a person reads them: `2026-11-22 05:44:12`. */
function stamp(now: number, timeZone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(now);
}

/** What the conversation was about, for the file's name: the first words of the person; undefined when they have no letters of ASCII. */
function slugOf(said: readonly Word[]): string | undefined {
  const { text = "" } = said.find(({ role }) => role === "user") ?? {};
  const words =
    text
      .slice(0, 500)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const slug = words.slice(0, 6).join("-").slice(0, 48).replace(/-$/, "");
  return slug === "" ? undefined : slug;
}

/** Messages that are saved when the configuration does not say. */
const MESSAGES = 15;
const MOST_CHARS = 8000;
const PAGE = 100;
/** How far back is looked, past what tools answered. */
const MOST_ENTRIES = 2000;
const MOST_COPIES = 50;
