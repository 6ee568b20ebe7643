import type { App } from "../app.ts";
import type { Socket, SocketEvents } from "../host/socket.ts";
import { Failure } from "../kit/error.ts";
import { utf8Length } from "../kit/text.ts";
import type { Caller } from "../protocol/caller.ts";
import type { DoorObserver } from "../observe/observer.ts";
import { closes, type Close } from "../protocol/close.ts";
import { encodeError, encodeResult, eventHead, eventTail, parseFrame, type Request } from "../protocol/frame.ts";
import { limits } from "../protocol/version.ts";
import { type Admittance, authenticate, type Arrival, type AuthContext } from "./auth.ts";
import type { Dispatcher } from "./dispatch.ts";
import { closeFor, helloOk, notNow, type Opening, readOpening, registerNode } from "./hello.ts";
import type { Hub, Member } from "./hub.ts";
import { createMember } from "./member.ts";
import type { WireLog } from "./wire-log.ts";

export interface ConnectionContext {
  readonly app: App;
  readonly hub: Hub;
  readonly dispatcher: Dispatcher;
  readonly wire: WireLog;
  readonly observer?: DoorObserver | undefined;
  /** Read at each connect, so that a changed secret counts at once. */
  auth(): AuthContext;
  /** Every open socket, past its hello or not. */
  readonly open: Set<OpenSocket>;
  /** Set while the gateway ends: no new hello. */
  draining(): boolean;
}

/** An open socket as the gateway's housekeeping sees it. */
export interface OpenSocket {
  readonly connId: string;
  /** The device this socket says it is (before hello) or has proved to be. */
  readonly deviceId: string | undefined;
  readonly role: string;
  /** Let in by the shared secret or a proxy's word, which may cease to count under it. */
  readonly bySecret: boolean;
  /** Bytes that the peer has not read yet. */
  readonly buffered: number;
  end(close: Close): void;
  /** Pings, or cuts a peer that left the last ping unanswered. */
  ping(): void;
}

/** Above this many bytes unsent, nothing more is read from the peer until they are gone. */
const pauseAbove = 4 * 1024 * 1024;
/** Requests of one connection running at once before it is read no further. */
const maxRunning = 256;

/** What becomes of an accepted upgrade. `leave` gives back its place among those who have not said who they are. */
export function acceptConnection(context: ConnectionContext, arrival: Arrival, leave: () => void): SocketEvents {
  return new GatewayConnection(context, arrival, leave);
}

/**
 * One connection as a state machine: `arriving` (no socket yet), `opening` (challenge sent, waiting for connect),
 * `deciding` (connect being checked, later frames wait), `ready`, `closed`. Identity is settled on the way to `ready` and never changes.
 *
 * Ten thousand of them may be idle: what they do is on the prototype, what only some need is made when it is needed, and
 * what only the hello needs is forgotten after it. The file is long because a state machine is read as a whole.
 */
class GatewayConnection implements SocketEvents, OpenSocket {
  readonly connId: string;
  readonly #context: ConnectionContext;
  readonly #openedAt: number;
  #handshake: Handshake | undefined;
  #state: "arriving" | "opening" | "deciding" | "ready" | "closed" = "arriving";
  #socket: Socket | undefined;
  #member: Member | undefined;
  #abort: AbortController | undefined;
  #claimed: { readonly deviceId?: string | undefined; readonly role: string } = unclaimed;
  #unauthorized = 0;
  #running = 0;
  #paused = false;
  #answered = true;

