import {
  authReasons,
  deviceReasons,
  identityRequired,
  originRefused,
  pageIdentityRequired,
  pairingRequired,
  rateLimited,
} from "../../src/gateway/refusals.ts";
import { codeMeanings, codes, exit, exitMeanings, type Failure } from "../../src/kit/error.ts";
import { isObject } from "../../src/kit/json.ts";
import { closes } from "../../src/protocol/close.ts";
import { code, page, prose, table } from "./markdown.ts";

/** The page of everything that says no: error codes, refusals of a connect, close codes, exit statuses. */
export function errorsPage(): string {
  return page([
    "# Errors",
    "An error is named once, and translated where it leaves the program: to the wire, to HTTP, to an exit status.",
    "## Error codes",
    "In a response, `error.code` is the name on the wire, `error.retryable` says whether trying again may help, and `error.details` has more where there is more. A single error may know better than this table whether it can be retried.",
    table(
      ["error", "on the wire", "HTTP", "exit", "retry", "means"],
      entries(codes).map(([name, { wire, http, exit: status, retry }]) => [
        code(name),
        code(wire),
        String(http),
        String(status),
        retry ? "yes" : "no",
        prose(codeMeanings[name]),
      ]),
    ),
    "## Refused connects",
    "Why `connect` was refused, in `error.details`: `code`, and for secrets `authReason` and `recommendedNextStep`.",
    table(
      ["code", "reason", "next step", "says"],
      [
        ...entries(authReasons).map(([reason, { code: name, next, text }]) => [
          code(name),
          code(reason),
          code(next),
          prose(text),
        ]),
        ...refusals().map(({ message, details }) => [
          code(textAt(details, "code")),
          "",
          textAt(details, "recommendedNextStep") && code(textAt(details, "recommendedNextStep")),
          prose(message),
        ]),
        ...entries(deviceReasons).map(([reason, { code: name, text }]) => [code(name), code(reason), "", prose(text)]),
      ],
    ),
    "## Close codes",
    "Why the gateway closed a socket. A refused connect is closed with 1008 and the message as the reason.",
    table(
      ["code", "reason", "when"],
      entries(closes).map(([, { code: number, reason, when }]) => [String(number), reason, prose(when)]),
    ),
    "## Exit statuses",
    table(
      ["status", "means"],
      entries(exit).map(([name, status]) => [String(status), prose(exitMeanings[name])]),
    ),
  ]);
}

/** The refusals that are not in a table, as they are made. */
function refusals(): readonly Failure[] {
  const request = {
    requestId: "<id>",
    deviceId: "<id>",
    publicKey: "",
    clientId: "",
    clientMode: "",
    role: "operator",
    roles: ["operator"],
    scopes: [],
    silent: false,
    isRepair: false,
    ts: 0,
  } as const;
  const reasons = ["not-paired", "scope-upgrade", "role-upgrade", "metadata-upgrade"] as const;
  return [
    rateLimited(0),
    identityRequired(),
    pageIdentityRequired(),
    originRefused(""),
    ...reasons.map((reason) => pairingRequired(reason, request, {})),
  ];
}

function textAt(details: unknown, key: string): string {
  const value = isObject(details) ? details[key] : undefined;
  return typeof value === "string" ? value : "";
}

/** The entries of a table, its keys still known by name. */
function entries<T extends object>(table: T): readonly (readonly [keyof T & string, T[keyof T]])[] {
  return Object.entries(table) as [keyof T & string, T[keyof T]][];
}
