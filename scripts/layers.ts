/** A layer of the source: what lies in it may import what lies lower, and its own folder. */
export interface Layer {
  readonly does: string;
  /** Folders and files of `src`. */
  readonly parts: readonly string[];
}

/** The layers from the ground up: `kit` is layer 0. The layers test holds the source to them. */
export const layers: readonly Layer[] = [
  { parts: ["kit"], does: "no domain words: errors, ids, lanes, text, time" },
  { parts: ["host", "protocol"], does: "the port to the machine; the words of the wire" },
  {
    parts: ["store", "service", "discovery", "tailscale", "tls", "client", "browser"],
    does: "durable text and logs; service units; being found; encryption; asking another gateway; driving a web browser",
  },
  {
    parts: ["session", "pairing", "channels", "providers", "tools"],
    does: "conversations; who may connect; the dialects of models; what models may do",
  },
  {
    parts: ["config", "model", "budget", "nodes", "observe"],
    does: "settings; which model answers; what may be spent; nodes; metrics and traces",
  },
  { parts: ["agent"], does: "the loop: prompt, model, tools, again; compaction" },
  { parts: ["flow", "cron"], does: "a message in, an answer out: journal, queue, turn, events" },
  {
    parts: ["methods", "routes", "hooks", "app.ts", "conversation.ts"],
    does: "what may be asked, one declaration each; what they are given; what is done of its own at events",
  },
  { parts: ["gateway"], does: "sockets: hello, proof, limits, dispatch, broadcast, exposure" },
  {
    parts: ["boot.ts", "embed.ts", "checks", "backup"],
    does: "everything put together; what doctor looks at; archives of the state",
  },
  {
    parts: ["cli", "commands", "page"],
    does: "the command line and the web page, clients of the gateway that runs",
  },
  { parts: ["main.ts"], does: "arguments to exit status" },
];

/** Folders whose files are interchangeable and know nothing of each other. */
export const families: ReadonlySet<string> = new Set([
  "channels",
  "providers",
  "tools",
  "methods",
  "routes",
  "hooks",
  "commands",
  "checks",
]);
