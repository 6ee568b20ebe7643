import * as v from "valibot";
import { addressOf } from "../flow/address.ts";
import { agentParam, keyParam, textParam } from "../flow/params.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { firstWords } from "../session/words.ts";
import { method } from "./method.ts";

export const chatToolTitleMethods = [
  method({
    name: "chat.toolTitles",
    scope: "operator.write",
    summary: "Short titles for tool calls, from their names and arguments alone: no model is asked.",
    params: () =>
      v.object({
        sessionKey: keyParam,
        agentId: agentParam,
        items: v.pipe(
          v.array(
            v.object({
              id: v.pipe(textParam, v.maxLength(64)),
              name: v.pipe(textParam, v.maxLength(200)),
              input: v.pipe(
                textParam,
                v.maxLength(4000),
                v.description("The arguments: JSON, or the beginning of it."),
              ),
            }),
          ),
          v.minLength(1),
          v.maxLength(24),
        ),
      }),
    result: () =>
      v.object({
        titles: v.pipe(
          v.record(v.string(), v.string()),
          v.description("By id. A call whose arguments do not say what it is for has none."),
        ),
      }),
    run({ app, params }) {
      addressOf(app, params.sessionKey, params.agentId);
      const titles = params.items.flatMap(({ id, name, input }) => {
        const title = titleOf(name, input);
        return title === undefined ? [] : [[id, title] as const];
      });
      return { titles: Object.fromEntries(titles) };
    },
  }),
] as const;

const maxTitle = 80;

/** Arguments that say what a call is for, the most telling first. */
const telling = ["description", "command", "cmd", "query", "pattern", "url", "path", "file_path", "message", "text"];

function titleOf(name: string, input: string): string | undefined {
  const args = parseJson(input);
  if (!isObject(args)) return undefined;
  const texts = telling.map((key) => args[key]).filter((value) => typeof value === "string");
  const purpose = texts.map((text) => firstWords(text, maxTitle)).find((words) => words !== "");
  return purpose === undefined ? undefined : firstWords(`${spoken(name)}: ${purpose}`, maxTitle);
}

/** `web_search` and `webSearch` as `Web search`. */
function spoken(name: string): string {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
