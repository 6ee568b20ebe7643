import { configSchema } from "../../src/config/schema.ts";
import { actions, bare, metadataOf, type Shape, shapeOf } from "../../src/config/shape.ts";
import { isObject } from "../../src/kit/json.ts";
import type { Random } from "../config/random.ts";

/** What every secret of a full configuration begins with: text that must never be seen again. */
export const planted = "PLANTED-hunter2";

/** A configuration with a value for every key that the schema knows, all of them sound. */
export function fullConfig(isSound: (config: unknown) => readonly string[]): FullConfig {
  let secrets = 0;
  const valueOf = (shape: Shape, key: string, secret: boolean): unknown => {
    const inner = bare(shape);
    const isSecret = secret || metadataOf(shape).secret === true;
    const options = inner.options ?? [];
    // Of a text or an object, the object: it has more keys.
    const first = options.find((option) => typeof option !== "string" && option.entries) ?? options[0];
    if (first !== undefined) return typeof first === "string" ? first : valueOf(first, key, isSecret);
    if (inner.entries) {
      const below = Object.entries(inner.entries).map(([name, child]) => [name, valueOf(child, name, isSecret)]);
      return Object.fromEntries(below);
    }
    if (inner.item) return [valueOf(inner.item, key, isSecret)];
    if (inner.value) return { one: valueOf(inner.value, "one", isSecret) };
    if (isSecret) return `${planted}-${++secrets}`;
    switch (inner.type) {
      case "boolean":
        return true;
      case "number":
        return numberFor(shape);
      case "unknown":
        return { one: key };
      default:
        return textFor(key);
    }
  };
  const full = valueOf(shapeOf(configSchema), "", false) as FullConfig; // the schema is an object's
  Object.assign(full.gateway, { mode: "local", bind: "loopback" });
  Object.assign(full.gateway.auth, { mode: "token" });
  Object.assign(full.gateway.tailscale, { mode: "off" });
  for (const path of isSound(full)) throw new Error(`the full configuration has a wrong value at ${path}`);
  return full;
}

/** As much of it as its reader may rely on. */
export interface FullConfig extends Record<string, unknown> {
  readonly gateway: { readonly auth: object; readonly tailscale: object };
}

function numberFor(shape: Shape): number {
  const least = actions(shape).find(({ type }) => type === "min_value")?.requirement;
  return typeof least === "number" ? Math.max(least, 1) : 1;
}

function textFor(key: string): string {
  return texts[key] ?? "some text";
}

/** Texts that must have a form. */
const texts: Readonly<Record<string, string>> = {
  start: "08:00",
  end: "22:00",
  path: "/some/path",
  customBindHost: "192.168.1.5",
  basePath: "/ui",
  domain: "openclaw.internal.",
  trustedProxies: "10.0.0.0/8",
  autoApproveCidrs: "192.168.1.0/24",
  certPath: "~/cert.pem",
  keyPath: "~/key.pem",
  caPath: "~/ca.pem",
};

/** Every place of a configuration, with its holder. */
export function placesIn(value: unknown, found: Placed[] = []): readonly Placed[] {
  if (!Array.isArray(value) && !isObject(value)) return found;
  const holder = value as Record<string, unknown>; // it has keys
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    placesIn(holder[key], found);
  }
  return found;
}

export interface Placed {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** One of a list that is not empty. */
export function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T; // the index is below the length
}
