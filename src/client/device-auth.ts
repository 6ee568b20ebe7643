import type { Host } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { isObject, parseJson } from "../kit/json.ts";

/** The tokens that gateways gave to this device, by URL. One file, readable by its owner alone. */
export interface DeviceAuth {
  tokenFor(url: string): Promise<string | undefined>;
  remember(url: string, token: string): Promise<void>;
}

export function deviceAuth(host: Pick<Host, "files">, stateFolder: string): DeviceAuth {
  const path = join(stateFolder, "identity", "device-auth.json");
  const read = async (): Promise<Record<string, unknown>> => {
    const document = parseJson((await host.files.read(path)) ?? "");
    return isObject(document) && isObject(document["tokens"]) ? document["tokens"] : {};
  };
  return {
    async tokenFor(url) {
      const tokens = await read();
      const token = Object.hasOwn(tokens, url) ? tokens[url] : undefined;
      return typeof token === "string" ? token : undefined;
    },
    async remember(url, token) {
      const tokens = await read();
      if (tokens[url] === token) return;
      await host.files.makeFolder(join(stateFolder, "identity"));
      await host.files.write(path, `${JSON.stringify({ version: 1, tokens: { ...tokens, [url]: token } }, null, 2)}\n`);
    },
  };
}
