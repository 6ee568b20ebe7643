import { queueModes, type QueueSettings } from "../../session/sessions.ts";
import { quoted, settingScope } from "./arguments.ts";
import type { SlashCommand } from "./slash.ts";

export const queue: SlashCommand = {
  name: "queue",
  summary: "Show or set what becomes of messages that come during a run.",
  category: "options",
  usage: "collect|followup|steer|interrupt|default [debounce:2s] [cap:20] [drop:summarize|old|new]",
  scope: settingScope,
  sessionOnly: true,
  async run({ args, row, context }) {
    if (args === "") {
      const { mode, debounceMs, cap, drop } = context.queue(row);
      const current = `Current queue settings: mode=${mode}, debounce=${debounceMs}ms, cap=${cap}, drop=${drop}.`;
      return { reply: `${current}\n${options}` };
    }
    if (["default", "reset"].includes(args.toLowerCase())) {
      await context.sessions.change(row.key, () => ({ queue: undefined }), "settings");
      return { reply: "⚙️ Queue settings reset to default." };
    }
    const read = args.split(/\s+/).map(readWord);
    const problems = read.flatMap((each) => ("problem" in each ? [each.problem] : []));
    if (problems.length > 0) return { reply: problems.join("\n") };
    const parts = read.flatMap((each) => ("problem" in each ? [] : [each]));
    const changes: Partial<QueueSettings> = Object.assign({}, ...parts.map(({ settings }) => settings));
    await context.sessions.change(row.key, (now) => ({ queue: { ...now.queue, ...changes } }), "settings");
    return { reply: parts.map(({ said }) => `⚙️ ${said}.`).join(" ") };
  },
};

const drops = ["summarize", "old", "new"] as const;
const options = `Options: modes ${queueModes.join(", ")}, default; debounce:<ms|s|m>, cap:<n>, drop:${drops.join("|")}.`;

const MAX_DEBOUNCE_MS = 10 * 60_000;
const MAX_CAP = 1000;

type Read = { readonly settings: Partial<QueueSettings>; readonly said: string } | { readonly problem: string };

function readWord(word: string): Read {
  const [name = "", value = ""] = word.toLowerCase().split(":", 2);
  if (word.includes(":") && name === "debounce") return readDebounce(value);
  if (word.includes(":") && name === "cap") return readCap(value);
  if (word.includes(":") && name === "drop") return readDrop(value);
  const mode = queueModes.find((each) => each === word.toLowerCase());
  return mode
    ? { settings: { mode }, said: `Queue mode set to ${mode}` }
    : { problem: `Unrecognized queue mode ${quoted(word)}. Valid modes: ${queueModes.join(", ")}.` };
}

function readDebounce(value: string): Read {
  const [, amount, unit = "ms"] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(value) ?? [];
  const debounceMs = Math.round(Number(amount) * (unit === "m" ? 60_000 : unit === "s" ? 1000 : 1));
  return debounceMs <= MAX_DEBOUNCE_MS
    ? { settings: { debounceMs }, said: `Queue debounce set to ${debounceMs}ms` }
    : { problem: `Invalid debounce ${quoted(value)}. Write a time up to 10m, such as debounce:1500ms or debounce:2s.` };
}

function readCap(value: string): Read {
  const cap = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  return cap >= 1 && cap <= MAX_CAP
    ? { settings: { cap }, said: `Queue cap set to ${cap}` }
    : { problem: `Invalid cap ${quoted(value)}. Write a whole number from 1 to ${MAX_CAP}, such as cap:20.` };
}

function readDrop(value: string): Read {
  const drop = drops.find((each) => each === value);
  return drop
    ? { settings: { drop }, said: `Queue drop set to ${drop}` }
    : { problem: `Invalid drop ${quoted(value)}. Write one of ${drops.map((each) => `drop:${each}`).join(", ")}.` };
}
