import * as v from "valibot";
import type { Browser } from "../browser/browser.ts";
import { filesOf, type Files } from "../host/host.ts";
import { inside, type Inside } from "../host/inside.ts";
import { Failure } from "../kit/error.ts";
import type { ImagePart, TextPart } from "../session/message.ts";

/** Something that a model may do. Declared once: what it is told, what it may send, what happens. */
export interface Tool<P extends v.GenericSchema = v.GenericSchema> {
  readonly name: string;
  /** What the model is told, in a sentence or two. */
  readonly description: string;
  /** A line for the list of tools in the prompt. */
  readonly summary: string;
  /** What it may change; whether a run stops for approval is decided by it. */
  readonly effect: "read" | "write" | "execute";
  /** The part of the gateway that it is for: it is not offered where that is absent. */
  readonly needs?: keyof ToolParts;
  /** An object schema; each key's description is what the model reads. */
  readonly params: P;
  /** Throws a Failure whose message tells the model what was wrong and what to do instead. */
  run(params: v.InferOutput<P>, context: ToolContext): Promise<ToolResult>;
}

/** Parts that not every gateway has, nor every agent and session may use. */
export interface ToolParts {
  readonly files?: Files | undefined;
  readonly browser?: Browser | undefined;
  readonly chats?: ToolChats | undefined;
  readonly jobs?: ToolJobs | undefined;
}

/** Scheduled jobs, as far as an agent may see and change them from its session. */
export interface ToolJobs {
  /** Answers what the model is to read. Rejects with a Failure that says what would be allowed. */
  act(act: ToolJobAct): Promise<unknown>;
}

export interface ToolJobAct {
  readonly action: "status" | "list" | "add" | "update" | "remove" | "run" | "runs" | "wake";
  readonly id?: string | undefined;
  /** As the model wrote them: checked where jobs are made. */
  readonly job?: Readonly<Record<string, unknown>> | undefined;
  readonly patch?: Readonly<Record<string, unknown>> | undefined;
  readonly text?: string | undefined;
  readonly mode: "now" | "next-heartbeat";
}

/** The chats that an agent may write to of its own accord, beside its answer. */
export interface ToolChats {
  /**
   * Does it in the chat that is named, or in the one that the agent answers now. Rejects with a Failure that says what
   * would be allowed; `files` are paths in the workspace.
   */
  act(where: ToolChat, act: ToolChatAct, signal: AbortSignal): Promise<ToolChatDone>;
}

export interface ToolChat {
  readonly channel?: string | undefined;
  readonly accountId?: string | undefined;
  readonly to?: string | undefined;
  readonly threadId?: string | undefined;
}

export interface ToolChatAct {
  readonly kind: "send" | "edit" | "delete" | "react";
  readonly text?: string | undefined;
  readonly files?: readonly string[] | undefined;
  readonly replyTo?: string | undefined;
  /** The message that is meant; for a reaction the one that is answered, unless another is named. */
  readonly messageId?: string | undefined;
  /** Empty takes the reaction away. */
  readonly emoji?: string | undefined;
}

export interface ToolChatDone {
  readonly channel: string;
  readonly to: string;
  readonly messageIds: readonly string[];
}

/** Who uses tools: the parts that it is given are its own. */
export interface ToolUser {
  readonly agentId: string;
  readonly sessionKey: string;
}

/** The tools that can work with these parts. */
export function toolsWith(tools: readonly Tool[], parts: ToolParts): readonly Tool[] {
  return tools.filter(({ needs }) => needs === undefined || parts[needs] !== undefined);
}

/** What a tool is given. It reaches nothing else. */
export interface ToolContext extends ToolParts, ToolUser {
  readonly signal: AbortSignal;
  /** The agent's folder, as an absolute path. */
  readonly workspace: string;
  /** Files and folders of the gateway itself: closed to tools where a workspace contains them. */
  readonly closed: readonly string[];
  /** A few lines about the session as it is: model, context, usage, queue. */
  status(): Promise<string>;
  /** Shows what there is so far, to people who watch. */
  progress(partial: ToolResult): void;
}

export interface ToolResult {
  readonly content: readonly (TextPart | ImagePart)[];
  /** What programs may want to know beside the text that the model reads. */
  readonly details?: unknown;
  readonly isError?: boolean;
}

/** Declares a tool; keeps the exact type of its parameters. */
export function tool<P extends v.GenericSchema>(declared: Tool<P>): Tool<P> {
  return declared;
}

/**
 * The schema of a tool's parameters. Models are trained on several spellings of the same tools: `aliases` maps other
 * names to ours. A null counts as left out, as some models must send every key.
 */
export function parameters<const E extends v.ObjectEntries>(
  entries: E,
  aliases: Readonly<Record<string, keyof E & string>> = {},
) {
  const plain = (given: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const named = Object.entries(given).filter(([, value]) => value !== null);
    const other = named.flatMap(([name, value]) => (Object.hasOwn(aliases, name) ? [[aliases[name], value]] : []));
    return Object.fromEntries([...other, ...named]);
  };
  return v.pipe(v.record(v.string(), v.unknown()), v.transform(plain), v.object(entries));
}

/**
 * The place in the workspace that a model names; throws as `inside` does, and for what is the gateway's own: who reads
 * its secrets or writes its configuration is no tool's user any more, but the owner (threat P).
 */
export async function placeOf(
  { workspace, closed, ...context }: Pick<ToolContext, "files" | "workspace" | "closed">,
  path: string,
): Promise<Inside> {
  const files = filesOf(context);
  const place = await inside(files, workspace, path);
  const root = (await inside(files, workspace, ".")).path;
  for (const own of closed) {
    const real = ((await files.realPath(own)) ?? own).replaceAll("\\", "/");
    // A workspace that lies in the gateway's folder was put there on purpose.
    if (isIn(root, real, { strictly: true }) || !isIn(place.path, real)) continue;
    throw new Failure("forbidden", `${place.name} belongs to the gateway itself: no tool may use it`);
  }
  return place;
}

function isIn(path: string, folder: string, { strictly = false } = {}): boolean {
  return (!strictly && path === folder) || path.startsWith(`${folder}/`);
}

/**
 * Throws for a place in a `.git` folder: hooks and settings there make a person's next git command run whatever they
 * say (threat P).
 */
export function refuseGit(name: string): void {
  if (/(^|\/)\.git(\/|$)/i.test(name))
    throw new Failure("forbidden", `${name} belongs to git: nothing else may change it`);
}
