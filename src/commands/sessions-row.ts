import { ago } from "../cli/format.ts";
import { short } from "../kit/amounts.ts";
import { at, numberAt, textAt } from "../cli/pick.ts";

/** The fields that scripts know (cli.md 8.5). */
export function rowJson(row: unknown, now: number): Readonly<Record<string, unknown>> {
  const updatedAt = numberAt(row, "updatedAt");
  return {
    key: at(row, "key"),
    kind: at(row, "kind"),
    updatedAt: updatedAt ?? null,
    ageMs: updatedAt === undefined ? null : Math.max(0, now - updatedAt),
    sessionId: at(row, "sessionId"),
    abortedLastRun: at(row, "abortedLastRun") === true,
    inputTokens: numberAt(row, "inputTokens") ?? null,
    outputTokens: numberAt(row, "outputTokens") ?? null,
    totalTokens: numberAt(row, "totalTokens") ?? null,
    model: at(row, "model") ?? null,
    contextTokens: numberAt(row, "contextTokens") ?? null,
  };
}

/** A row for a person: key, age, model, tokens and the share of the context they take, flags. */
export function rowCells(row: unknown, now: number): readonly string[] {
  return [
    textAt(row, "key") ?? "-",
    ago(now, numberAt(row, "updatedAt")),
    [textAt(row, "modelProvider"), textAt(row, "model")].filter(Boolean).join("/") || "-",
    tokensOf(row),
    flagsOf(row),
  ];
}

function tokensOf(row: unknown): string {
  const [used, room] = [numberAt(row, "totalTokens"), numberAt(row, "contextTokens")];
  if (used === undefined) return "-";
  return room ? `${short(used)}/${short(room)} (${Math.round((used / room) * 100)}%)` : short(used);
}

function flagsOf(row: unknown): string {
  const thinking = textAt(row, "thinkingLevel");
  return [
    ...(at(row, "hasActiveRun") === true ? ["running"] : []),
    ...(at(row, "abortedLastRun") === true ? ["aborted"] : []),
    ...(textAt(row, "status") === "failed" ? ["failed"] : []),
    ...(thinking === undefined ? [] : [`think:${thinking}`]),
    ...(textAt(row, "modelOverride") === undefined ? [] : ["own-model"]),
    ...(at(row, "pinned") === true ? ["pinned"] : []),
    ...(at(row, "archived") === true ? ["archived"] : []),
  ].join(" ");
}
