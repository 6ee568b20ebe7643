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
  close(close: Close): void;
  /** Pings, or cuts a peer that left the last ping unanswered. */
  ping(): void;
}

/** Above this many bytes unsent, nothing more is read from the peer until they are gone. */
const pauseAbove = 4 * 1024 * 1024;
/** Requests of one connection running at once before it is read no further. */
const maxRunning = 256;

/**
 * One connection as a state machine: `arriving` (no socket yet), `opening` (challenge sent, waiting for connect),
 * `deciding` (connect being checked, later frames wait), `ready`, `closed`. Identity is settled on the way to `ready` and never changes.
 */
export function acceptConnection(context: ConnectionContext, arrival: Arrival, leave: () => void): SocketEvents {
  const { app, hub, wire } = context;
  const { connId } = arrival;
  const openedAt = app.clock.monotonic();
  const abort = new AbortController();
  const waiting: string[] = [];
  let state: "arriving" | "opening" | "deciding" | "ready" | "closed" = "arriving";
  let socket: Socket;
  let member: (Member & { readonly caller: Caller }) | undefined;
  let claimed: { deviceId?: string | undefined; role: string } = { role: "operator" };
  let unauthorized = 0;
  let running = 0;
  let paused = false;
  let answered = true;

  const deadline = app.clock.after(limits.handshakeMs, () => state !== "ready" && end(closes.idle));

  function end(close: Close): void {
    if (state === "closed") return;
    context.observer?.closing(close);
    // A peer that left in the middle of its handshake has no socket, but a place that others wait for.
    if (state !== "arriving") socket.close(close.code, close.reason);
    state = "closed";
    settle();
  }

  /** What a connection leaves behind, undone once. */
  function settle(): void {
    deadline();
    leave();
    abort.abort();
    context.open.delete(housekeeping);
    if (!member) return;
    hub.leave(member);
    announce(member.caller, "disconnect");
    if (member.caller.role === "node" && member.caller.deviceId) app.nodes.disconnected(member.caller.deviceId, connId);
    member = undefined;
  }

  function send(text: string): void {
    const buffered = socket.send(text);
    if (buffered > limits.maxBuffered) return end(closes.slowConsumer);
    if (buffered > pauseAbove) pause();
  }

  function pause(): void {
    if (paused) return;
    paused = true;
    socket.pause();
  }

  function resumeWhenQuiet(): void {
    if (!paused || running >= maxRunning || socket.buffered > pauseAbove) return;
    paused = false;
    socket.resume();
  }

  function receiveOpening(text: string): void {
    if (utf8Length(text) > limits.maxUntrusted) return end(closes.tooBig);
    if (state === "deciding") {
      if (waiting.push(text) > limits.pendingFrames) end(closes.tooManyPending);
      return;
    }
    const frame = parseFrame(text);
    if (frame.kind === "not-json") return end(closes.notJson);
    if (frame.kind === "invalid") return end(closes.invalidFrame);
    state = "deciding";
    void decide(frame).catch((error: unknown) => refuse(frame.id, Failure.from(error), 4));
  }

  async function decide(request: Request): Promise<void> {
    if (context.draining()) return refuse(request.id, notNow(), 4);
    const opening = readOpening(request);
    claimed = { deviceId: opening.params.device?.id, role: opening.role };
    let admittance;
    try {
      admittance = await authenticate({ ...opening, arrival, context: context.auth() });
    } catch (error) {
      return refuse(request.id, Failure.from(error), opening.protocol);
    }
    let welcomed = false;
    try {
      welcomed = await welcome(request.id, opening, admittance);
    } finally {
      admittance.answered?.(welcomed);
    }
  }

  /** Lets a caller in who proved himself; false when he is gone by now. */
  async function welcome(id: string, opening: Opening, admittance: Admittance): Promise<boolean> {
    if (isOver()) return false;
    const { caller } = admittance;
    const joining = createMember(caller);
    await registerNode(app, opening, caller, joining);
    if (isOver()) {
      if (caller.role === "node" && caller.deviceId) app.nodes.disconnected(caller.deviceId, connId);
      return false;
    }
    state = "ready";
    member = joining;
    deadline();
    leave();
    socket.trust();
    send(encodeResult(id, JSON.stringify(helloOk(app, admittance))));
    hub.join(joining);
    wire.hello(caller);
    announce(caller, "connect");
    for (const text of waiting.splice(0)) receive(text);
    return true;
  }

  /** The socket may close at any await; asked through a function because the compiler cannot see that. */
  function isOver(): boolean {
    return state === "closed";
  }

  function refuse(id: string, failure: Failure, protocol: 3 | 4): void {
    if (isOver()) return;
    wire.refused(connId, failure);
    context.observer?.refused(failure);
    if (failure.code === "internal") app.log.error("connect failed", { error: failure.message, conn: connId });
    const shown = failure.code === "internal" ? new Failure("internal", "internal error") : failure;
    socket.send(encodeError(id, shown, protocol));
    end(closeFor(shown));
  }

  function createMember(caller: Caller): Member {
    return {
      caller,
      connectedAt: app.clock.now(),
      subscriptions: new Set(),
      seq: 0,
      push: (event, payload) => send(eventHead(event, payload) + eventTail()),
      close: (code, reason) => end({ code, reason }),
      deliver(text, droppable) {
        if (droppable && socket.buffered > limits.maxBuffered / 2) return;
        send(text);
      },
    };
  }

  function receive(text: string): void {
    if (!member) return;
    const frame = parseFrame(text);
    if (frame.kind === "not-json") return;
    const { caller } = member;
    if (frame.kind === "invalid") {
      return send(
        encodeError(
          frame.id,
          new Failure("invalid-request", `invalid request frame: ${frame.reason}`),
          caller.protocol,
        ),
      );
    }
    const since = app.clock.monotonic();
    wire.request(frame.method, connId, frame.id);
    try {
      if (frame.method === "connect")
        throw new Failure("invalid-request", "connect is only valid as the first request");
      const accept = (json: string): void => {
        if (!isOver()) send(encodeResult(frame.id, json));
      };
      const result = context.dispatcher.run(frame, member, { signal: abort.signal, accept });
      if (typeof result === "string") return answer(frame, since, result);
      if (++running >= maxRunning) pause();
      void result
        .then(
          (json) => answer(frame, since, json),
          (error: unknown) => fail(frame, since, error, caller),
        )
        .finally(() => {
          running--;
          resumeWhenQuiet();
        });
    } catch (error) {
      fail(frame, since, error, caller);
    }
  }

  function answer(frame: Request, since: number, json: string): void {
    unauthorized = 0;
    if (isOver()) return;
    send(encodeResult(frame.id, json));
    wire.response(frame.method, connId, frame.id, since);
  }

  function fail(frame: Request, since: number, error: unknown, caller: Caller): void {
    if (isOver()) return;
    const failure = Failure.from(error);
    wire.response(frame.method, connId, frame.id, since, failure);
    if (failure.code === "internal") app.log.error(`${frame.method} failed`, { error: failure.message, conn: connId });
    // What broke inside is for the log; a client learns that it did (threat G).
    const shown =
      failure.code === "internal" ? new Failure("internal", `${frame.method} failed: internal error`) : failure;
    send(encodeError(frame.id, shown, caller.protocol));
    unauthorized = failure.message.startsWith("unauthorized role") ? unauthorized + 1 : 0;
    if (unauthorized > 10) end(closes.repeatedUnauthorized);
  }

  /** Browser and desktop clients and nodes are people and devices that others may want to see; helpers are not. */
  function announce(caller: Caller, reason: "connect" | "disconnect"): void {
    if (caller.client.mode === "cli" || caller.client.mode === "backend" || caller.client.mode === "probe") return;
    app.presence.client(caller, reason);
  }

  const housekeeping: OpenSocket = {
    connId,
    get deviceId() {
      return claimed.deviceId;
    },
    get role() {
      return claimed.role;
    },
    get bySecret() {
      return member ? ["token", "password", "trusted-proxy"].includes(member.caller.method) : true;
    },
    get buffered() {
      return socket.buffered;
    },
    close: end,
    ping() {
      if (state === "closed" || !answered) return socket.terminate();
      answered = false;
      socket.ping();
    },
  };

  return {
    open(opened) {
      if (state === "closed") return opened.terminate();
      state = "opening";
      socket = opened;
      context.open.add(housekeeping);
      wire.opened(connId, arrival.from.address);
      const challenge = { nonce: arrival.nonce, ts: app.clock.now() };
      socket.send(eventHead("connect.challenge", challenge) + eventTail());
    },
    message(_, text) {
      answered = true;
      if (state === "ready") receive(text);
      else if (state !== "closed") receiveOpening(text);
    },
    pong() {
      answered = true;
    },
    drain: resumeWhenQuiet,
    close(_, code, reason) {
      if (state !== "closed") {
        state = "closed";
        settle();
      }
      wire.closed(connId, code, reason, app.clock.monotonic() - openedAt);
    },
  };
}
