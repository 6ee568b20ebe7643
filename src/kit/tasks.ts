/** Work that goes on by itself, and that whoever ends has to wait for. */
export interface Tasks {
  add(work: Promise<void>): void;
  /** Resolves when all that was added until now is over, however it ended. */
  settled(): Promise<void>;
}

/** `failed` is told what was thrown by work that nobody waits for. */
export function createTasks(failed: (error: unknown) => void): Tasks {
  const going = new Set<Promise<void>>();
  return {
    add(work) {
      const task = work.catch(failed);
      going.add(task);
      void task.then(() => going.delete(task));
    },
    async settled() {
      await Promise.all(going);
    },
  };
}
