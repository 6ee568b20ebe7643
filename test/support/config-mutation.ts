import { random, type Random } from "../config/random.ts";
import { oneOf, placesIn, planted } from "./full-config.ts";

/** A configuration gone wrong: the file's text and what lies beside it. */
export interface Mutant {
  readonly what: string;
  /** Nothing happened to the `gateway` section, nor to the file as a whole. */
  readonly gatewayIsSound: boolean;
  readonly text: string;
  readonly files: Readonly<Record<string, string>>;
}

/** One of any number of ways that this configuration can go wrong, always the same for the same seed. */
export function mutate(full: unknown, seed: number): Mutant {
  const pick = random(seed);
  const config = structuredClone(full) as Record<string, unknown>; // what is given is a configuration
  const done: string[] = [];
  const times = 1 + pick(3);
  for (let time = 0; time < times; time++) done.push(mutateValue(config, pick));
  const text = unquoted(JSON.stringify(config, null, pick(2) * 2));
  const way = pick(3) === 0 ? oneOf(pick, Object.keys(textMutations)) : "as it is";
  const file = textMutations[way]?.(text, pick) ?? text;
  const sameGateway = JSON.stringify(config["gateway"]) === JSON.stringify(pickGateway(full));
  const gatewayIsSound = file === text && sameGateway && !wholeFile.test(text);
  return { what: `${done.join(", ")}; text: ${way}`, gatewayIsSound, text: file, files: beside };
}

function pickGateway(full: unknown): unknown {
  return (full as Record<string, unknown>)["gateway"]; // what is given is a configuration
}

/** What makes a file unreadable as a whole, wherever it stands: keys that are never allowed, bottomless nesting. */
const wholeFile = /"(__proto__|constructor|prototype|\$include)":|\[{50}|(\{"a":){50}|(\s*\[){50}|(\s*\{\s*"a":){50}/;

/** What JSON cannot say is put in after it was written. */
const notJson: Readonly<Record<string, string>> = {
  "@NaN@": "NaN",
  "@Infinity@": "-Infinity",
  "@Huge@": "1e999",
  "@Long@": "9".repeat(400),
};

function unquoted(text: string): string {
  return text.replaceAll(/"(@\w+@)"/g, (whole, name: string) => notJson[name] ?? whole);
}

/** A third of the changes go where they hurt most. */
function mutateValue(config: Record<string, unknown>, pick: Random): string {
  const gateway = config["gateway"];
  const places = placesIn(pick(3) === 0 && typeof gateway === "object" ? { gateway } : config);
  if (places.length === 0) return "nothing left";
  const { holder, key } = oneOf(pick, places);
  const way = oneOf(pick, ["delete", "copy", "wrong", "wrong", "sound", "doors", "doors"] as const);
  switch (way) {
    case "delete":
      delete holder[key];
      return `delete ${key}`;
    case "copy": {
      const other = oneOf(pick, places);
      other.holder[other.key] = copied(holder[key]);
      return `copy ${key} to ${other.key}`;
    }
    case "doors":
      return openDoors(config, pick);
    case "sound":
      if (!Array.isArray(holder)) holder[`${key}2`] = copied(holder[key]);
      return `unknown ${key}2`;
    default: {
      const value = oneOf(pick, wrongValues)(pick);
      const wrongKey = Array.isArray(holder) ? key : oneOf(pick, [key, key, key, key, key, ...oddKeys]);
      // Not by assignment, which would take `__proto__` for the prototype.
      Object.defineProperty(holder, wrongKey, { value, enumerable: true, configurable: true, writable: true });
      return `${wrongKey} = ${JSON.stringify(value)?.slice(0, 60)}`;
    }
  }
}

/** A secret under a name that says nothing of it is one that nobody could know: copies hold none. */
function copied(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null).replaceAll(planted, "copied")) as unknown;
}

const oddKeys = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "",
  "a.b",
  "a[0]",
  "\u202e",
  "\ud800",
  "$include",
];

const wrongValues: readonly ((pick: Random) => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => "@NaN@",
  () => "@Infinity@",
  () => "@Huge@",
  () => "@Long@",
  () => "",
  () => "   ",
  () => "0.0.0.0",
  () => "::",
  () => "true",
  () => "18789",
  () => [],
  () => ({}),
  () => [[[]]],
  () => ["x", 1, null, {}],
  () => "🦞".repeat(50),
  () => "\u0000\u202e\u2028",
  (pick) => "x".repeat(10 ** (1 + pick(5))),
  (pick) => nested(oneOf(pick, [10, 95, 105, 400]), pick(2) === 0),
  () => ({ ["__proto__"]: { bind: "lan" }, constructor: { prototype: { mode: "none" } } }),
  () => ({ $include: "./self.json5" }),
  () => ({ $include: "./loop-a.json5" }),
  () => ({ $include: "../../../etc/passwd" }),
  () => ({ $include: "/etc/shadow" }),
  () => ({ $include: ["./part.json5", "./missing.json5", "./broken.json5"] }),
  () => ({ $include: 7 }),
  () => ({ $include: "./part.json5", bind: "lan" }),
  () => "${GIVEN}",
  () => "${MISSING}",
  () => "${GIVEN} and $${GIVEN} and ${",
  () => "${__proto__}",
];

/** Values that are sound each by themselves, and that together may say: let everybody in. */
function openDoors(config: Record<string, unknown>, pick: Random): string {
  const gateway = (config["gateway"] ??= {});
  if (typeof gateway !== "object" || gateway === null) return "no doors left";
  const doors = gateway as Record<string, unknown>; // it has keys
  doors["bind"] = oneOf(pick, ["loopback", "lan", "tailnet", "auto", "custom"]);
  doors["customBindHost"] = oneOf(pick, ["0.0.0.0", "192.168.1.5", "127.0.0.1", "10.9.9.9", "::1", "::", "nobody"]);
  const token = oneOf(pick, [
    undefined,
    "",
    " ",
    `${planted}-other`,
    `${planted}-another`,
    "${GIVEN_SECRET}",
    "${MISSING}",
  ]);
  const password = oneOf(pick, [undefined, undefined, "", `${planted}-password`]);
  const mode = oneOf(pick, [undefined, undefined, "none", "token", "token", "password", "trusted-proxy"]);
  const allowed = { userHeader: "x-user", allowLoopback: true };
  const trustedProxy = oneOf(pick, [undefined, { userHeader: "x-user" }, allowed, {}]);
  doors["auth"] = { mode, token, password, trustedProxy };
  if (pick(2) === 0) doors["trustedProxies"] = [];
  doors["tailscale"] = { mode: oneOf(pick, ["off", "off", "off", "serve", "funnel"]) };
  return `doors ${JSON.stringify(doors["bind"])} ${mode ?? "unset"} ${JSON.stringify(token ?? null)}`;
}

function nested(depth: number, asList: boolean): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < depth; level++) value = asList ? [value] : { a: value };
  return value;
}

