import type { Client } from "../client/client.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { originTrouble, troubleOf, type Trouble } from "./trouble.ts";

/** How the page stands with the gateway. */
export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "ready"; readonly client: Client }
  | { readonly kind: "sign-in"; readonly wants: "token" | "password"; readonly why: string | undefined }
  | Extract<Trouble, { kind: "pairing" | "stopped" }>
  /** `retryAt` by the clock that the link was given. */
  | { readonly kind: "away"; readonly why: string; readonly retryAt: number };

/** What proves who this is; at most one of them is shown at a time. */
export interface Proof {
  readonly secret?: string | undefined;
  readonly deviceToken?: string | undefined;
}

/** Where proofs are kept: the secret for this tab, the device's token for this browser. */
export interface Vault {
  readonly secret: () => string | undefined;
  readonly keepSecret: (secret: string | undefined) => void;
  readonly deviceToken: () => Promise<string | undefined>;
  readonly keepDeviceToken: (token: string | undefined) => Promise<void>;
}

export interface LinkOptions {
  readonly vault: Vault;
  /** Opens a connection; rejects with a Failure. */
  readonly connect: (
    proof: Proof,
    on: { readonly event: (name: string, payload: unknown) => void; readonly close: (reason: Failure) => void },
  ) => Promise<Client>;
  /** Whether the gateway answers a plain request. */
  readonly answers: () => Promise<boolean>;
  readonly onState: (state: LinkState) => void;
  readonly onEvent: (name: string, payload: unknown) => void;
  readonly clock: { now(): number; after(ms: number, work: () => void): () => void };
  /** From 0 to 1, so that many pages do not come back at the same moment. */
  readonly random: () => number;
}

/** The page's connection: kept up as long as the page is there. */
export interface Link {
  readonly start: () => void;
  /** Tries with a secret that a person gave. */
  readonly signIn: (secret: string) => void;
  /** Tries now instead of later, where it waits. */
  readonly hurry: () => void;
  /** Asks whether the connection still lives, after a sleep for one; a dead one is opened anew. */
  readonly check: () => void;
}

const firstWaitMs = 400;
const longestWaitMs = 15_000;
const pairingPollMs = 2000;
const checkMs = 5000;
/** The gateway says something every 30 seconds. */
const silenceMs = 75_000;

export function createLink({ vault, clock, random, onState, onEvent, ...given }: LinkOptions): Link {
  let state: LinkState = { kind: "connecting" };
  let failures = 0;
  let cancel: (() => void) | undefined;
  let stopListening: (() => void) | undefined;
  let refusal: string | undefined;
  /** The request that waits for approval. */
  let asked: string | undefined;
  /** Grows with every attempt: what a former one has to say does not count any more. */
  let attempts = 0;

  function become(next: LinkState): void {
    state = next;
    onState(next);
  }

  async function attempt(): Promise<void> {
    const own = ++attempts;
    cancel?.();
    stopListening?.();
    try {
      const secret = vault.secret();
      const deviceToken = secret === undefined ? await vault.deviceToken() : undefined;
      if (own !== attempts) return;
      const client = await given.connect(
        { secret, deviceToken },
        {
          event(name, payload) {
            if (own !== attempts) return;
            listen(own);
            onEvent(name, payload);
          },
          close: (reason) => own === attempts && lost(reason),
        },
      );
      if (own !== attempts) return client.close();
      await keepToken(client.hello.payload["auth"]);
      if (own !== attempts) return client.close();
      failures = 0;
      refusal = undefined;
      asked = undefined;
      listen(own);
      become({ kind: "ready", client });
    } catch (thrown) {
      if (own === attempts) await judge(own, Failure.from(thrown));
    }
  }

  /** Nothing heard for too long is a connection that only this side believes in. */
  function listen(own: number): void {
    stopListening?.();
    stopListening = clock.after(silenceMs, () => own === attempts && begin());
  }

  function begin(): void {
    if (state.kind === "ready") state.client.close();
    void attempt();
  }

  async function keepToken(auth: unknown): Promise<void> {
    const token = isObject(auth) ? auth["deviceToken"] : undefined;
    if (typeof token === "string") await vault.keepDeviceToken(token);
  }

  async function judge(own: number, failure: Failure): Promise<void> {
    const trouble = troubleOf(failure);
    switch (trouble.kind) {
      case "pairing":
        return wait(trouble);
      case "sign-in":
        return become({ ...trouble, why: refusal });
      case "refused":
        refusal = trouble.why;
        if (trouble.credential === "secret") vault.keepSecret(undefined);
        else await vault.keepDeviceToken(undefined);
        // Each time there is one proof less to try: it ends with a way in or with a form.
        return own === attempts ? attempt() : undefined;
      case "stopped":
        return become(trouble);
      case "away":
        return away(own, failure, trouble);
    }
  }

  /** Another request than before means that somebody turned that one down: nobody is asked again by itself. */
  function wait(trouble: Extract<Trouble, { kind: "pairing" }>): void {
    const isTurnedDown = asked !== undefined && asked !== trouble.requestId;
    asked = isTurnedDown ? undefined : trouble.requestId;
    if (isTurnedDown) return become(turnedDown);
    become(trouble);
    later(pairingPollMs);
  }

  async function away(
    own: number,
    failure: Failure,
    { why, waitMs }: Extract<Trouble, { kind: "away" }>,
  ): Promise<void> {
    failures++;
    // A refused upgrade and a gateway that is gone look the same to a page.
    const isBlind = isObject(failure.details) && failure.details["closeCode"] === 1006;
    if (isBlind && failures === suspicious && (await given.answers())) {
      if (own === attempts) become(originTrouble());
      return;
    }
    if (own !== attempts) return;
    const backoff = Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1)) * (0.8 + 0.4 * random());
    const wait = Math.max(waitMs, Math.round(backoff));
    become({ kind: "away", why, retryAt: clock.now() + wait });
    later(wait);
  }

  function later(ms: number): void {
    cancel?.();
    cancel = clock.after(ms, () => void attempt());
  }

  function lost(reason: Failure): void {
    const { closeReason } = isObject(reason.details) ? reason.details : {};
    const why = closeReason === "service restart" ? "The gateway restarts." : "The connection was lost.";
    // Whatever waits for this connection waits in vain.
    attempts++;
    stopListening?.();
    become({ kind: "away", why, retryAt: clock.now() + firstWaitMs });
    later(firstWaitMs);
  }

  function hurry(): void {
    if (state.kind === "away" || state.kind === "pairing" || state.kind === "stopped") void attempt();
  }

  return {
    start: () => void attempt(),
    hurry,
    signIn(secret) {
      refusal = undefined;
      vault.keepSecret(secret);
      become({ kind: "connecting" });
      void attempt();
    },
    check() {
      if (state.kind !== "ready") return state.kind === "away" ? hurry() : undefined;
      const own = attempts;
      // Whatever it answers, it lives.
      state.client.request("health", {}, { timeoutMs: checkMs }).catch((thrown: unknown) => {
        if (own === attempts && Failure.from(thrown).code === "timeout") begin();
      });
    },
  };
}

const turnedDown = {
  kind: "stopped",
  why: "The request of this browser was turned down, or nobody answered it in time.",
  advice: "Ask again when somebody is there to approve it.",
} as const;

/** Attempts in a row without an answer after which it is looked what is the matter. */
const suspicious = 3;
