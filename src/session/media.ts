import { Failure } from "../kit/error.ts";
import { fromBase64, sha256Hex } from "../kit/ids.ts";
import type { Store } from "../store/store.ts";

/** Pictures and files that came with messages, each stored once under the hash of its bytes. */
export interface Media {
  /** Keeps base64 text; answers the name to find it by. */
  save(base64: string): Promise<string>;
  /** The base64 text, or undefined when it is gone. */
  load(name: string): Promise<string | undefined>;
}

export function createMedia(store: Store): Media {
  return {
    async save(base64) {
      const bytes = fromBase64(base64);
      if (!bytes) throw new Failure("invalid-request", "an attachment's content is not base64");
      const name = await sha256Hex(bytes);
      await store.change(keyOf(name), (old) => old ?? base64);
      return name;
    },
    load: async (name) => (/^[0-9a-f]{64}$/.test(name) ? store.read(keyOf(name)) : undefined),
  };
}

function keyOf(name: string): string {
  return `media/inbound/${name}.base64`;
}
