import type { Conversation } from "../conversation.ts";
import type { Failure } from "../kit/error.ts";
import { createMedia } from "../session/media.ts";
import type { Store } from "../store/store.ts";

/**
 * What a control plane is given in place of conversations that could not be opened: nothing to see in it, and whoever
 * wants more is told why.
 */
export function noConversation(why: Failure, store: Store): Conversation {
  const done = (): Promise<void> => Promise.resolve();
  return { ...refusing(why, store), start: () => undefined, takeOver: done, close: done };
}

function refusing(why: Failure, store: Store): Pick<Conversation, "parts" | "turns"> {
  const refuse = (): never => {
    throw why;
  };
  const reject = (): Promise<never> => Promise.reject(why);
  const done = (): Promise<void> => Promise.resolve();
  const unheard = (): (() => void) => () => undefined;
  return {
    parts: {
      sessions: {
        size: 0,
        get: () => undefined,
        bySessionId: () => undefined,
        list: () => ({ rows: [], total: 0 }),
        ensure: reject,
        change: reject,
        note: refuse,
        reset: reject,
        delete: reject,
        fork: reject,
        import: reject,
        transcript: refuse,
        pathOf: refuse,
        search: reject,
        onChange: unheard,
        reload: done,
        close: done,
      },
      accounts: {
        models: () => [],
        find: () => undefined,
        primary: () => undefined,
        allowed: () => false,
        aliases: () => new Map(),
        routes: async () => [],
        explain: async () => why.message,
        report: done,
        thinkingLevels: () => ["off"],
        defaultThinking: () => "off",
        credentials: { providers: async () => [], probe: reject, remove: reject },
      },
      media: createMedia(store),
      uploads: { begin: refuse, add: reject, finish: reject, sweep: done, close: done },
      budget: { reserve: reject, totals: reject },
      runner: { run: reject, compact: reject },
      networks: {
        accounts: () => [],
        open: reject,
        start: () => undefined,
        startAccount: reject,
        stopAccount: reject,
        forgetAccount: reject,
        refresh: done,
        webhook: () => undefined,
        close: done,
      },
      toolParts: async () => ({}),
      outbox: { plan: reject, sent: reject, ready: () => undefined, waiting: 0, close: done },
    },
    turns: {
      accept: reject,
      abort: async () => [],
      run: () => undefined,
      wait: async () => undefined,
      active: () => undefined,
      pending: () => [],
      inject: reject,
      exclusive: reject,
      onEvent: unheard,
      load: { running: 0, queued: 0, lanes: 0 },
      queue: refuse,
      recover: done,
      takeOver: done,
      dismiss: done,
      windDown: async () => 0,
      close: done,
    },
  };
}
