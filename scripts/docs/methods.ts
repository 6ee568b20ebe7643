import { methods } from "../../src/methods/index.ts";
import type { Method } from "../../src/methods/method.ts";
import { code, fence, linkTo, page, prose, table } from "./markdown.ts";
import { hasNoFields, shapeLines } from "./schema.ts";

const all: readonly Method[] = methods;

/** The page of RPC methods. */
export function methodsPage(): string {
  return page([
    "# Methods",
    "What a client may ask over the WebSocket, and `clawlet gateway call <method> --params <json>` from a shell. The scope is what the caller must hold; `operator.admin` holds every scope, and `operator.write` holds `operator.read`. A name ending in `?` may be left out. Answers may carry more fields than are listed.",
    table(
      ["method", "scope", "does"],
      all.map((method) => [linkTo(method.name), scopeOf(method), prose(method.summary)]),
    ),
    ...all.flatMap((method) => [
      `## ${method.name}`,
      prose(method.summary),
      facts(method),
      ...(hasNoFields(method.params)
        ? ["It takes no parameters."]
        : ["Parameters:", fence("text", shapeLines(method.params, "input"))]),
      "Result:",
      fence("text", shapeLines(method.result, "output")),
    ]),
  ]);
}

function facts(method: Method): string {
  return [
    `Scope: ${scopeOf(method)}.`,
    ...(method.roles ? [`Role: ${method.roles.map(code).join(", ")}.`] : []),
    ...(method.idempotency === "required"
      ? ["It needs an `idempotencyKey`: the same one is answered from memory."]
      : []),
    ...(method.idempotency === "optional" ? ["The same `idempotencyKey`, if given, is answered from memory."] : []),
    ...(method.unlisted ? ["It is not in `hello-ok.features.methods`."] : []),
  ].join(" ");
}

function scopeOf({ scope }: Method): string {
  if (typeof scope === "function") return `${code("operator.write")} or more, by the parameters`;
  return scope === "none" ? "none" : code(scope);
}
