import type { Failure } from "../kit/error.ts";
import type { AssistantMessage, Usage } from "../session/message.ts";
import type { Close } from "../protocol/close.ts";
import type { Request } from "../protocol/frame.ts";
import type { ModelSpec } from "../providers/provider.ts";

// What parts tell whoever watches them. Each is given an observer as it is given a logger; where nobody watches there is
// none, and nothing is made or counted. Observers must not throw and must not wait.

/** Sees what goes on at the doors. */
export interface DoorObserver {
  /** A `connect` was refused. */
  refused(failure: Failure): void;
  /** The gateway closes a socket. */
  closing(close: Close): void;
  /** An event was handed to so many connections. */
  sent(event: string, copies: number): void;
  /** An address has failed too often and is locked out. */
  lockedOut(): void;
  /** An HTTP request was answered; `path` is one that is declared, `websocket`, or `other`. */
  answered(path: string, status: number): void;
}

/** Sees the requests of connections that are past their hello. */
export interface CallObserver {
  /** A request begins; what it answers is told how that ends. Undefined where nobody wants to know. */
  called(request: Request): ((failure?: Failure) => void) | undefined;
}

/** Sees the requests to models, each try by itself. */
export interface ModelObserver {
  asked(request: AskedModel): ModelWatch | undefined;
}

export interface AskedModel {
  readonly agentId: string;
  readonly sessionKey: string;
  readonly model: ModelSpec;
}

export interface ModelWatch {
  /** Go to the provider with the request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  ended(end: ModelEnd): void;
}

export interface ModelEnd {
  /** What was thrown instead of an answer. */
  readonly thrown?: unknown;
  readonly message?: AssistantMessage | undefined;
  /** What counts as spent, said by the provider or guessed. */
  readonly usage?: Usage | undefined;
}

/** One observer that passes everything on to several; undefined for none, so that nobody is told nothing. */
export function callObservers(observers: readonly CallObserver[]): CallObserver | undefined {
  if (observers.length < 2) return observers[0];
  return {
    called(request) {
      const ends = observers.flatMap((each) => each.called(request) ?? []);
      return (failure) => {
        for (const end of ends) end(failure);
      };
    },
  };
}

/** The same for those who watch models. */
export function modelObservers(observers: readonly ModelObserver[]): ModelObserver | undefined {
  if (observers.length < 2) return observers[0];
  return {
    asked(request) {
      const watches = observers.flatMap((each) => each.asked(request) ?? []);
      return {
        headers: Object.assign({}, ...watches.map(({ headers }) => headers)) as Record<string, string>,
        ended(end) {
          for (const watch of watches) watch.ended(end);
        },
      };
    },
  };
}
