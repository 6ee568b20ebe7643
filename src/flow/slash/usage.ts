import type { LedgerRow } from "../../budget/budget.ts";
import { dollars, short } from "../../kit/amounts.ts";
import { quoted, settingScope } from "./arguments.ts";
import type { SlashCall, SlashCommand } from "./slash.ts";

export const usage: SlashCommand = {
  name: "usage",
  summary: "Show what was used, or set what is shown under each answer.",
  category: "options",
  usage: "off|tokens|full|cost",
  scope: settingScope,
  sessionOnly: true,
  async run(call) {
    const { args, row, context } = call;
    if (args === "") return { reply: await summary(call) };
    const footer = footers.find((each) => each === args.toLowerCase());
    if (footer === undefined)
      return { reply: `Unrecognized usage footer ${quoted(args)}. Valid footers: ${footers.join(", ")}.` };
    await context.sessions.change(row.key, () => ({ responseUsage: footer }), "settings");
    return { reply: `⚙️ Usage footer: ${footer}.` };
  },
};

const footers = ["off", "tokens", "full", "cost"] as const;
const DAY_MS = 24 * 3600 * 1000;

async function summary({ row, context: { budget, clock } }: SlashCall): Promise<string> {
  const until = clock.now() + 1;
  const [session, day, month] = await Promise.all([
    budget.totals({ since: row.startedAt, until, sessionKey: row.key }),
    budget.totals({ since: until - DAY_MS, until }),
    budget.totals({ since: until - 30 * DAY_MS, until }),
  ]);
  return [
    "📊 Usage",
    `Session: ${sum(session)}`,
    `Last 24 hours: ${sum(day)}`,
    `Last 30 days: ${sum(month)}`,
    `Footer: ${row.responseUsage ?? "off"}. Options: ${footers.join(", ")}.`,
  ].join("\n");
}

function sum(rows: readonly LedgerRow[]): string {
  const total = (of: (row: LedgerRow) => number): number => rows.reduce((so, row) => so + of(row), 0);
  const input = total(({ usage }) => usage.input + usage.cacheRead + usage.cacheWrite);
  const output = total(({ usage }) => usage.output);
  return `${short(input)} in / ${short(output)} out · ${dollars(total(({ usage }) => usage.cost.total))}`;
}
