import type { ChannelKind, Credential } from "../channels/channel.ts";
import type { ChannelEntry } from "../channels/index.ts";
import { configSchema } from "./schema.ts";
import { helpOf, type Shape, shapeOf } from "./shape.ts";

/** The shape of the whole configuration with the settings of these networks, whose code it loads. */
export async function shapeWithNetworks(networks: readonly ChannelEntry[]): Promise<Shape> {
  const sections = await Promise.all(
    networks.map(async (entry) => [entry.id, networkShape(await entry.load())] as const),
  );
  const whole = shapeOf(configSchema);
  const { pipe } = whole.entries?.["channels"] ?? {};
  const channels: Shape = { type: "optional", wrapped: object(Object.fromEntries(sections)), ...(pipe && { pipe }) };
  return { ...whole, entries: { ...whole.entries, channels } };
}

/** The settings of one account of a network. */
export function accountShapes({ settings, credentials }: ChannelKind): Readonly<Record<string, Shape>> {
  const entries = { ...shapeOf(settings).entries };
  for (const credential of credentials) {
    const { key, file } = credential;
    entries[key] = credentialShape(entries[key], credential);
    if (file !== undefined) entries[file] = described(text, `A file with ${key} in it.`);
  }
  return entries;
}

function networkShape(kind: ChannelKind): Shape {
  const account = accountShapes(kind);
  const accounts: Shape = { type: "optional", wrapped: { type: "record", value: object(account) } };
  const several = described(accounts, "More accounts by name: what is set here is theirs, the rest they share.");
  return described({ type: "optional", wrapped: object({ ...account, accounts: several }) }, `${kind.label}.`);
}

function credentialShape(shape: Shape = text, credential: Credential): Shape {
  const told = helpOf(shape) === undefined ? described(shape, credential.help) : shape;
  if (credential.public) return told;
  return { ...told, pipe: [...(told.pipe ?? []), { kind: "metadata", type: "metadata", metadata: { secret: true } }] };
}

function described(shape: Shape, description: string): Shape {
  return { ...shape, pipe: [...(shape.pipe ?? []), { kind: "metadata", type: "description", description }] };
}

function object(entries: Readonly<Record<string, Shape>>): Shape {
  return { type: "object", entries };
}

const text: Shape = { type: "optional", wrapped: { type: "string" } };
