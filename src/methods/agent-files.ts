import * as v from "valibot";
import { workspaceOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { requireAgent } from "../flow/address.ts";
import { textParam } from "../flow/params.ts";
import { filesOf } from "../host/host.ts";
import { folderOf, inside, type Inside } from "../host/inside.ts";
import { join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { utf8Length } from "../kit/text.ts";
import { method } from "./method.ts";

/** The files that tell an agent who it is, and what it remembers. Nothing else of a workspace is reached here. */
const names = [
  "AGENTS.md",
  "SOUL.md",
  "TOOLS.md",
  "IDENTITY.md",
  "USER.md",
  "HEARTBEAT.md",
  "BOOTSTRAP.md",
  "MEMORY.md",
] as const;
type Name = (typeof names)[number];

/** Not there once the first conversation is over, and as long as nothing is remembered. */
const comesAndGoes: ReadonlySet<Name> = new Set<Name>(["BOOTSTRAP.md", "MEMORY.md"]);

const mostBytes = 1024 * 1024;

const agentId = v.pipe(textParam, v.maxLength(128));
const name = v.pipe(textParam, v.maxLength(128), v.description(`One of ${names.join(", ")}.`));
const file = v.object({
  name: v.string(),
  path: v.string(),
  missing: v.boolean(),
  expectedAbsent: v.optional(v.boolean()),
  size: v.optional(v.number()),
  updatedAtMs: v.optional(v.number()),
  content: v.optional(v.string()),
});
const where = { agentId: v.string(), workspace: v.string() };

export const agentFileMethods = [
  method({
    name: "agents.files.list",
    scope: "operator.read",
    summary: "The files that tell an agent who it is, without their texts.",
    params: () => v.object({ agentId }),
    result: () => v.object({ ...where, files: v.array(file) }),
    async run({ app, params }) {
      const place = placeOf(app, params.agentId);
      return { ...place, files: await Promise.all(names.map((each) => describe(app, place.workspace, each))) };
    },
  }),
  method({
    name: "agents.files.get",
    scope: "operator.read",
    summary: "One of an agent's files, with its text.",
    params: () => v.object({ agentId, name }),
    result: () => v.object({ ...where, file }),
    async run({ app, params }) {
      const place = placeOf(app, params.agentId);
      const known = nameOf(params.name);
      const described = await describe(app, place.workspace, known);
      if (described.missing) return { ...place, file: described };
      const files = filesOf(app.host);
      const { path } = await inside(files, place.workspace, known);
      return { ...place, file: { ...described, content: (await files.read(path)) ?? "" } };
    },
  }),
  method({
    name: "agents.files.set",
    scope: "operator.admin",
    summary: "Replaces one of an agent's files; it is read with the next message.",
    params: () => v.object({ agentId, name, content: v.string() }),
    result: () => v.object({ ok: v.literal(true), ...where, file }),
    async run({ app, params: { content, ...params } }) {
      const files = filesOf(app.host);
      const place = placeOf(app, params.agentId);
      const known = nameOf(params.name);
      const bytes = utf8Length(content);
      if (bytes > mostBytes) throw new Failure("invalid-request", `${known} would have ${bytes} bytes: at most 1 MB`);
      await files.makeFolder(place.workspace);
      const target = await inside(files, place.workspace, known);
      const old = await fileAt(app, target);
      await folderOf(files, target);
      await files.write(target.path, content, old ? { mode: old.mode & 0o777 } : {});
      return { ok: true as const, ...place, file: { ...(await describe(app, place.workspace, known)), content } };
    },
  }),
] as const;

function placeOf(app: App, id: string): { agentId: string; workspace: string } {
  const agent = requireAgent(app, id);
  return { agentId: agent.id, workspace: workspaceOf(agent, app.config.current().value, app) };
}

function nameOf(written: string): Name {
  const found = names.find((each) => each === written);
  if (found) return found;
  throw new Failure("invalid-request", `unsupported file ${JSON.stringify(written)}: use one of ${names.join(", ")}`);
}

async function describe(app: App, workspace: string, each: Name): Promise<v.InferInput<typeof file>> {
  const files = filesOf(app.host);
  const path = join(workspace, each);
  const missing = { name: each, path, missing: true, ...(comesAndGoes.has(each) ? { expectedAbsent: true } : {}) };
  try {
    const stat = await fileAt(app, await inside(files, workspace, each));
    if (!stat) return missing;
    return { name: each, path, missing: false, size: stat.size, updatedAtMs: Math.trunc(stat.modifiedAt) };
  } catch (error) {
    // No workspace yet, or nothing that an agent would read: a link out of it, a folder. Writing there says which.
    if (error instanceof Failure) return missing;
    throw error;
  }
}

async function fileAt({ host }: App, { path, name: shown }: Inside) {
  const stat = await filesOf(host).stat(path);
  if (!stat) return undefined;
  if (stat.kind !== "file")
    throw new Failure("invalid-request", `${shown} is no file, but a ${stat.kind}: move it away`);
  if (stat.size > mostBytes) throw new Failure("invalid-request", `${shown} has ${stat.size} bytes: at most 1 MB`);
  return stat;
}
