import { short } from "../kit/amounts.ts";
/** What a status card tells. Plain data: whoever asks gathers it. */
export interface StatusCardInput {
  /** The product's name for this installation: `OpenClaw`, `Clawdbot`. */
  readonly title: string;
  readonly version: string;
  readonly commit?: string | undefined;
  /** As `provider/model`. */
  readonly model: string;
  /** The credential's name, such as `anthropic:default`; never the secret. */
  readonly profileId?: string | undefined;
  /** Tokens that the last request held; undefined when they are not known, as after a compaction. */
  readonly contextUsed?: number | undefined;
  readonly contextWindow: number;
  readonly compactions: number;
  readonly sessionKey: string;
  /** Milliseconds since 1970. */
  readonly updatedAt?: number | undefined;
  readonly now: number;
  readonly thinking: string;
  readonly queue: { readonly mode: string; readonly depth: number };
  /** Given to the model, which cannot know the time of day; left out for people. */
  readonly timeZone?: string | undefined;
}

/** A session as it is, in a few lines (cli.md 8.15), for people and for the model. */
export function statusCard(card: StatusCardInput): string {
  const commit = card.commit === undefined ? "" : ` (${card.commit})`;
  const credential = card.profileId === undefined ? "" : ` · 🔑 ${card.profileId}`;
  const updated = card.updatedAt === undefined ? "" : ` • updated ${ago(card.now - card.updatedAt)}`;
  const lines = [
    `🦞 ${card.title} ${card.version}${commit}`,
    ...(card.timeZone === undefined ? [] : [`🕒 Time: ${timeIn(card.timeZone, card.now)}`]),
    `🧠 Model: ${card.model}${credential}`,
    `📚 Context: ${contextOf(card)} · 🧹 Compactions: ${card.compactions}`,
    `🧵 Session: ${card.sessionKey}${updated}`,
    `⚙️ Runtime: direct · Think: ${card.thinking}`,
    `🪢 Queue: ${card.queue.mode} (depth ${card.queue.depth})`,
  ];
  return lines.join("\n");
}

function contextOf({ contextUsed, contextWindow }: StatusCardInput): string {
  if (contextUsed === undefined) return `?/${short(contextWindow)}`;
  const percent = contextWindow > 0 ? ` (${Math.round((contextUsed / contextWindow) * 100)}%)` : "";
  return `${short(contextUsed)}/${short(contextWindow)}${percent}`;
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes}m ago`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h ago` : `${Math.floor(minutes / 1440)}d ago`;
}

function timeIn(timeZone: string, now: number): string {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, dateStyle: "full", timeStyle: "short" });
  return `${format.format(now)} (${timeZone})`;
}
