import * as v from "valibot";
import { filesOf } from "../host/host.ts";
import { folderOf } from "../host/inside.ts";
import { Failure } from "../kit/error.ts";
import { utf8Length } from "../kit/text.ts";
import { parameters, placeOf, refuseGit, tool } from "./tool.ts";

const MOST_BYTES = 5 * 1024 * 1024;

/** Makes a file of the workspace, or replaces all of it. */
export const write = tool({
  name: "write",
  summary: "Create a file or replace all of it",
  description: "Writes a whole file of the workspace, with the folders it needs. What was in it is replaced.",
  effect: "write",
  needs: "files",
  params: parameters(
    {
      path: v.pipe(v.string(), v.description("Path of the file, relative to the workspace.")),
      content: v.pipe(v.string(), v.description("All of the new text.")),
    },
    { file_path: "path" },
  ),
  async run({ path, content }, context) {
    const { signal } = context;
    const files = filesOf(context);
    const bytes = utf8Length(content);
    if (bytes > MOST_BYTES)
      throw new Failure("invalid-request", `the content has ${bytes} bytes, more than 5 MB: write several files`);
    const place = await placeOf(context, path);
    refuseGit(place.name);
    const old = await files.stat(place.path);
    if (old && old.kind !== "file")
      throw new Failure("invalid-request", `${place.name} is no file, but a ${old.kind}: give the path of a file`);
    signal.throwIfAborted();
    await folderOf(files, place);
    await files.write(place.path, content, old ? { mode: old.mode & 0o777 } : {});
    return {
      content: [{ type: "text", text: `${old ? "Replaced" : "Created"} ${place.name} (${bytes} bytes).` }],
      details: { path: place.name, bytes, created: !old },
    };
  },
});
