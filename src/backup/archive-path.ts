import { Failure } from "../kit/error.ts";
import { utf8Length } from "../kit/text.ts";

/** Why a path can be in no backup, or undefined when it can: any system must be able to have it, and stay below a folder. */
export function unfitPath(path: string): string | undefined {
  if (path === "") return "it is empty";
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) return "it has a control character in it";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "it is absolute";
  if (path.includes("\\")) return "it has a backslash in it";
  if (utf8Length(path) > MAX_PATH) return `it is longer than ${MAX_PATH} bytes`;
  const parts = path.split("/");
  if (parts.length > MAX_DEPTH) return `it is deeper than ${MAX_DEPTH} folders`;
  if (parts.some((part) => part === ".." || part === "." || part === "")) return "it goes up, or has an empty part";
  if (parts.some((part) => utf8Length(part) > 255)) return "it has a name of more than 255 bytes in it";
  return undefined;
}

/** The path of an archive's entry, when it stays below the folder that the archive is unpacked in (threat M: tar slip). */
export function checkedPath(given: string): string {
  const path = given.replace(/^(\.\/)+/, "").replace(/\/$/, "");
  const why = unfitPath(path);
  if (why === undefined) return path;
  throw new Failure(
    "failed",
    `the archive has a path that leads astray: ${JSON.stringify(given.slice(0, 200))}: ${why}; nothing was taken from it`,
  );
}

const MAX_PATH = 1024;
const MAX_DEPTH = 64;