const textMutations: Readonly<Record<string, (text: string, pick: Random) => string>> = {
  truncated: (text, pick) => text.slice(0, pick(text.length)),
  "without its beginning": (text, pick) => text.slice(pick(text.length)),
  "some bytes flipped": (text, pick) => {
    const bytes = new TextEncoder().encode(text);
    for (let time = 0; time <= pick(8); time++) bytes[pick(bytes.length)] = pick(256);
    const flipped = new TextDecoder().decode(bytes);
    return namesIn(flipped) === namesIn(text) ? flipped : flipped.replaceAll(planted, "flipped");
  },
  "binary garbage": (_, pick) => new TextDecoder().decode(Uint8Array.from({ length: 1 + pick(3000) }, () => pick(256))),
  "a byte order mark": (text) => `\ufeff${text}`,
  comments: (text, pick) =>
    `// one\n${text.replace(/\n/, "/* two */\n")}${oneOf(pick, ["// end", "/* never ends", "#"])}`,
  "twice in one file": (text) => text + text,
  "nothing at all": () => "",
  "white space": () => " \n\t\r\n",
  "zero bytes": (_, pick) => "\0".repeat(1 + pick(5000)),
  "brackets without end": (_, pick) => oneOf(pick, ["[", "{a:", '{"a":']).repeat(10 ** (1 + pick(4))),
  "only a word": (_, pick) => oneOf(pick, ["null", "true", "7", '"text"', "[]", "{}", "undefined", "NaN"]),
  "a key said twice": (text) => text.replace("{", '{"gateway":{"bind":"lan","auth":{"mode":"none"}},'),
  "a key said twice, at the end": (text) =>
    `${text.slice(0, text.lastIndexOf("}"))},"gateway":{"mode":"local","bind":"lan"}}`,
  "very large": (text, pick) => (pick(10) === 0 ? `${text}${" ".repeat(2 * 1024 * 1024)}` : text),
};

/** As with copies: below a name that was hit lies a secret that nobody could know. */
function namesIn(text: string): string {
  return (text.match(/"[^"]*"\s*:/g) ?? []).join();
}

const folder = "/home/me/.clawdbot";

/** What the includes find, or do not. */
const beside: Readonly<Record<string, string>> = {
  [`${folder}/self.json5`]: '{ $include: "./self.json5" }',
  [`${folder}/loop-a.json5`]: '{ $include: "./loop-b.json5" }',
  [`${folder}/loop-b.json5`]: '{ $include: "./loop-a.json5" }',
  [`${folder}/part.json5`]: '{ mode: "none", bind: "lan", one: 1 }',
  [`${folder}/broken.json5`]: "{ bind: ",
  "/etc/passwd": '{ "bind": "lan" }',
  "/etc/shadow": `{ "token": "${planted}-shadow" }`,
};
