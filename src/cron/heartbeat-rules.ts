import type { HeartbeatSettings } from "./heartbeat-settings.ts";

/** Whether a HEARTBEAT.md asks for nothing: only blank lines, headings, comments and empty list items (cli.md 8.10). */
export function asksNothing(text: string): boolean {
  const shown = text.replaceAll(/<!--[^]*?-->/g, "");
  return shown.split("\n").every((line) => /^\s*(#{1,6}(\s.*)?|[-*+]\s*(\[[ xX]?\])?)?\s*$/.test(line));
}

/** Whether a moment is within the hours in which an agent looks after things; hours may go over midnight. */
export function isActive(hours: HeartbeatSettings["activeHours"], now: number, timeZone: string): boolean {
  if (!hours) return true;
  const [start, end] = [minutesOf(hours.start), minutesOf(hours.end)];
  const minute = minuteOfDay(now, hours.timezone ?? timeZone) ?? minuteOfDay(now, timeZone) ?? 0;
  return start < end ? start <= minute && minute < end : minute >= start || minute < end;
}

/**
 * What of an answer people are to read: nothing when it says that all is well and hardly more, and otherwise the text
 * without the sign that it does.
 */
export function withoutAck(text: string, maxChars: number): string {
  const plain = text
    .trim()
    .replaceAll(/^(\*\*|<b>)?HEARTBEAT_OK(\*\*|<\/b>)?[.!]?|HEARTBEAT_OK[.!]?$/g, "")
    .trim();
  if (plain === text.trim()) return plain;
  return plain.length <= maxChars ? "" : plain;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

function minuteOfDay(now: number, timeZone: string): number | undefined {
  try {
    const format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return minutesOf(format.format(now));
  } catch {
    return undefined; // the configured name is no zone that this system knows
  }
}
