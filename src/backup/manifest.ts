import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import { unfitPath } from "./archive-path.ts";

/** What is in an archive: written last, when everything is known, and the only thing that is not listed in itself. */
export const MANIFEST = "manifest.json";

const archivePath = v.pipe(
  v.string(),
  v.check((path) => unfitPath(path) === undefined, "a path that stays in the archive"),
);

const manifestSchema = v.object({
  schemaVersion: v.literal(1),
  /** ISO 8601. */
  createdAt: v.string(),
  /** The folder that everything in the archive lies in. */
  archiveRoot: archivePath,
  runtimeVersion: v.string(),
  platform: v.string(),
  options: v.object({ includeWorkspace: v.boolean(), onlyConfig: v.boolean() }),
  /** Where things came from, and where in the archive they are. */
  assets: v.pipe(
    v.array(
      v.object({
        kind: v.picklist(["state", "config", "workspace"]),
        sourcePath: v.string(),
        archivePath,
      }),
    ),
    v.maxLength(1000),
  ),
  files: v.array(
    v.object({
      path: archivePath,
      size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      executable: v.optional(v.boolean()),
    }),
  ),
  /** What was not copied though it was there, and why. */
  skipped: v.array(v.object({ path: v.string(), reason: v.string() })),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
export type ManifestFile = Manifest["files"][number];
export type Asset = Manifest["assets"][number];

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The manifest of an archive; throws for one that this program does not understand. */
export function parseManifest(text: string): Manifest {
  const value = parseJson(text);
  const parsed = v.safeParse(manifestSchema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = issue.path?.map(({ key }) => String(key)).join(".") ?? "";
  throw new Failure(
    "failed",
    `the archive's ${MANIFEST} is not one that this program wrote (${path === "" ? "no object" : path}): ` +
      "verify it with the program that made it",
  );
}
