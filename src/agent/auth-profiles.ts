import type { Host } from "../host/host.ts";
import { dirname, join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { isObject, parseJson } from "../kit/json.ts";

/**
 * Keeps an API key as the main agent's `<provider>:default` profile, in a file of its own that only its owner may read
 * (cli.md 2.10). Other profiles stay. Answers the file's path.
 */
export async function saveApiKey(
  { files }: Pick<Host, "files">,
  state: string,
  { provider, key }: { provider: string; key: string },
): Promise<string> {
  const path = join(state, "agents", "main", "agent", "auth-profiles.json");
  const text = await files.read(path);
  const old = text === undefined ? {} : parseJson(text);
  if (!isObject(old))
    throw new Failure("config", `${path} is not a JSON object: the API key was not saved`, {
      hints: ["Repair the file, or move it away and run this again."],
    });
  const profiles = isObject(old["profiles"]) ? old["profiles"] : {};
  const changed = {
    version: 1,
    ...old,
    profiles: { ...profiles, [`${provider}:default`]: { type: "api_key", provider, key } },
  };
  await files.makeFolder(dirname(path));
  await files.write(path, `${JSON.stringify(changed, null, 2)}\n`, { mode: 0o600 });
  return path;
}
