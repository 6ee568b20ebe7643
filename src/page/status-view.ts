import { isObject, type JsonObject } from "../kit/json.ts";
import { textIn } from "./conversation.ts";
import { fill, h, icon } from "./dom.ts";
import { lasting, when } from "./words.ts";

/** What the drawer shows; undefined parts are not known, or not for this connection. */
export interface Status {
  readonly server: JsonObject | undefined;
  readonly startedAt: number;
  readonly latencyMs: number;
  readonly health: JsonObject | undefined;
  readonly scopes: readonly string[];
  /** The answer of `device.pair.list`. */
  readonly devices: { readonly pending: readonly JsonObject[]; readonly paired: readonly JsonObject[] } | undefined;
  readonly ownDevice: string;
}

export interface StatusOptions {
  readonly approve: (requestId: string) => void;
  readonly reject: (requestId: string) => void;
}

/** A drawer: how the gateway fares, and who may connect. */
export function statusView(on: StatusOptions): {
  readonly open: () => void;
  readonly update: (status: Status) => void;
} {
  const body = h("div", { class: "scroll" });
  const close = h(
    "button",
    { type: "button", class: "bare", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const dialog = h(
    "dialog",
    { class: "drawer", "aria-label": "Status" },
    h("header", {}, h("h2", {}, "Status"), close),
    body,
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  let shown: Status | undefined;
  const gateway = remembered(gatewaySection);
  const waiting = remembered((requests: readonly JsonObject[]) => waitingSection(requests, on));
  const paired = remembered(([devices, own]: readonly [readonly JsonObject[], string]) => pairedSection(devices, own));
  const show = () => {
    if (!shown || !dialog.open) return;
    const { devices, ownDevice } = shown;
    const pending = devices?.pending ?? [];
    fill(body, [
      gateway(factsOf(shown)),
      pending.length > 0 && waiting(pending),
      devices && paired([devices.paired, ownDevice]),
    ]);
  };
  return {
    open() {
      if (!dialog.isConnected) document.body.append(dialog);
      if (!dialog.open) dialog.showModal();
      show();
    },
    update(status) {
      shown = status;
      show();
    },
  };
}

/** The same node for the same value: a button must not be replaced while somebody presses it. */
function remembered<T>(build: (value: T) => Node): (value: T) => Node {
  let last: { readonly told: string; readonly node: Node } | undefined;
  return (value) => {
    const told = JSON.stringify(value);
    if (last?.told !== told) last = { told, node: build(value) };
    return last.node;
  };
}

type Facts = readonly (readonly [name: string, value: string])[];

function factsOf({ server, startedAt, latencyMs, health, scopes }: Status): Facts {
  const parts: readonly unknown[] = Array.isArray(health?.["parts"]) ? health["parts"] : [];
  const troubles = parts
    .filter(isObject)
    .filter((part) => part["state"] === "failed" || part["state"] === "degraded")
    .map((part) => `${textIn(part, "part")}: ${textIn(part, "reason") || textIn(part, "state")}`);
  const isWell = health?.["ok"] !== false && troubles.length === 0;
  return [
    ["Health", isWell ? "All is well" : ["Something is wrong", ...troubles].join("; ")],
    ["Version", textIn(server ?? {}, "version") || "unknown"],
    ["Up for", startedAt > 0 ? lasting(Date.now() - startedAt) : "unknown"],
    ["Answered in", `${latencyMs} ms`],
    ["This page may", scopes.map((scope) => scope.replace(/^operator\./, "")).join(", ") || "nothing"],
  ];
}

function gatewaySection(facts: Facts): Node {
  const list = h("dl", {}, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  return h("section", {}, h("h3", {}, "Gateway"), list);
}

function waitingSection(requests: readonly JsonObject[], on: StatusOptions): Node {
  const items = requests.map((request) => {
    const id = textIn(request, "requestId");
    const name = nameOf(request);
    const approve = h(
      "button",
      { type: "button", class: "primary", "aria-label": `Approve ${name}`, onclick: () => on.approve(id) },
      "Approve",
    );
    const reject = h(
      "button",
      { type: "button", "aria-label": `Reject ${name}`, onclick: () => on.reject(id) },
      "Reject",
    );
    const scopes: readonly unknown[] = Array.isArray(request["scopes"]) ? request["scopes"] : [];
    const facts = [
      `${textIn(request, "role") || "operator"} from ${textIn(request, "remoteIp") || "an unknown address"}`,
      scopes.length > 0 ? `asks for ${scopes.map((scope) => String(scope).replace(/^operator\./, "")).join(", ")}` : "",
      `request ${id}`,
    ];
    const lines = facts.filter(Boolean).map((fact) => h("span", { class: "faint" }, fact));
    return h("li", {}, h("strong", {}, name), ...lines, h("div", { class: "actions" }, reject, approve));
  });
  return h("section", {}, h("h3", {}, "Waiting for approval"), h("ul", { class: "devices" }, ...items));
}

function pairedSection(devices: readonly JsonObject[], own: string): Node {
  const items = devices.map((device) => {
    const isOwn = textIn(device, "deviceId") === own;
    const seen = device["lastSeenAtMs"] ?? device["approvedAtMs"];
    const state = isOwn
      ? "this browser"
      : device["connected"] === true
        ? "connected"
        : typeof seen === "number"
          ? `last seen ${when(seen, Date.now())}`
          : "not connected";
    const mark = h("span", { class: "dot", "data-on": String(isOwn || device["connected"] === true) });
    return h("li", { class: "flat" }, mark, h("strong", {}, nameOf(device)), h("span", { class: "faint" }, state));
  });
  const list = items.length > 0 ? h("ul", { class: "devices" }, ...items) : h("p", { class: "faint" }, "None yet.");
  return h("section", {}, h("h3", {}, "Devices"), list);
}

function nameOf(device: JsonObject): string {
  const id = textIn(device, "deviceId").slice(0, 12);
  return textIn(device, "label") || textIn(device, "displayName") || textIn(device, "clientId") || id;
}
