import { isObject, type JsonObject } from "../kit/json.ts";

// Chat Completions has no form for thoughts: these are the ones that servers have found.

/** A piece of an answer, told apart. */
export interface Split {
  readonly thinking: string;
  readonly text: string;
}

/** Content is a text; Mistral's models that think give a list of parts, thoughts among them. */
export function contentOf(content: unknown): Split {
  if (typeof content === "string") return { thinking: "", text: content };
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  const textOf = (part: JsonObject): string => (typeof part["text"] === "string" ? part["text"] : "");
  return {
    thinking: parts
      .flatMap(({ type, thinking }) =>
        type === "thinking" && Array.isArray(thinking) ? thinking.filter(isObject) : [],
      )
      .map(textOf)
      .join(""),
    text: parts.map(textOf).join(""),
  };
}

/** A thought under the name of DeepSeek and most others, of OpenRouter, vLLM and Groq, or in OpenRouter's details. */
export function reasoningOf(delta: JsonObject): string {
  const { reasoning_content: content, reasoning, reasoning_details: details } = delta;
  if (typeof content === "string" && content !== "") return content;
  if (typeof reasoning === "string" && reasoning !== "") return reasoning;
  const texts = Array.isArray(details)
    ? details.filter(isObject).map((detail) => detail["text"] ?? detail["summary"])
    : [];
  return texts.filter((text) => typeof text === "string").join("");
}

/**
 * Details come in pieces: those of one type and index are one block, whose texts go on and whose rest replaces. They are
 * flat; anything nested is not OpenRouter's.
 */
export function keepDetail(details: JsonObject[], detail: JsonObject): void {
  const flat = Object.entries(detail).filter(([, value]) => value !== null && typeof value !== "object");
  const last = details.at(-1);
  const { type, index } = detail;
  if (!last || last["type"] !== type || last["index"] !== index || type === "reasoning.encrypted") {
    details.push(Object.fromEntries(flat));
    return;
  }
  for (const [key, value] of flat) {
    const before = last[key];
    const goesOn = (key === "text" || key === "summary") && typeof before === "string" && typeof value === "string";
    last[key] = goesOn ? before + value : value;
  }
}

export interface TagReader {
  read(delta: string): Split;
  /** What was held back. */
  end(): Split;
}

/**
 * Tells the thought of a model that begins its text with `<think>` from the answer behind `</think>`: model servers pass
 * it on like this unless they are told the model's format. The tags may come in pieces.
 */
export function createTagReader(): TagReader {
  let place: "start" | "thought" | "gap" | "answer" = "start";
  let held = "";

  const begin = (): Split => {
    const begun = held.trimStart();
    if (begun.length < OPEN.length && OPEN.startsWith(begun)) return nothing;
    if (begun.startsWith(OPEN)) {
      place = "thought";
      held = begun.slice(OPEN.length);
      return think();
    }
    place = "answer";
    return { thinking: "", text: held };
  };
  const think = (): Split => {
    const close = held.indexOf(CLOSE);
    const thinking = held.slice(0, close === -1 ? 1 - CLOSE.length : close);
    held = held.slice(thinking.length);
    if (close === -1) return { thinking, text: "" };
    place = "gap";
    return { thinking, text: skip(held.slice(CLOSE.length)) };
  };
  const skip = (delta: string): string => {
    const text = delta.trimStart();
    if (text !== "") place = "answer";
    return text;
  };

  return {
    read(delta) {
      if (place === "answer") return { thinking: "", text: delta };
      if (place === "gap") return { thinking: "", text: skip(delta) };
      held += delta;
      return place === "start" ? begin() : think();
    },
    end() {
      if (place === "thought") return { thinking: held, text: "" };
      return place === "start" ? { thinking: "", text: held } : nothing;
    },
  };
}

const OPEN = "<think>";
const CLOSE = "</think>";
const nothing: Split = { thinking: "", text: "" };
