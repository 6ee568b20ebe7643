import type { Clock, SpokenChild } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { isObject, parseJson, type JsonObject } from "../kit/json.ts";

/** A conversation with a browser in the Chrome DevTools Protocol: commands and their answers, and events. */
export interface Cdp {
  /** Rejects with what the browser says is wrong, `timeout` when it says nothing, `unavailable` when it has ended. */
  send(method: string, params?: JsonObject, sessionId?: string): Promise<JsonObject>;
  /** Hears events: of one page, or with undefined those of the browser itself. The answer stops it. */
  on(sessionId: string | undefined, listener: CdpListener): () => void;
  /** Takes what the browser says, one message at a time. */
  hear(text: string): void;
  /** The browser is gone: what waits is told. */
  end(why: string): void;
}

export type CdpListener = (method: string, params: JsonObject) => void;

interface Waiting {
  resolve(result: JsonObject): void;
  reject(error: Failure): void;
  /** It was answered in time. */
  disarm(): void;
}

/** A browser that is asked and says nothing for so long hangs. */
const ANSWER_MS = 30_000;

export function createCdp(child: Pick<SpokenChild, "say">, clock: Pick<Clock, "after">): Cdp {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string | undefined, Set<CdpListener>>();
  let turn = 0;
  let ended: string | undefined;

  return {
    send(method, params = {}, sessionId) {
      if (ended !== undefined) return Promise.reject(new Failure("unavailable", ended));
      const id = ++turn;
      return new Promise<JsonObject>((resolve, reject) => {
        const disarm = clock.after(ANSWER_MS, () => {
          waiting.delete(id);
          reject(new Failure("timeout", `the browser does not answer ${method}`));
        });
        waiting.set(id, { resolve, reject, disarm });
        child.say(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      });
    },
    on(sessionId, listener) {
      const heard = listeners.get(sessionId) ?? new Set();
      listeners.set(sessionId, heard.add(listener));
      return () => {
        heard.delete(listener);
        if (heard.size === 0) listeners.delete(sessionId);
      };
    },
    hear(text) {
      const message = parseJson(text);
      if (!isObject(message)) return;
      const { id, method, error } = message;
      if (typeof id === "number") {
        const asked = waiting.get(id);
        waiting.delete(id);
        asked?.disarm();
        if (isObject(error)) asked?.reject(new Failure("failed", `the browser says: ${String(error["message"])}`));
        else asked?.resolve(objectAt(message, "result"));
      } else if (typeof method === "string") {
        const sessionId = typeof message["sessionId"] === "string" ? message["sessionId"] : undefined;
        for (const listener of listeners.get(sessionId) ?? []) listener(method, objectAt(message, "params"));
      }
    },
    end(why) {
      ended ??= why;
      for (const asked of waiting.values()) {
        asked.disarm();
        asked.reject(new Failure("unavailable", ended));
      }
      waiting.clear();
    },
  };
}

/** The object under a key, empty where there is none. */
export function objectAt(value: unknown, key: string): JsonObject {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : {};
}

/** The text under a key, empty where there is none. */
export function textAt(value: unknown, key: string): string {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === "string" ? found : "";
}
