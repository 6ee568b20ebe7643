import type { Kept } from "../channels/channel.ts";
import { Failure } from "../kit/error.ts";
import { FOLDER } from "../pairing/sender-place.ts";
import type { Store } from "../store/store.ts";

/** What an account keeps, and the way to be rid of it. */
export interface AccountKept extends Kept {
  /** Answers whether there was anything. */
  forget(): Promise<boolean>;
}

/** Most UTF-16 code units of one text: it is a place in a stream or a token, not a mailbox. */
const MAX_TEXT = 1024 * 1024;

/** The texts of one account, each a file of its own beside the other credentials. Account ids are plain names by now. */
export function keptOf(
  store: Store,
  { channel, accountId }: { readonly channel: string; readonly accountId: string },
): AccountKept {
  const folder = `${FOLDER}${channel}/${accountId}/`;
  const keyOf = (name: string): string => `${folder}${encoded(name)}`;
  return {
    read: (name) => store.read(keyOf(name)),
    async write(name, text) {
      if (text !== undefined && text.length > MAX_TEXT)
        throw new Failure("failed", `${channel} wants to keep ${text.length} characters as ${name}: too many`);
      await store.change(keyOf(name), () => text);
    },
    async forget() {
      const keys = await store.keys(folder);
      for (const key of keys) await store.change(key, () => undefined);
      return keys.length > 0;
    },
  };
}

/** A name as one part of a storage key: what could be mistaken is written as `_`, hex digits and `_` (threat M). */
function encoded(name: string): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9-]/gu, (character) => `_${character.codePointAt(0)?.toString(16) ?? ""}_`);
  return `kept-${plain}`;
}
