import { Failure } from "../kit/error.ts";

/** Which logs are open: two handles on one file would each believe in a size of their own. */
export interface OpenKeys {
  /** Marks a key as open until the answer is called. */
  take(key: string): () => void;
  mustBeClosed(...keys: readonly string[]): void;
}

export function createOpenKeys(): OpenKeys {
  const open = new Set<string>();
  const mustBeClosed = (...keys: readonly string[]): void => {
    const key = keys.find((each) => open.has(each));
    if (key !== undefined) throw new Failure("internal", `the log ${key} is open: close it first`);
  };
  return {
    take(key) {
      mustBeClosed(key);
      open.add(key);
      return () => void open.delete(key);
    },
    mustBeClosed,
  };
}
