import type { Webhook } from "../channels/channel.ts";
import { Failure } from "../kit/error.ts";

/** Which account has which path of the gateway's port. */
export interface WebhookPaths {
  find(path: string): Webhook | undefined;
  /**
   * Gives a path to the account whose settings stand at `owner`; the answer takes it back. Throws `config` for a path
   * that another has: what comes there could be for either (threat K).
   */
  claim(webhook: Webhook, owner: string): () => void;
}

export function createWebhookPaths(reserved: readonly string[]): WebhookPaths {
  const taken = new Map<string, { readonly webhook: Webhook; readonly owner: string }>();
  return {
    find: (path) => taken.get(path)?.webhook,
    claim(webhook, owner) {
      const { path } = webhook;
      if (!isPath(path))
        throw new Failure("config", `${owner}.webhookPath is wrong: expected a path such as /hooks/line, no query`);
      if (reserved.includes(path))
        throw new Failure("config", `${owner}.webhookPath: the gateway itself answers at ${path}; choose another`);
      const other = taken.get(path);
      if (other)
        throw new Failure(
          "config",
          `${owner}.webhookPath: ${path} is the path of ${other.owner} already; give each a webhookPath of its own`,
        );
      taken.set(path, { webhook, owner });
      return () => void (taken.get(path)?.webhook === webhook && taken.delete(path));
    },
  };
}

/** As a request has it after its URL was read: nothing that is spelt in two ways. */
function isPath(path: string): boolean {
  return (
    path.length > 1 &&
    path.length <= 200 &&
    URL.canParse(path, "http://x") &&
    new URL(path, "http://x").pathname === path
  );
}
