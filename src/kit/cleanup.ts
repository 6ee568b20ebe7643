/** A stack of things to undo: what was opened last is closed first, and one that fails does not keep the rest open. */
export interface Cleanup {
  add(undo: () => void | Promise<void>): void;
  /** Runs every undo once, last added first; rejects with the first error after all have run. */
  run(): Promise<void>;
}

export function createCleanup(): Cleanup {
  const undos: Array<() => void | Promise<void>> = [];
  return {
    add: (undo) => void undos.push(undo),
    async run() {
      const errors: unknown[] = [];
      for (let undo = undos.pop(); undo; undo = undos.pop()) {
        try {
          await undo();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