  constructor(context: ConnectionContext, arrival: Arrival, leave: () => void) {
    this.connId = arrival.connId;
    this.#context = context;
    this.#openedAt = context.app.clock.monotonic();
    const late = context.app.clock.after(limits.handshakeMs, () => this.#state !== "ready" && this.end(closes.idle));
    this.#handshake = { arrival, leave, late, waiting: [] };
  }

  open(socket: Socket): void {
    if (this.#state === "closed" || !this.#handshake) return socket.terminate();
    const { arrival } = this.#handshake;
    const { app, open, wire } = this.#context;
    this.#state = "opening";
    this.#socket = socket;
    open.add(this);
    wire.opened(this.connId, arrival.from.address);
    const challenge = { nonce: arrival.nonce, ts: app.clock.now() };
    socket.send(eventHead("connect.challenge", challenge) + eventTail());
  }

  message(_: Socket, text: string): void {
    this.#answered = true;
    if (this.#state === "ready") this.#receive(text);
    else if (this.#handshake && this.#state !== "closed") this.#receiveOpening(text, this.#handshake);
  }

  pong(): void {
    this.#answered = true;
  }

  drain(): void {
    this.#resumeWhenQuiet();
  }

  close(_: Socket, code: number, reason: string): void {
    if (this.#state !== "closed") {
      this.#state = "closed";
      this.#settle();
    }
    const { app, wire } = this.#context;
    wire.closed(this.connId, code, reason, app.clock.monotonic() - this.#openedAt);
  }

  get deviceId(): string | undefined {
    return this.#claimed.deviceId;
  }

  get role(): string {
    return this.#claimed.role;
  }

  get bySecret(): boolean {
    return this.#member ? ["token", "password", "trusted-proxy"].includes(this.#member.caller.method) : true;
  }

  get buffered(): number {
    return this.#socket?.buffered ?? 0;
  }

  ping(): void {
    if (this.#state === "closed" || !this.#answered) return this.#socket?.terminate();
    this.#answered = false;
    this.#socket?.ping();
  }

  end(close: Close): void {
    if (this.#state === "closed") return;
    this.#context.observer?.closing(close);
    // A peer that left in the middle of its handshake has no socket, but a place that others wait for.
    this.#socket?.close(close.code, close.reason);
    this.#state = "closed";
    this.#settle();
  }

  send(text: string): void {
    const buffered = this.#socket?.send(text) ?? -1;
    if (buffered > limits.maxBuffered) return this.end(closes.slowConsumer);
    if (buffered > pauseAbove) this.#pause();
  }

  /** What a connection leaves behind, undone once. */
  #settle(): void {
    const { app, hub, open } = this.#context;
    this.#endHandshake();
    this.#abort?.abort();
    open.delete(this);
    if (!this.#member) return;
    const { caller } = this.#member;
    hub.leave(this.#member);
    this.#announce(caller, "disconnect");
    if (caller.role === "node" && caller.deviceId) app.nodes.disconnected(caller.deviceId, this.connId);
    this.#member = undefined;
  }

  #endHandshake(): void {
    this.#handshake?.late();
    this.#handshake?.leave();
    this.#handshake = undefined;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket?.pause();
  }

  #resumeWhenQuiet(): void {
    if (!this.#paused || this.#running >= maxRunning || this.buffered > pauseAbove) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  #receiveOpening(text: string, handshake: Handshake): void {
    if (utf8Length(text) > limits.maxUntrusted) return this.end(closes.tooBig);
    if (this.#state === "deciding") {
      if (handshake.waiting.push(text) > limits.pendingFrames) this.end(closes.tooManyPending);
      return;
    }
    const frame = parseFrame(text);
    if (frame.kind === "not-json") return this.end(closes.notJson);
    if (frame.kind === "invalid") return this.end(closes.invalidFrame);
    this.#state = "deciding";
    void this.#decide(frame, handshake).catch((error: unknown) => this.#refuse(frame.id, Failure.from(error), 4));
  }

  async #decide(request: Request, { arrival }: Handshake): Promise<void> {
    if (this.#context.draining()) return this.#refuse(request.id, notNow(), 4);
    const opening = readOpening(request);
    this.#claimed = { deviceId: opening.params.device?.id, role: opening.role };
    let admittance;
    try {
      admittance = await authenticate({ ...opening, arrival, context: this.#context.auth() });
    } catch (error) {
      return this.#refuse(request.id, Failure.from(error), opening.protocol);
    }
    let welcomed = false;
    try {
      welcomed = await this.#welcome(request.id, opening, admittance);
    } finally {
      admittance.answered?.(welcomed);
    }
  }

  /** Lets a caller in who proved himself; false when he is gone by now. */
  async #welcome(id: string, opening: Opening, admittance: Admittance): Promise<boolean> {
    if (this.#isOver()) return false;
    const { app, hub, wire } = this.#context;
    const { caller } = admittance;
    const joining = createMember(this, { caller, connectedAt: app.clock.now() });
    await registerNode(app, opening, caller, joining);
    if (this.#isOver()) {
      if (caller.role === "node" && caller.deviceId) app.nodes.disconnected(caller.deviceId, this.connId);
      return false;
    }
    this.#state = "ready";
    this.#member = joining;
    const waiting = this.#handshake?.waiting ?? [];
    this.#endHandshake();
    this.#socket?.trust();
    this.send(encodeResult(id, JSON.stringify(helloOk(app, admittance))));
    hub.join(joining);
    wire.hello(caller);
    this.#announce(caller, "connect");
    for (const text of waiting) this.#receive(text);
    return true;
  }

  /** The socket may close at any await; asked through a function because the compiler cannot see that. */
  #isOver(): boolean {
    return this.#state === "closed";
  }

  #refuse(id: string, failure: Failure, protocol: 3 | 4): void {
    if (this.#isOver()) return;
    const { app, observer, wire } = this.#context;
    wire.refused(this.connId, failure);
    observer?.refused(failure);
    if (failure.code === "internal") app.log.error("connect failed", { error: failure.message, conn: this.connId });
    const shown = failure.code === "internal" ? new Failure("internal", "internal error") : failure;
    this.#socket?.send(encodeError(id, shown, protocol));
    this.end(closeFor(shown));
  }

  #receive(text: string): void {
    if (!this.#member) return;
    const frame = parseFrame(text);
    if (frame.kind === "not-json") return;
    const { caller } = this.#member;
    if (frame.kind === "invalid") {
      const failure = new Failure("invalid-request", `invalid request frame: ${frame.reason}`);
      return this.send(encodeError(frame.id, failure, caller.protocol));
    }
    const { app, dispatcher, wire } = this.#context;
    const since = app.clock.monotonic();
    wire.request(frame.method, this.connId, frame.id);
    try {
      if (frame.method === "connect")
        throw new Failure("invalid-request", "connect is only valid as the first request");
      const accept = (json: string): void => {
        if (!this.#isOver()) this.send(encodeResult(frame.id, json));
      };
      this.#abort ??= new AbortController();
      const result = dispatcher.run(frame, this.#member, { signal: this.#abort.signal, accept });
      if (typeof result === "string") return this.#answer(frame, since, result);
      if (++this.#running >= maxRunning) this.#pause();
      void result
        .then(
          (json) => this.#answer(frame, since, json),
          (error: unknown) => this.#fail(frame, since, error, caller),
        )
        .finally(() => {
          this.#running--;
          this.#resumeWhenQuiet();
        });
    } catch (error) {
      this.#fail(frame, since, error, caller);
    }
  }

  #answer(frame: Request, since: number, json: string): void {
    this.#unauthorized = 0;
    if (this.#isOver()) return;
    this.send(encodeResult(frame.id, json));
    this.#context.wire.response(frame.method, this.connId, frame.id, since);
  }

  #fail(frame: Request, since: number, error: unknown, caller: Caller): void {
    if (this.#isOver()) return;
    const { app, wire } = this.#context;
    const failure = Failure.from(error);
    wire.response(frame.method, this.connId, frame.id, since, failure);
    if (failure.code === "internal")
      app.log.error(`${frame.method} failed`, { error: failure.message, conn: this.connId });
    // What broke inside is for the log; a client learns that it did (threat G).
    const shown =
      failure.code === "internal" ? new Failure("internal", `${frame.method} failed: internal error`) : failure;
    this.send(encodeError(frame.id, shown, caller.protocol));
    this.#unauthorized = failure.message.startsWith("unauthorized role") ? this.#unauthorized + 1 : 0;
    if (this.#unauthorized > 10) this.end(closes.repeatedUnauthorized);
  }

  /** Browser and desktop clients and nodes are people and devices that others may want to see; helpers are not. */
  #announce(caller: Caller, reason: "connect" | "disconnect"): void {
    if (caller.client.mode === "cli" || caller.client.mode === "backend" || caller.client.mode === "probe") return;
    this.#context.app.presence.client(caller, reason);
  }
}

/** What a connection needs until its caller is known. */
interface Handshake {
  readonly arrival: Arrival;
  readonly leave: () => void;
  /** Disarms the deadline. */
  readonly late: () => void;
  /** Frames that came while `connect` was being checked. */
  readonly waiting: string[];
}

const unclaimed = { role: "operator" } as const;
