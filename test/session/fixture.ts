import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { noUsage, type AssistantMessage } from "../../src/session/message.ts";
import { openSessions, type SessionsOptions } from "../../src/session/open-sessions.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import type { Entry, NewEntry } from "../../src/session/transcript.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

export const main = "agent:main:main";

/** Sessions on a scripted disk, which outlives them. */
export interface Fixture {
  readonly files: MemoryFiles;
  readonly clock: FakeClock;
  readonly logged: readonly LogRecord[];
  readonly open: (more?: Partial<SessionsOptions>) => Promise<Sessions>;
}

export function fixture(): Fixture {
  const clock = createFakeClock();
  const files = createMemoryFiles(() => clock.now());
  const logged: LogRecord[] = [];
  return {
    files,
    clock,
    logged,
    open: (more) =>
      openSessions({
        logs: createFolderLogs(files, "/state"),
        store: createFolderStore(files, "/state"),
        clock,
        log: createLogger(() => clock.now(), [(record) => logged.push(record)]),
        stateFolder: "/state",
        cwdOf: (agentId) => `/home/me/${agentId}`,
        ...more,
      }),
  };
}

export function user(text: string, timestamp = 1): NewEntry {
  return { type: "message", message: { role: "user", content: [{ type: "text", text }], timestamp } };
}

/** A command: shown, and kept from the model. */
export function aside(text: string): NewEntry {
  return { type: "message", aside: true, message: { role: "user", content: [{ type: "text", text }], timestamp: 1 } };
}

export function assistant(text: string, more: Partial<AssistantMessage> = {}): NewEntry {
  const said = { role: "assistant", content: [{ type: "text", text }], usage: noUsage, stopReason: "stop" } as const;
  return {
    type: "message",
    message: { ...said, api: "echo", provider: "clawlet", model: "echo", timestamp: 1, ...more },
  };
}

/** What entries say, in short. */
export function said(entries: readonly Entry[]): readonly string[] {
  return entries.map((entry) => {
    if (entry.type === "message")
      return entry.message.content.map((part) => (part.type === "text" ? part.text : part.type)).join("");
    return entry.type === "compaction" ? `compaction ${entry.summary}` : entry.type;
  });
}
