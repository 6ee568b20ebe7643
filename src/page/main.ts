import { connect } from "../client/web.ts";
import type { Client } from "../client/client.ts";
import { webClock } from "../host/web-clock.ts";
import { uuid } from "../kit/ids.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { browserName } from "./browser-name.ts";
import { createDesk, titleOf } from "./desk.ts";
import { ask, createNotices } from "./dialogs.ts";
import { doorView } from "./door-view.ts";
import { readFragment, socketUrl, writeFragment } from "./fragment.ts";
import { createLink, type LinkState } from "./link.ts";
import { modelChoice } from "./models.ts";
import { createRoom } from "./room.ts";
import { roomView } from "./room-view.ts";
import type { Row } from "./sessions.ts";
import { statusView } from "./status-view.ts";
import { tabStorage } from "./tab-storage.ts";
import { openKeeper } from "./vault.ts";

/** What this page asks to be allowed: what the reference's page does. */
const scopes = ["admin", "read", "write", "approvals", "questions", "pairing"].map((name) => `operator.${name}`);
/** Only what the open conversation does is sent here, not what goes on in every other. */
const caps = ["session-scoped-events"];

start();

function start(): void {
  const tab = tabStorage();
  const keeper = openKeeper(new URL(".", location.href).pathname, tab);
  let client: Client | undefined;
  let wanted = takeFragment();
  let mainKey = "";
  let deviceId = "";
  let frame = 0;
  const notices = createNotices();
  const trouble = (text: string) => notices.say(text);
  const clock = webClock;
  const current = () => client;
  const desk = createDesk({ client: current, clock, trouble, changed: draw });
  const room = createRoom({ client: current, newId: uuid, trouble, changed: draw });
  const copy = (text: string) => void copyNow(text);
  const door = doorView({ copy, hurry: () => link.hurry(), signIn: (given) => link.signIn(given) });
  const status = statusView({
    approve: (requestId) => void desk.act("Not approved", (each) => each.call("device.pair.approve", { requestId })),
    reject: (requestId) => void desk.act("Not rejected", (each) => each.call("device.pair.reject", { requestId })),
  });
  const view = roomView({
    drafts: tab,
    copy,
    trouble,
    hurry: () => link.hurry(),
    showStatus: status.open,
    open: show,
    begin: () => show(`agent:${mainKey.split(":")[1] ?? "main"}:dashboard:${uuid()}`),
    search: desk.search,
    showArchived: desk.showArchived,
    more: desk.more,
    rename: (row) => void rename(row),
    patch: ({ key }, patch) => void desk.act("Not changed", (each) => each.call("sessions.patch", { key, ...patch })),
    remove: (row) => void remove(row),
    chooseModel: (model) => choose({ model }),
    chooseThinking: (thinkingLevel) => choose({ thinkingLevel }),
    older: () => void room.older(),
    send: room.send,
    stop: () => void room.stop(),
    retry: room.retry,
    discard: room.discard,
  });
  const link = createLink({
    vault: keeper,
    clock,
    random: Math.random,
    async connect(proof, on) {
      const identity = await keeper.identity();
      ({ deviceId } = identity);
      // Which of the two it is, the gateway knows.
      const { secret: shared, deviceToken } = proof;
      return connect({
        url: socketUrl(location),
        client: { id: "openclaw-control-ui", mode: "webchat", displayName: browserName(navigator.userAgent) },
        scopes,
        caps,
        identity,
        ...(shared === undefined ? {} : { token: shared, password: shared }),
        ...(deviceToken === undefined ? {} : { deviceToken }),
        onEvent: on.event,
        onClose: on.close,
      });
    },
    answers: async () => {
      try {
        return (await fetch("health", { cache: "no-store" })).ok;
      } catch {
        return false; // no answer is the answer
      }
    },
    onState: linked,
    onEvent(event, payload) {
      desk.hear(event, payload);
      room.hear(event, payload);
      if (event === "sessions.changed") followed(payload);
    },
  });

  /** What the address hands over. The secret leaves it at once: addresses are kept, shown on screens and sent to others. */
  function takeFragment(): string | undefined {
    const { secret, session } = readFragment(location.hash);
    history.replaceState(null, "", `${location.pathname}${location.search}${writeFragment({ session })}`);
    if (secret !== undefined) keeper.keepSecret(secret);
    return session;
  }

  /** The open conversation went, or somebody looks at what is new in it. */
  function followed(payload: unknown): void {
    const { key } = room.conversation;
    if (!isObject(payload) || payload["sessionKey"] !== key) return;
    if (payload["reason"] === "delete") show(mainKey);
    else if (document.visibilityState === "visible") void read(key);
  }

  function linked(state: LinkState): void {
    client = state.kind === "ready" ? state.client : undefined;
    if (state.kind === "ready") entered(state.client);
    // Once in, a lost connection is a line above the conversation: what was said stays, and one may go on writing.
    const isInside =
      view.element.isConnected && (state.kind === "away" || state.kind === "connecting" || state.kind === "ready");
    if (!isInside) document.body.replaceChildren(door.element, notices.element);
    door.update(state);
    view.connection(state);
    draw();
  }

  function entered({ hello }: Client): void {
    mainKey = mainKeyIn(hello.payload);
    if (!view.element.isConnected) document.body.replaceChildren(view.element, notices.element);
    void desk.refresh();
    show(room.conversation.key || wanted || mainKey);
    wanted = undefined;
  }

  function show(key: string): void {
    const isOther = key !== room.conversation.key;
    history.replaceState(null, "", `${location.pathname}${location.search}${writeFragment({ session: key })}`);
    void room.open(key);
    view.entered(key, isOther);
    void read(key);
  }

  /** Whoever looks at it has read it. */
  async function read(key: string): Promise<void> {
    if (!desk.state.list.rows.some((row) => row.key === key && row.unread)) return;
    await desk.act("Not marked as read", (each) => each.call("sessions.patch", { key, unread: false }));
  }

  function choose(patch: { model?: string | null; thinkingLevel?: string | null }): void {
    const { key } = room.conversation;
    void desk.act("Not changed", (each) => each.call("sessions.patch", { key, ...patch })).then(draw);
  }

  async function rename({ key, label, title }: Row): Promise<void> {
    const name = await ask({ title: "Rename", field: { label: "Name", value: label || title }, action: "Rename" });
    if (name === undefined) return;
    await desk.act("Not renamed", (each) => each.call("sessions.patch", { key, label: name.trim() || null }));
  }

  async function remove({ key, title }: Row): Promise<void> {
    const text = `“${title}” and all that was said in it will be gone from here.`;
    const answer = await ask({ title: "Delete this conversation?", text, action: "Delete", isDangerous: true });
    if (answer === undefined) return;
    const isGone = await desk.act("Not deleted", (each) => each.call("sessions.delete", { key }));
    if (isGone && room.conversation.key === key) show(mainKey);
  }

  async function copyNow(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      notices.say("Copied.");
    } catch {
      notices.say("This browser does not let the page copy.");
    }
  }

  /** At most once a frame, however much happens. */
  function draw(): void {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      const { conversation } = room;
      const choice = modelChoice(desk.state.models, conversation.row);
      const title = titleOf(desk.state, conversation.key, conversation.row);
      view.update({ conversation, desk: desk.state, choice, title, maxPicture: maxPictureIn(client) });
      document.title = `${title} · Clawlet`;
      if (client)
        status.update({
          ...statusOf(client),
          health: desk.state.health,
          devices: desk.state.devices,
          ownDevice: deviceId,
        });
    });
  }

  addEventListener("online", () => link.check());
  addEventListener("hashchange", () => {
    const before = keeper.secret();
    const session = takeFragment();
    const secret = keeper.secret();
    if (!client && secret !== undefined && secret !== before) link.signIn(secret);
    if (client && session !== undefined && session !== room.conversation.key) show(session);
    else wanted = session ?? wanted;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    link.check();
    if (client) void read(room.conversation.key);
  });
  link.start();
}

function mainKeyIn({ snapshot }: JsonObject): string {
  const defaults = isObject(snapshot) ? snapshot["sessionDefaults"] : undefined;
  const key = isObject(defaults) ? defaults["mainSessionKey"] : undefined;
  return typeof key === "string" ? key : "agent:main:main";
}

function maxPictureIn(client: Client | undefined): number {
  const policy = client?.hello.payload["policy"];
  const attachments = isObject(policy) ? policy["attachments"] : undefined;
  const most = isObject(attachments) ? attachments["maxImageBytes"] : undefined;
  return typeof most === "number" ? most : 5_000_000;
}

function statusOf({ hello: { payload, latencyMs } }: Client) {
  const { server, snapshot, auth } = payload;
  const upMs = isObject(snapshot) ? snapshot["uptimeMs"] : undefined;
  const granted: unknown = isObject(auth) ? auth["scopes"] : undefined;
  return {
    server: isObject(server) ? server : undefined,
    startedAt: typeof upMs === "number" ? Date.now() - upMs : 0,
    latencyMs,
    scopes: Array.isArray(granted) ? granted.map(String) : [],
  };
}
