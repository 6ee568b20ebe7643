import * as v from "valibot";
import { type KeyMetadata, secret, text, whole } from "./section.ts";

/** The `cron` section: scheduled jobs. */
export const cronSection = v.pipe(
  v.looseObject({
    enabled: v.pipe(
      v.optional(v.boolean("true or false"), true),
      v.description("Run jobs when they are due."),
      v.metadata({ whenWrong: false } satisfies KeyMetadata),
    ),
    maxConcurrentRuns: v.pipe(v.optional(whole(1), 1), v.description("Jobs that run at the same time.")),
  }),
  v.metadata({ reload: "part" } satisfies KeyMetadata),
);

const clockTime = v.pipe(
  v.string("a time such as 08:00"),
  v.regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, "a time such as 08:00, 24:00 at most"),
);

const heartbeatEntries = {
  every: v.pipe(v.optional(text), v.description("How often, such as 30m or 2h; 0m is never. 30m when not written.")),
  model: v.pipe(v.optional(text), v.description("The model that is asked, as provider/model.")),
  target: v.pipe(
    v.optional(text),
    v.description("Where what it says is sent: last, the name of a chat network, or none. last when not written."),
  ),
  to: v.pipe(v.optional(text), v.description("Whom to send it to in that network.")),
  session: v.pipe(v.optional(text), v.description("The session it runs in; main when not written.")),
  prompt: v.pipe(v.optional(text), v.description("What the agent is asked.")),
  ackMaxChars: v.pipe(
    v.optional(whole(0)),
    v.description("Characters beside HEARTBEAT_OK up to which nothing is said; 300 when not written."),
  ),
  activeHours: v.pipe(
    v.optional(
      v.looseObject({
        start: v.pipe(v.optional(clockTime, "00:00"), v.description("From this time of the day.")),
        end: v.pipe(v.optional(clockTime, "24:00"), v.description("Until this one.")),
        timezone: v.pipe(v.optional(text), v.description("In this time zone; the person's when not written.")),
      }),
    ),
    v.description("The hours in which it runs."),
  ),
};

/** `agents.defaults.heartbeat`, and the same for one agent: turns that nobody asks for. */
export const heartbeatSection = v.looseObject(heartbeatEntries);

const hookMapping = v.looseObject({
  id: v.optional(text),
  match: v.optional(v.looseObject({ path: v.optional(text), source: v.optional(text) })),
  action: v.optional(v.picklist(["wake", "agent"]), "agent"),
  wakeMode: v.optional(v.picklist(["now", "next-heartbeat"])),
  name: v.optional(text),
  agentId: v.optional(text),
  sessionKey: v.optional(text),
  messageTemplate: v.optional(text),
  textTemplate: v.optional(text),
  deliver: v.optional(v.boolean("true or false")),
  channel: v.optional(text),
  to: v.optional(text),
  model: v.optional(text),
  thinking: v.optional(v.picklist(["off", "minimal", "low", "medium", "high", "xhigh"])),
  timeoutSeconds: v.optional(whole(1)),
});
export type HookMapping = v.InferOutput<typeof hookMapping>;

const internalHooks = v.looseObject({
  enabled: v.pipe(
    v.optional(v.boolean("true or false")),
    v.description("Run hooks: true all that are not switched off, false none; without it, those that have an entry."),
    v.metadata({ whenWrong: false } satisfies KeyMetadata),
  ),
  entries: v.pipe(
    v.optional(
      v.record(
        v.string(),
        v.looseObject({
          enabled: v.pipe(
            v.optional(v.boolean("true or false")),
            v.description("Run this hook."),
            v.metadata({ whenWrong: false } satisfies KeyMetadata),
          ),
          messages: v.pipe(
            v.optional(whole(1)),
            v.description("Messages that session-memory saves; 15 when not written."),
          ),
        }),
        "hooks by their names",
      ),
      {},
    ),
    v.description("Hooks by name: boot-md, command-logger, session-memory."),
  ),
});

/** The `hooks` section: what other programs may tell the gateway over HTTP, and what it does of its own at events. */
export const hooksSection = v.pipe(
  v.looseObject({
    enabled: v.pipe(
      v.optional(v.boolean("true or false"), false),
      v.description("Take calls; needs `hooks.token`."),
      v.metadata({ whenWrong: false } satisfies KeyMetadata),
    ),
    token: v.pipe(
      v.optional(secret),
      v.description("What callers prove themselves with: at least 16 characters, and not the gateway's own."),
    ),
    path: v.pipe(
      v.optional(
        v.pipe(v.string("a path such as /hooks"), v.regex(/^\/[\w./-]*[\w-]\/?$/, "a path such as /hooks")),
        "/hooks",
      ),
      v.description("Where on the gateway's port."),
    ),
    maxBodyBytes: v.pipe(
      v.optional(v.pipe(whole(1), v.maxValue(1024 * 1024, "1048576 (1 MB) at most")), 262_144),
      v.description("Largest body of a call."),
    ),
    allowQueryToken: v.pipe(
      v.optional(v.boolean("true or false"), false),
      v.description("Take the token from `?token=` too, where it ends up in logs on the way."),
      v.metadata({ whenWrong: false } satisfies KeyMetadata),
    ),
    allowRequestSessionKey: v.pipe(
      v.optional(v.boolean("true or false"), false),
      v.description("Let callers choose the session, among those of hooks (`hook:...`)."),
      v.metadata({ whenWrong: false } satisfies KeyMetadata),
    ),
    presets: v.pipe(
      v.optional(v.array(v.picklist(["gmail"], "gmail"), "a list of names"), []),
      v.description("Mappings that come with the gateway."),
    ),
    mappings: v.pipe(
      v.optional(v.array(hookMapping, "a list of mappings"), []),
      v.description("What calls of other paths mean; the first that matches counts."),
    ),
    internal: v.pipe(
      v.optional(internalHooks),
      v.description("What the gateway does of its own when it starts, at commands, and when a session begins anew."),
    ),
  }),
  v.metadata({ reload: "part" } satisfies KeyMetadata),
);
